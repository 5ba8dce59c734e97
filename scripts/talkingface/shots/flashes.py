"""Camera flashes: a few very bright frames, then the same picture again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

LONGEST = 4  # frames of a flash
BRIGHTER = 8.0  # than the frame before, levels of 0 to 255, mean
# The picture after is the one before if it differs by this share of what the flash did, at most.
SAME = 0.4


class Shown(NamedTuple):
    """A frame (H, W, 3) uint8 BGR, and the small picture of it that is compared."""

    image: np.ndarray
    picture: np.ndarray


def without_flashes(frames: Iterable[Shown]) -> Iterator[Shown]:
    """The frames, with the one before a flash in place of each frame of the flash."""
    before: Shown | None = None
    waiting: list[Shown] = []
    for frame in frames:
        waiting.append(frame)
        while waiting:
            flash = _flash_length(before, waiting)
            if flash is None:
                break
            if before is not None:
                yield from [before] * flash
            del waiting[:flash]
            if not flash:
                before = waiting.pop(0)
                yield before
    yield from waiting


def _flash_length(before: Shown | None, frames: list[Shown]) -> int | None:
    """Of how many of the first frames a flash consists; None where the next frames must tell."""
    if before is None:
        return 0
    old = before.picture.astype(np.int16)
    change = frames[0].picture - old
    if change.mean() < BRIGHTER:
        return 0
    most = SAME * float(np.abs(change).mean())
    for length, frame in enumerate(frames[1:], 1):
        if float(np.abs(frame.picture - old).mean()) <= most:
            return length
    return None if len(frames) <= LONGEST else 0
