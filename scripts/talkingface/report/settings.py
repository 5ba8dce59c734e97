"""The thresholds that the report's page lets one try, as the schema describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from talkingface.clips.judgement import thresholds_for
from talkingface.dataset.gates import THRESHOLD_KEYS
from talkingface.settings.schema import load_schema

# Of `segments`: what a candidate is compared with. The others say how candidates are cut out.
_OF_SEGMENTS = (
    "min_frames", "min_face_height", "min_detected_share", "max_other_face_share", "min_loudness",
    "min_speech_share", "min_mouth_motion", "min_probability", "unsure_probability", "keep_unsure",
    "min_confidence", "max_offset",
)  # fmt: skip


def threshold_settings(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every threshold with its value in `settings`, sections `segments` and `quality`, and what
    the schema says of it."""
    properties = load_schema("config")["properties"]
    found = []
    for section, keys in (("segments", _OF_SEGMENTS), ("quality", THRESHOLD_KEYS)):
        for key in keys:
            stated = properties[section]["properties"][key]
            kinds = stated["type"] if isinstance(stated["type"], list) else [stated["type"]]
            found.append(
                {
                    "section": section,
                    "key": key,
                    "value": settings[section][key],
                    "default": stated["default"],
                    "description": stated["description"],
                    "unit": stated.get("unit", ""),
                    "minimum": stated.get("minimum"),
                    "maximum": stated.get("maximum"),
                    "integer": "integer" in kinds,
                    "nullable": "null" in kinds,
                }
            )
    return found


def fixed_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the judging goes by that the page does not change: how candidates were cut, and the
    largest offset where the settings leave it to the backend."""
    backend = settings["sync"]["backend"]
    thresholds = thresholds_for(backend, **settings["segments"])
    without = thresholds_for(backend, **{**settings["segments"], "max_offset": None})
    return {
        "backend": backend,
        "cut": thresholds.cut,
        "max_frames": thresholds.max_frames,
        "trim_frames": thresholds.trim_frames,
        "default_max_offset": without.max_offset,
    }
