"""The frames of a clip that are worst by each measure of its quality, whatever the thresholds."""

from __future__ import annotations

import numpy as np

from talkingface.report.cause import middle_of_longest


def worst_frames(
    quality: np.recarray, present: np.ndarray, angles: np.ndarray
) -> dict[str, int | None]:
    """Frames of a clip by columns of PREVIEW; None where a clip has no such frame.

    quality: its table QUALITY_FRAMES. present: whether a face is in each of its N frames. angles:
    (N, 3) yaw, pitch, roll in degrees, NaN without a face. Of a face at the edge and of one that
    is not there it is the middle of the longest time.
    """
    hands = np.where(quality.hand_overlap > 0, quality.hand_overlap, np.nan)
    border = middle_of_longest(quality.at_border == 1, -1)
    absent = middle_of_longest(~present, -1)
    return {
        "sharpness_frame": _frame(quality, -quality.sharpness),
        "dark_frame": _frame(quality, -quality.brightness),
        "bright_frame": _frame(quality, quality.brightness),
        "hand_frame": _frame(quality, hands),
        "border_frame": int(quality.frame[border]) if border >= 0 else None,
        "absent_frame": absent if absent >= 0 else None,
        **{
            f"{name}_frame": _largest(abs(values))
            for name, values in zip(("yaw", "pitch", "roll"), angles.T, strict=True)
        },
    }


def _frame(quality: np.recarray, values: np.ndarray) -> int | None:
    """The frame of the row with the largest value; None where all are NaN."""
    row = _largest(values)
    return None if row is None else int(quality.frame[row])


def _largest(values: np.ndarray) -> int | None:
    """The place of the largest value, the first of several; None where all are NaN."""
    return None if np.isnan(values).all() else int(np.nanargmax(values))
