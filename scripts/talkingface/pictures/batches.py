"""Backends that look at a clip's frames in batches, together with the landmarks of each frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from talkingface.faces.landmark_files import Landmarks

BATCH = 8  # frames given to a backend at a time


def run_in_batches(
    run: Callable[[Sequence[np.ndarray], np.ndarray, np.ndarray], np.ndarray],
    frames: Iterable[np.ndarray],
    landmarks: Landmarks,
) -> Iterator[np.ndarray]:
    """Yield what a backend makes of a clip's frames, one result a frame, in order.

    run: is given B frames (H, W, 3) uint8 BGR, their meshes (B, 478, 3) and whether a face is
    present (B,), where B is at most BATCH, and returns B results. frames: one batch of them is held
    at a time. Raises ValueError when there are not as many frames as landmarks.
    """
    expected = len(landmarks.present)
    remaining = iter(frames)
    done = 0
    while batch := list(islice(remaining, BATCH)):
        part = slice(done, done + len(batch))
        if part.stop > expected:
            raise ValueError(f"more frames than landmarks, which are of {expected}")
        yield from run(batch, landmarks.points[part], landmarks.present[part])
        done = part.stop
    if done < expected:
        raise ValueError(f"{done} frames, but landmarks of {expected}")
