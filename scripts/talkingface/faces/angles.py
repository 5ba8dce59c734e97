"""How far the head turns in a clip: measures of its angles, for `pose` and `quality`."""

from __future__ import annotations

import numpy as np

ANGLES = ("yaw", "pitch", "roll")


def angle_ranges(angles: np.ndarray) -> dict[str, float]:
    """Measures of a clip's angles: (N, 3) yaw, pitch, roll in degrees, NaN where there is no face.

    Gives, for each angle, max_abs_*: the 95th percentile of the angle without its sign, and
    *_range: from the 5th to the 95th percentile; degrees, NaN where no frame has a face. So one
    wrong frame in twenty does not count.
    """
    angles = np.asarray(angles, float)
    known = angles[~np.isnan(angles).any(axis=1)]
    if len(known):
        low, high = np.quantile(known, (0.05, 0.95), axis=0)
        largest, ranges = np.quantile(np.abs(known), 0.95, axis=0), high - low
    else:
        largest = ranges = np.full(3, np.nan)
    return {
        f"max_abs_{name}": float(value) for name, value in zip(ANGLES, largest, strict=True)
    } | {f"{name}_range": float(value) for name, value in zip(ANGLES, ranges, strict=True)}
