"""Which other faces are seen beside one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from talkingface.clips.voice import rows_between

# Another face counts as inside when its centre is in the square that `clips` cuts by default.
NEIGHBOURHOOD = 1.6


def is_alone(number: int, start: int, end: int, boxes: Mapping[int, np.recarray]) -> bool:
    """Whether no track but `number` has a frame in a stretch."""
    return not any(
        len(rows_between(track, start, end)) for other, track in boxes.items() if other != number
    )


def centre_inside(face: np.recarray, other: np.recarray) -> np.ndarray:
    """(N,) bool: for every row of `face`, whether the other face's centre is near it then."""
    inside = np.zeros(len(face), bool)
    _, at, at_other = np.intersect1d(face.frame, other.frame, True, return_indices=True)
    near, other = face[at], other[at_other]
    reach = np.maximum(near.w, near.h) * NEIGHBOURHOOD / 2
    across = abs((other.x + other.w / 2) - (near.x + near.w / 2)) < reach
    down = abs((other.y + other.h / 2) - (near.y + near.h / 2)) < reach
    inside[at] = across & down
    return inside
