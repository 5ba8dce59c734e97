"""Which clips are good enough, by the measures of `quality` and the thresholds of the config.

Nothing is measured here, so that thresholds can be changed and judged again in no time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import pandas as pd

VERDICT_COLUMNS = ["clip_id", "verdict", "stage", "reason", "detail", "value", "threshold"]


@dataclass(frozen=True)
class Thresholds:
    """What a clip must reach, None: no matter; described key by key in the schema of config.yaml.

    The defaults let everything usable through. Two films of people and the demo have a sharpness
    of 170 to 280; 20 is left of them after a Gaussian blur with a standard deviation of 1.2 % of
    the face's length. Beyond 45 degrees the mesh is not to be trusted (see `pose`). The others are
    set by eye, far from what the films have.
    """

    min_present_share: float | None = 0.9
    min_face_height: float | None = None
    max_border_share: float | None = 0.2
    min_brightness: float | None = 25
    max_brightness: float | None = 235
    min_sharpness: float | None = 20
    max_hand_share: float | None = 0.2
    max_abs_yaw: float | None = 45
    max_abs_pitch: float | None = 45
    max_abs_roll: float | None = 45
    max_residual_offset: float | None = None
    min_residual_confidence: float | None = None


# The keys of the config's section `quality` that are judged by; the others are for measuring.
THRESHOLD_KEYS = tuple(field.name for field in fields(Thresholds))


class _Gate(NamedTuple):
    key: str
    measure: str
    reason: str
    sure_by: str = ""  # a measure: where it does not reach SURE, the gate lets the clip through


# From this confidence on an offset is no chance: sync.TRUSTED_CONFIDENCE.
SURE = 6.0

# In the order of judging: a face that is not there has no other measure.
_GATES = [
    _Gate("min_present_share", "present_share", "face_lost"),
    _Gate("min_face_height", "face_height", "small_face"),
    _Gate("max_border_share", "border_share", "at_border"),
    _Gate("min_brightness", "brightness", "dark"),
    _Gate("max_brightness", "brightness", "bright"),
    _Gate("min_sharpness", "sharpness", "blurred"),
    _Gate("max_hand_share", "hand_share", "hand"),
    _Gate("max_abs_yaw", "max_abs_yaw", "yaw"),
    _Gate("max_abs_pitch", "max_abs_pitch", "pitch"),
    _Gate("max_abs_roll", "max_abs_roll", "roll"),
    _Gate("max_residual_offset", "residual_offset", "offset", sure_by="residual_confidence"),
    _Gate("min_residual_confidence", "residual_confidence", "not_speaking"),
]


def judge_quality(measures: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """Judge clips; gives VERDICT_COLUMNS, one row a clip, in the same order.

    measures: `clip_id` and the columns of `quality`. A value at its threshold is good enough. A
    measure that is missing (NaN: no sampled frame has a face) misses every threshold there is for
    it. The residual offset, either way, is judged only where its confidence is SURE: others are let
    through. Of a rejected clip `reason`, `value` and `threshold` are those of the first gate missed
    in the order of `Thresholds`, `detail` lists all. Raises ValueError when a column is missing.
    """
    lacking = {gate.measure for gate in _GATES} - set(measures)
    if lacking:
        raise ValueError(f"no column {min(lacking)} in the measures of quality: make them again")
    verdicts = pd.DataFrame(
        {
            "clip_id": measures["clip_id"],
            "verdict": "kept",
            **dict.fromkeys(VERDICT_COLUMNS[2:5], ""),
            **dict.fromkeys(VERDICT_COLUMNS[5:], float("nan")),
        }
    )
    details: list[list[str]] = [[] for _ in range(len(measures))]
    for gate in _GATES:
        key, measure, reason = gate.key, gate.measure, gate.reason
        threshold = getattr(thresholds, key)
        if threshold is None:
            continue
        values = measures[measure].astype(float)
        least = key.startswith("min_")
        missed = ~(values >= threshold) if least else ~(values.abs() <= threshold)
        if gate.sure_by:
            missed &= measures[gate.sure_by].astype(float) >= SURE
        first = missed & (verdicts["verdict"] == "kept")
        verdicts.loc[first, ["verdict", "stage", "reason"]] = ["rejected", "quality", reason]
        verdicts.loc[first, "value"] = values[first]
        verdicts.loc[first, "threshold"] = float(threshold)
        for i in np.flatnonzero(missed):
            value = values.iloc[i]
            limit = -threshold if value < 0 and not least else threshold
            miss = f"{measure} {value:g} {'<' if value < limit else '>'} {limit:g}"
            miss = f"{measure} not measured" if np.isnan(value) else miss
            if miss not in details[i]:  # light has two thresholds
                details[i].append(miss)
    verdicts["detail"] = ["; ".join(misses) for misses in details]
    return verdicts
