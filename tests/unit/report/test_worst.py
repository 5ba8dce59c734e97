"""The worst frames of a clip are the ones that were made worst."""

from __future__ import annotations

import numpy as np

from talkingface.job.tables import table_of_columns
from talkingface.report.worst import worst_frames
from talkingface.tables import QUALITY_FRAMES


def measured(n_rows: int, **columns: object) -> np.recarray:
    """Every fifth frame, each the same but for these."""
    same = {"frame": np.arange(n_rows) * 5, "present": 1, "at_border": 0, "brightness": 100.0}
    same |= {"sharpness": 200.0, "hand_overlap": 0.0}
    return table_of_columns(QUALITY_FRAMES, same | columns)


def test_each_measure_has_its_frame() -> None:
    n = 8
    sharpness, brightness, hands, border = (np.full(n, v) for v in (200.0, 100.0, 0.0, 0))
    sharpness[3], brightness[1], brightness[6], hands[2], border[4:7] = 20, 30, 220, 0.4, 1
    sharpness[0] = brightness[0] = np.nan
    angles = np.zeros((5 * n, 3))
    angles[7, 0], angles[11, 1], angles[39, 2] = -40, 20, -9
    angles[12] = np.nan
    present = np.ones(5 * n, bool)
    present[[2, *range(20, 27)]] = False
    table = measured(
        n, sharpness=sharpness, brightness=brightness, hand_overlap=hands, at_border=border
    )
    assert worst_frames(table, present, angles) == {
        "sharpness_frame": 15, "dark_frame": 5, "bright_frame": 30, "hand_frame": 10,
        "border_frame": 25, "absent_frame": 23, "yaw_frame": 7, "pitch_frame": 11,
        "roll_frame": 39,
    }  # fmt: skip


def test_what_never_happens_has_no_frame() -> None:
    found = worst_frames(measured(2), np.ones(10, bool), np.zeros((10, 3)))
    assert [name for name, frame in found.items() if frame is None] == [
        "hand_frame",
        "border_frame",
        "absent_frame",
    ]


def test_a_clip_without_a_face_has_no_measures() -> None:
    nothing = np.full(2, np.nan)
    table = measured(2, sharpness=nothing, brightness=nothing, hand_overlap=nothing)
    found = worst_frames(table, np.zeros(10, bool), np.full((10, 3), np.nan))
    assert found.pop("absent_frame") == 4
    assert set(found.values()) == {None}
