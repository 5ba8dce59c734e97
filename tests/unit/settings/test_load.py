"""The settings, completed and checked."""

from __future__ import annotations

from typing import Any

import pytest

from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError


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
    ],
)
def test_refusals_name_the_key_and_what_is_allowed(
    config: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_config(config)
    for word in words:
        assert word in str(refusal.value)
