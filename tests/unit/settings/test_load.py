"""The settings, completed and checked."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest

from talkingface.settings.describe import sections
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError


def nested(depth: int) -> list[Any]:
    inner: list[Any] = []
    for _ in range(depth):
        inner = [inner]
    return inner


def endless() -> list[Any]:
    """A list that is in itself, as YAML's aliases make it."""
    inner: list[Any] = []
    inner.append(inner)
    return inner


def test_what_is_left_out_comes_from_the_defaults() -> None:
    config = check_config({"clips": {"size": 256}, "scenes": None})
    assert config["clips"]["size"] == 256
    assert config["clips"]["crop"] == "fixed"
    assert config["scenes"]["detector"] == "content"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"clip": {}}, ["clip", "unknown", "clips"]),
        ({"clips": {"sise": 1}}, ["clips.sise", "unknown", "size"]),
        ({"clips": {"crop": "round"}}, ["clips.crop", "'round'", "fixed, follow, none"]),
        ({"clips": {"size": 511}}, ["clips.size", "511"]),
        ({"features": ["landmark"]}, ["features", "'landmark'", "landmarks"]),
        ({"segments": {"min_frames": "many"}}, ["segments.min_frames", "many"]),
        ({"segments": {"min_frames": 100, "max_frames": 80}}, ["max_frames", "min_frames"]),
        ({"segments": {"trim_frames": 40}}, ["trim_frames", "min_frames"]),
        ({"segments": {"cut": "speech"}}, ["segments.cut", "'speech'", "track, speaking"]),
        (
            {"segments": {"cut": "speaking"}, "sync": {"backend": "none"}},
            ["segments.cut", "sync.backend", "mesh", "syncnet"],
        ),
        (
            {"sync": {"backend": "motion"}},
            ["sync.backend", "'motion'", "mesh, syncnet, none", "use mesh instead"],
        ),
        ({"sync": {"backend": "lips"}}, ["sync.backend", "'lips'", "mesh, syncnet, none\n"]),
        ({"segments": {"min_probability": 1.1}}, ["segments.min_probability", "1.1"]),
        ({"segments": {"speaking_probability": None}}, ["segments.speaking_probability", "None"]),
        ({"segments": {"keep_unsure": "yes"}}, ["segments.keep_unsure", "'yes'"]),
        ({"segments": {"min_mouth_motion": -1}}, ["segments.min_mouth_motion", "-1"]),
        (
            {"quality": {"min_residual_confidence": 3}},
            ["quality.min_residual_confidence", "unknown", "min_residual_certainty"],
        ),
        ({"split": 3}, ["split", "3"]),
        ({"tracks": {"max_gap": 3}}, ["tracks.max_gap", "tracks.every"]),
        ({"download": {"cookies": "nowhere.txt"}}, ["download.cookies", "/nowhere.txt"]),
        ({"checkpoints": {"syncnet": "F" * 64}}, ["checkpoints.syncnet", "does not match"]),
        ({"checkpoints": {"syncnet": "f" * 63}}, ["checkpoints.syncnet", "does not match"]),
        ({"checkpoints": {"dagan": ["f" * 64]}}, ["checkpoints.dagan", "too short"]),
        ({"checkpoints": {"segformer": "f" * 64}}, ["checkpoints.segformer", "unknown"]),
        ({"download": {"max_size": 10**5000}}, ["download.max_size", "more than 18 digits"]),
        ({"features": ["mel"] * 20_000}, ["features.9", "more than 10,000 values"]),
        ({"features": nested(200)}, ["features.0.0", "nested more than 10 deep"]),
        ({"features": endless()}, ["features.0.0", "nested more than 10 deep"]),
        ({"videos": date(2026, 1, 2)}, ["videos", "a date", "put it in quotes"]),
        ({"videos": b"x"}, ["videos", "a bytes", "put it in quotes"]),
        ({"videos": "a\0b"}, ["videos", "character 0x0"]),
        ({"videos": "\ud800"}, ["videos", "character 0xd800"]),
        ({"videos": "v" * 20_000}, ["videos", "a text of 20,000 characters"]),
        ({3: "a"}, ["the name 3 is no text"]),
        ({"clips": {None: 1, False: 2}}, ["clips: the name None", "clips: the name False"]),
    ],
    ids=lambda part: str(part)[:60] if isinstance(part, list) else "",
)
def test_refusals_name_the_key_and_what_is_allowed(
    config: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_config(config)
    for word in words:
        assert word in str(refusal.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_may_be_none_or_endless(value: float) -> None:
    """Nothing is less than NaN: thresholds would let everything through."""
    numbers = [
        (section.name, setting.name)
        for section in sections()
        for setting in section.settings
        if "number" in setting.values
    ]
    assert len(numbers) > 40
    for section, name in numbers:
        config = {section: {name: value}} if section else {name: value}
        with pytest.raises(ConfigError, match=rf"{name}: {value} is no finite number"):
            check_config(config)
    with pytest.raises(ConfigError, match="hubert.layers.1: nan is no finite number"):
        check_config({"hubert": {"layers": [1, math.nan]}})


def test_of_many_faults_the_first_are_shown() -> None:
    with pytest.raises(ConfigError) as refusal:
        check_config({"features": [f"f{number}" for number in range(1000)]})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1 + 20 + 1 + 1 and lines[-2] == "  and 980 more"
    with pytest.raises(ConfigError) as refusal:
        check_config({f"key{number}" * 100: 1 for number in range(1000)})
    assert len(str(refusal.value)) < 3000
    with pytest.raises(ConfigError) as refusal:
        check_config({"clips": "x" * 9000})
    assert len(str(refusal.value)) < 500
