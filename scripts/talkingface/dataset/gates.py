"""Which clips are good enough, by the measures of `quality` and the thresholds of the config.

Nothing is measured here, so that thresholds can be changed and judged again in no time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import isnan
from typing import Any, NamedTuple

import numpy as np

from talkingface.clips.verdict import KEPT, Verdict, rejected
from talkingface.sync.calibrations import TRUSTED_CERTAINTY


@dataclass(frozen=True)
class QualityThresholds:
    """What a clip must reach, None: no matter; described key by key in the schema of config.yaml.

    The schema's defaults let everything usable through. Two films of people and the demo have a
    sharpness of 170 to 280; 20 is left of them after a Gaussian blur with a standard deviation of
    1.2 % of the face's length. Beyond 45 degrees the mesh is not to be trusted (see `pose`). The
    others are set by eye, far from what the films have.
    """

    min_present_share: float | None
    min_face_height: float | None
    max_border_share: float | None
    min_brightness: float | None
    max_brightness: float | None
    min_sharpness: float | None
    max_hand_share: float | None
    max_abs_yaw: float | None
    max_abs_pitch: float | None
    max_abs_roll: float | None
    max_residual_offset: float | None
    min_residual_certainty: float | None
    min_speech_quality: float | None


# The keys of the config's section `quality` that are judged by; the others are for measuring.
THRESHOLD_KEYS = tuple(field.name for field in fields(QualityThresholds))


class Gate(NamedTuple):
    """A threshold, the measure that is compared with it, and the reason of a clip that misses it.

    certainty: a measure of how certain the other is. Below TRUSTED_CERTAINTY the gate lets the clip
    through.
    """

    key: str
    measure: str
    reason: str
    certainty: str = ""


# In the order of judging: a face that is not there has no other measure.
GATES = [
    Gate("min_present_share", "present_share", "face_lost"),
    Gate("min_face_height", "face_height", "small_face"),
    Gate("max_border_share", "border_share", "at_border"),
    Gate("min_brightness", "brightness", "dark"),
    Gate("max_brightness", "brightness", "bright"),
    Gate("min_sharpness", "sharpness", "blurred"),
    Gate("max_hand_share", "hand_share", "hand"),
    Gate("max_abs_yaw", "max_abs_yaw", "yaw"),
    Gate("max_abs_pitch", "max_abs_pitch", "pitch"),
    Gate("max_abs_roll", "max_abs_roll", "roll"),
    Gate("max_residual_offset", "residual_offset", "offset", certainty="residual_certainty"),
    Gate("min_residual_certainty", "residual_certainty", "unsure"),
    Gate("min_speech_quality", "speech_quality", "poor_sound"),
]


def judge_quality(measures: np.recarray, thresholds: QualityThresholds) -> dict[str, Verdict]:
    """The verdict on every clip of a table QUALITY by its clip_id, in the table's order.

    A value at its threshold is good enough. A measure that is missing (NaN: no sampled frame has a
    face) misses every threshold there is for it. The residual offset, either way, is judged only
    where its certainty reaches TRUSTED_CERTAINTY: others are let through. Of a rejected clip
    `reason`, `value` and `threshold` are those of the first gate missed in the order of
    `QualityThresholds`, `detail` lists all. Raises ValueError when a column is missing.
    """
    lacking = {gate.measure for gate in GATES} - set(measures.dtype.names)
    if lacking:
        raise ValueError(f"no column {min(lacking)} in the measures of quality: make them again")
    # A dict is read faster than a record, and there may be a million clips.
    clips = [dict(zip(measures.dtype.names, row, strict=True)) for row in measures.tolist()]
    return {clip["clip_id"]: _judge(clip, thresholds) for clip in clips}


def _judge(clip: Mapping[str, Any], thresholds: QualityThresholds) -> Verdict:
    """The verdict on a clip, from its row of the table QUALITY."""
    verdict, misses = KEPT, []
    for gate in GATES:
        threshold = getattr(thresholds, gate.key)
        if threshold is None:
            continue
        value = clip[gate.measure]
        is_least = gate.key.startswith("min_")
        # A comparison with NaN is false.
        reached = value >= threshold if is_least else abs(value) <= threshold
        certain = not gate.certainty or clip[gate.certainty] >= TRUSTED_CERTAINTY
        if reached or not certain:
            continue
        if verdict is KEPT:
            verdict = rejected("quality", gate.reason, value, float(threshold))
        miss = _describe_miss(gate.measure, value, threshold, is_least)
        if miss not in misses:  # Brightness has two thresholds.
            misses.append(miss)
    return verdict._replace(detail="; ".join(misses))


def _describe_miss(measure: str, value: float, threshold: float, is_least: bool) -> str:
    if isnan(value):
        return f"{measure} not measured"
    limit = -threshold if value < 0 and not is_least else threshold
    return f"{measure} {value:g} {'<' if value < limit else '>'} {limit:g}"
