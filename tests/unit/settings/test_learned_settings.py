"""config/learned.yaml says only what differs from the defaults, and nothing that is refused."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import yaml

from helpers.paths import ROOT
from talkingface.settings.load import check_config

LEARNED: dict[str, Any] = yaml.safe_load((ROOT / "config/learned.yaml").read_text())


def test_it_is_accepted_and_every_stage_with_networks_has_one() -> None:
    settings = check_config(deepcopy(LEARNED))
    assert {"hubert", "frames"} <= set(settings["features"])
    assert settings["sync"]["backend"] == "syncnet"
    assert settings["parsing"]["backend"] == "bisenet"
    assert settings["depth"]["backend"] == "depth_anything"


def test_it_differs_from_the_defaults_in_all_that_it_says() -> None:
    defaults = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert set(defaults["features"]) < set(LEARNED["features"])
    for section, values in LEARNED.items():
        if isinstance(values, dict):
            assert all(value != defaults[section][name] for name, value in values.items()), section
        else:
            assert values != defaults[section], section
