from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.settings import default_settings
from talkingface.clips.verdict import Verdict
from talkingface.dataset.gates import THRESHOLD_KEYS, QualityThresholds, judge_quality
from talkingface.job.tables import table_of_rows
from talkingface.sync.calibrations import TRUSTED_CERTAINTY
from talkingface.tables import QUALITY

NAN = float("nan")
OFF = QualityThresholds(**dict.fromkeys(THRESHOLD_KEYS))
DEFAULTS = QualityThresholds(
    **{key: value for key, value in default_settings("quality").items() if key in THRESHOLD_KEYS}
)
VERDICT_COLUMNS = ["clip_id", "verdict", "stage", "reason", "detail", "value", "threshold"]
GOOD = {
    "face_height": 200.0, "present_share": 1.0, "border_share": 0.0, "brightness": 120.0,
    "sharpness": 150.0, "hand_share": 0.0, "max_abs_yaw": 10.0, "max_abs_pitch": 10.0,
    "max_abs_roll": 5.0, "yaw_range": 15.0, "pitch_range": 15.0, "roll_range": 5.0,
    "residual_offset": 0.0, "residual_certainty": 0.99, "speech_quality": 3.0,
}  # fmt: skip
# What is measured where no frame has a face.
FACELESS = {
    **dict.fromkeys(GOOD, NAN), "face_height": 200.0, "present_share": 0.0, "border_share": 0.0,
    "hand_share": 0.0,
}  # fmt: skip


def table(*rows: dict[str, float]) -> np.recarray:
    named = [{"clip_id": f"c{i}", "n_frames": 100, **r} for i, r in enumerate(rows)]
    return table_of_rows(QUALITY, named)


def judge(thresholds: QualityThresholds, **measures: Any) -> dict[str, Any]:
    ((clip_id, verdict),) = judge_quality(table(GOOD | measures), thresholds).items()
    columns = {"clip_id": clip_id, **verdict._asdict()}
    assert list(columns) == VERDICT_COLUMNS
    return columns


def test_a_good_clip_is_kept() -> None:
    assert {"clip_id", "n_frames", *GOOD} == set(QUALITY.names)
    verdict = judge(DEFAULTS)
    assert (verdict["verdict"], verdict["stage"], verdict["reason"]) == ("kept", "", "")
    assert verdict["detail"] == ""
    assert pd.isna(verdict["value"]) and pd.isna(verdict["threshold"])


@pytest.mark.parametrize(
    ("key", "threshold", "measure", "inside", "outside", "reason"),
    [
        ("min_present_share", 0.5, "present_share", 0.5, 0.4999, "face_lost"),
        ("min_face_height", 128, "face_height", 128, 127.9, "small_face"),
        ("max_border_share", 0.1, "border_share", 0.1, 0.1001, "at_border"),
        ("min_brightness", 40, "brightness", 40, 39.9, "dark"),
        ("max_brightness", 200, "brightness", 200, 200.1, "bright"),
        ("min_sharpness", 50, "sharpness", 50, 49.99, "blurred"),
        ("max_hand_share", 0, "hand_share", 0, 0.01, "hand"),
        ("max_abs_yaw", 30, "max_abs_yaw", 30, 30.01, "yaw"),
        ("max_abs_pitch", 30, "max_abs_pitch", 30, 30.01, "pitch"),
        ("max_abs_roll", 30, "max_abs_roll", 30, 30.01, "roll"),
        ("max_residual_offset", 1, "residual_offset", 1, 2, "offset"),
        ("min_residual_certainty", 0.9, "residual_certainty", 0.9, 0.89, "unsure"),
        ("min_speech_quality", 2.5, "speech_quality", 2.5, 2.49, "poor_sound"),
    ],
)
def test_each_threshold_alone(
    key: str, threshold: float, measure: str, inside: float, outside: float, reason: str
) -> None:
    only = QualityThresholds(**{**dict.fromkeys(THRESHOLD_KEYS), key: threshold})
    assert judge(only, **{measure: inside})["verdict"] == "kept"
    verdict = judge(only, **{measure: outside})
    sign = "<" if key.startswith("min") else ">"
    assert verdict == {
        "clip_id": "c0",
        "verdict": "rejected",
        "stage": "quality",
        "reason": reason,
        "detail": f"{measure} {outside:g} {sign} {threshold:g}",
        "value": outside,
        "threshold": threshold,
    }
    assert judge(OFF, **{measure: outside})["verdict"] == "kept"


def test_every_threshold_is_tried_above() -> None:
    tried = test_each_threshold_alone.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {row[0] for row in tried} == set(THRESHOLD_KEYS)


