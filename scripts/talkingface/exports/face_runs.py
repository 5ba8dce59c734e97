"""Stretches of a clip in which all frames have a face, or none has."""

from __future__ import annotations

import numpy as np

Run = tuple[int, int]


def face_runs(present: np.ndarray) -> list[Run]:
    """First frame and frame after the last of every stretch of frames with a face, in order.

    present: (N,) bool.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def longest_run(present: np.ndarray) -> int:
    """Frames in the longest stretch with a face, of (N,) bool; 0 without any."""
    return max((stop - start for start, stop in face_runs(present)), default=0)


def longest_gap(present: np.ndarray) -> int:
    """Frames in the longest stretch without a face, of (N,) bool; 0 without any."""
    return longest_run(~present)
