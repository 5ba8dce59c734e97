from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import yaml

from helpers.paths import ROOT
from talkingface.clips.judgement import SegmentThresholds
from talkingface.dataset.gates import GATES, THRESHOLD_KEYS
from talkingface.report.settings import fixed_settings, threshold_settings
from talkingface.settings.load import check_config

SCHEMA = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())["properties"]
# What decides how candidates are cut out or measured: another value needs another run.
OF_CUTTING = {
    "max_frames", "trim_frames", "cut", "speech_threshold", "speaking_probability",
    "speaking_score", "speaking_gap", "speaking_trim",
}  # fmt: skip


def settings(**sections: dict[str, Any]) -> dict[str, Any]:
    return check_config(sections)


def test_every_threshold_is_there_once() -> None:
    """A new one has to be tried on the page, or to be named above."""
    found = [(each["section"], each["key"]) for each in threshold_settings(settings())]
    assert len(found) == len(set(found))
    judged = {field.name for field in fields(SegmentThresholds)} - OF_CUTTING
    of_segments = {key for section, key in found if section == "segments"}
    assert of_segments == judged | {"keep_unsure"}
    assert [key for section, key in found if section == "quality"] == list(THRESHOLD_KEYS)
    assert {gate.key for gate in GATES} == set(THRESHOLD_KEYS)


def test_a_threshold_has_its_value_and_what_the_schema_says() -> None:
    config = settings(
        segments={"min_frames": 60, "min_confidence": 1.5, "keep_unsure": True},
        quality={"min_sharpness": None},
    )
    for each in threshold_settings(config):
        stated = SCHEMA[each["section"]]["properties"][each["key"]]
        assert each["value"] == config[each["section"]][each["key"]]
        assert each["default"] == stated["default"]
        assert each["description"] == stated["description"]
        assert each["unit"] == stated.get("unit", "")
        for bound in ("minimum", "maximum"):
            assert each[bound] == stated.get(bound)
    found = {each["key"]: each for each in threshold_settings(config)}
    assert found["min_frames"]["value"] == 60 and found["min_frames"]["integer"]
    assert not found["min_frames"]["nullable"]
    assert found["min_confidence"]["nullable"] and not found["min_confidence"]["integer"]
    assert found["min_sharpness"]["value"] is None and found["min_sharpness"]["nullable"]
    assert found["keep_unsure"]["value"] is True


@pytest.mark.parametrize(("backend", "most"), [("mesh", 15), ("syncnet", 6), ("none", 15)])
def test_what_is_fixed(backend: str, most: int) -> None:
    """`max_offset: null` leaves it to the backend, also where the run has a number."""
    config = settings(sync={"backend": backend}, segments={"max_offset": 3, "max_frames": 400})
    assert fixed_settings(config) == {
        "backend": backend,
        "cut": "track",
        "max_frames": 400,
        "trim_frames": 0,
        "default_max_offset": most,
    }