def test_the_first_gate_missed_is_the_reason_and_all_are_listed() -> None:
    verdict = judge(DEFAULTS, brightness=10.0, sharpness=5.0, max_abs_roll=80.0)
    assert (verdict["reason"], verdict["value"], verdict["threshold"]) == ("dark", 10, 25)
    assert verdict["detail"] == "brightness 10 < 25; sharpness 5 < 20; max_abs_roll 80 > 45"


def test_a_clip_without_a_face_fails_present_share() -> None:
    verdict = judge(DEFAULTS, **FACELESS)
    assert (verdict["reason"], verdict["value"], verdict["threshold"]) == ("face_lost", 0, 0.9)
    words = ["brightness", "sharpness", "max_abs_yaw", "max_abs_pitch", "max_abs_roll"]
    misses = [f"{word} not measured" for word in words]
    assert verdict["detail"] == "; ".join(["present_share 0 < 0.9", *misses])


def test_what_was_not_measured_cannot_reach_a_threshold() -> None:
    sharp = QualityThresholds(**{**dict.fromkeys(THRESHOLD_KEYS), "min_sharpness": 20})
    verdict = judge(sharp, **FACELESS)
    assert (verdict["verdict"], verdict["reason"]) == ("rejected", "blurred")
    assert pd.isna(verdict["value"]) and verdict["threshold"] == 20
    turned = QualityThresholds(**{**dict.fromkeys(THRESHOLD_KEYS), "max_abs_yaw": 45})
    assert judge(turned, **FACELESS)["reason"] == "yaw"
    assert judge(OFF, **FACELESS)["verdict"] == "kept"


def test_a_residual_offset_counts_either_way_and_only_where_it_is_sure() -> None:
    only = QualityThresholds(**{**dict.fromkeys(THRESHOLD_KEYS), "max_residual_offset": 1})
    verdict = judge(only, residual_offset=-3.0)
    assert (verdict["reason"], verdict["value"], verdict["threshold"]) == ("offset", -3, 1)
    assert verdict["detail"] == "residual_offset -3 < -1"
    assert judge(only, residual_offset=-1.0)["verdict"] == "kept"
    for certainty in (TRUSTED_CERTAINTY - 0.001, NAN):
        unsure = judge(only, residual_offset=-3.0, residual_certainty=certainty)
        assert unsure["verdict"] == "kept"
    assert (
        judge(only, residual_offset=3.0, residual_certainty=TRUSTED_CERTAINTY)["verdict"]
        == "rejected"
    )
    sure = QualityThresholds(**{**dict.fromkeys(THRESHOLD_KEYS), "min_residual_certainty": 0})
    assert judge(sure, **FACELESS)["reason"] == "unsure"


def test_clips_are_judged_one_by_one_and_keep_their_order() -> None:
    rows = [GOOD, GOOD | {"sharpness": 1.0}, GOOD, GOOD | {"hand_share": 0.9}]
    verdicts = judge_quality(table(*rows)[::-1], DEFAULTS)
    assert list(verdicts) == ["c3", "c2", "c1", "c0"]
    assert [verdict.reason for verdict in verdicts.values()] == ["hand", "", "blurred", ""]


def test_no_clips() -> None:
    assert judge_quality(table(GOOD)[:0], DEFAULTS) == {}
    assert list(Verdict._fields) == VERDICT_COLUMNS[1:]


def test_tables_of_another_version_are_refused() -> None:
    names = [name for name in QUALITY.names if name != "hand_share"]
    with pytest.raises(ValueError, match="no column hand_share"):
        judge_quality(table(GOOD)[names], DEFAULTS)


@pytest.mark.parametrize(
    "broken",
    [
        {"sharpness": 6.0},  # Gaussian blur of 2 % of the face's length
        {"brightness": 0.3},  # black
        {"hand_share": 0.6},
        {"border_share": 1.0},  # half out of the picture
        {"present_share": 0.5},
        {"max_abs_yaw": 70.0},
    ],
)
def test_the_defaults_reject_what_is_broken(broken: dict[str, float]) -> None:
    assert judge(DEFAULTS, **broken)["verdict"] == "rejected"


def test_the_defaults_are_those_of_the_schema() -> None:
    section = default_settings("quality")
    assert set(section) - set(THRESHOLD_KEYS) == {"every"}
    assert {key: section[key] for key in THRESHOLD_KEYS} == {
        "min_present_share": 0.9, "min_face_height": None, "max_border_share": 0.2,
        "min_brightness": 25, "max_brightness": 235, "min_sharpness": 20, "max_hand_share": 0.2,
        "max_abs_yaw": 45, "max_abs_pitch": 45, "max_abs_roll": 45,
        "max_residual_offset": None, "min_residual_certainty": None, "min_speech_quality": None,
    }  # fmt: skip
