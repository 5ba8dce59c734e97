"""Gradual transitions: dissolves, fades, wipes, slides, and what else replaces a picture slowly.

Frame by frame a dissolve is no more than a movement. So pictures are compared over LENGTHS of up to
1.6 s. From frame `a` to frame `b` there is a transition where

- the pictures differ, even if parts moved a little or the light has changed (DIFFERENCE), and
- before `a` and after `b`, for as long as that can be told, next to nothing changes (STEADY): a
  camera that moves does so before and after as well; and
- what is between is made of the two, cell by cell somewhere between the one's colour and the
  other's (MIXED), as in dissolves and wipes, or else the change is whole and from stillness to
  stillness (WHOLE, STILL), as in slides; and
- it is not the same picture shifted or zoomed (MOVED), as after a quick pan or zoom.

`benchmarks/transitions.py` measures what is found. The numbers were chosen on one half of public
footage of talkers, streets and workshops, with transitions between them made by arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

CELLS = 16  # on the longer side of the pictures compared
SIDE = 2 * CELLS  # on that of the pictures kept, which are searched for a moved camera
LENGTHS = (4, 6, 9, 14, 20, 28, 40)  # frames
# How much of what is before and after must be steady: half the length, within these, in frames.
LEAST_STEADY, MOST_STEADY = 4, 10
DIFFERENCE = 12.0  # levels of 0 to 255, as are the others
STEADY = 0.25  # of the difference
MIXED = 0.2  # of the difference
WHOLE, STILL = 20.0, 0.15
PLAIN = 40  # range of the colours of a plain picture
# Of 100 real ones 98 differ by 17 and more, cameras that moved by 12 at most.
MOVED = 15.0
PART = 0.5
ZOOMS = (0.67, 0.73, 0.8, 0.89, 1.0, 1.12, 1.25, 1.37, 1.5)
GAIN = 2.0  # the light may change by, at most
SUDDEN = 0.7  # of all steps from frame to frame: one that is a cut
# A frame with so little of the other picture is outside, as a share of the difference.
OUTSIDE = 0.1

Pictures = np.ndarray
"""(n, h, w, 3) uint8."""

Transition = tuple[int, int]
"""First frame of a transition and the frame after its last; equal where it has no frames."""


def small_picture(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) uint8 as it is compared: both sides even, the longer one SIDE."""
    height, width = image.shape[:2]
    scale = CELLS / max(height, width)
    size = 2 * max(1, round(width * scale)), 2 * max(1, round(height * scale))
    # Halves are averaged much faster than other parts.
    while height >= 4 * size[1] and width >= 4 * size[0]:
        height, width = height // 2, width // 2
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


class TransitionFinder:
    """Transitions of a video whose pictures come one after the other; memory does not grow."""

    BLOCK = 1000
    # What is found needs that many frames of the block before or after.
    MARGIN = LENGTHS[-1] + MOST_STEADY

    def __init__(self) -> None:
        self._pictures: list[np.ndarray] = []
        self._first = 0  # frame of the first picture kept
        self._done = 0  # transitions that begin before this frame were found
        self._found: list[Transition] = []

    def add(self, picture: np.ndarray) -> None:
        """The next frame, by `small_picture`."""
        self._pictures.append(picture)
        if len(self._pictures) == self.BLOCK:
            self._search(self._first + self.BLOCK - 2 * self.MARGIN)
            drop = self.BLOCK - 4 * self.MARGIN
            self._pictures = self._pictures[drop:]
            self._first += drop

    def finish(self) -> list[Transition]:
        """All transitions, in order, not overlapping."""
        self._search(self._first + len(self._pictures))
        return self._found

    def _search(self, end: int) -> None:
        """Add transitions that begin from `_done` to `end`, exclusive."""
        for start, stop in find_transitions(np.array(self._pictures)):
            if self._done <= start + self._first < end:
                self._found.append((start + self._first, stop + self._first))
        self._done = end


def find_transitions(pictures: np.ndarray) -> list[Transition]:
    """Transitions in the pictures (n, h, w, 3) uint8 of consecutive frames, by `small_picture`."""
    if len(pictures) < LENGTHS[0] + 2 * LEAST_STEADY + 1:
        return []
    half = pictures.shape[2] // 2, pictures.shape[1] // 2
    cells = np.array([cv2.resize(p, half, interpolation=cv2.INTER_AREA) for p in pictures])
    found = np.concatenate([_changes(cells, length) for length in LENGTHS])
    transitions = [
        _trimmed(cells, int(a), int(b))
        for a, b in _strongest(found)
        if not _has_moved(pictures[int(a)], pictures[int(b)])
    ]
    return sorted(transitions)


def _changes(cells: Pictures, length: int) -> np.ndarray:
    """Changes over so many frames, as rows (k, 3) of the frames `a` and `b` and the difference."""
    steady = min(max(length // 2, LEAST_STEADY), MOST_STEADY)
    end = max(steady, len(cells) - length - steady)
    # First what is cheap: no pair is less different by cells alone.
    apart = _mean(_distance(cells[steady:end], cells[steady + length : end + length]))
    a = steady + np.flatnonzero(apart >= DIFFERENCE)
    whole = differences(cells[a], cells[a + length])
    a, whole = a[whole >= DIFFERENCE], whole[whole >= DIFFERENCE]
    b = a + length
    before = differences(cells[a - steady], cells[a])
    after = differences(cells[b], cells[b + steady])
    # A fade ends and the next begins in a plain picture, which may be there for a frame.
    before[_is_plain(cells[a])] = 0
    after[_is_plain(cells[b])] = 0
    outside = np.maximum(before, after)
    kept = outside <= STEADY * whole
    a, b, whole, outside = a[kept], b[kept], whole[kept], outside[kept]
    ways = [(cells[a], cells[b], cells[a + round(length * q)]) for q in (0.25, 0.5, 0.75)]
    mixed = np.mean([_foreign(*way) for way in ways], axis=0) <= MIXED
    replaced = (outside <= STILL * whole) & (whole >= WHOLE)
    rest = np.flatnonzero(~mixed & ~replaced)
    pushed = np.zeros(len(a), bool)
    foreign = [_foreign_to_push(*(p[rest] for p in way)) for way in ways]
    pushed[rest] = np.mean(foreign, axis=0) <= MIXED
    return np.column_stack([a, b, whole])[mixed | replaced | pushed]


def _foreign_to_push(one: Pictures, other: Pictures, between: Pictures) -> np.ndarray:
    """(n,) how much differs where the other picture pushes the one out at a side, in `_foreign`'s
    measure."""
    least = np.full(len(one), np.inf)
    for axis in (1, 2):
        n = one.shape[axis]
        for first, second in ((one, other), (other, one)):
            both = np.concatenate([first, second], axis)
            for shift in range(1, n):
                pushed = np.take(both, range(shift, shift + n), axis)
                least = np.minimum(least, _mean(_distance(pushed, between)))
    return least / (_mean(_distance(one, other)) + 1e-3)


def differences(one: Pictures, other: Pictures) -> np.ndarray:
    """(n,) mean difference of pictures whose cells may lie one cell off, in the same light or not.

    The light is the same for one picture but for a factor of GAIN at most.
    """
    least = _nearest_cells(one, other)
    light = (_mean(one) + 4) / (_mean(other) + 4)
    light = np.clip(light, 1 / GAIN, GAIN).astype(np.float32)
    lit = np.flatnonzero(np.abs(light - 1) > 0.02)
    brighter = other[lit] * light[lit, None, None, None]
    same_light = _nearest_cells(one[lit], np.minimum(brighter, 255).astype(np.uint8))
    least[lit] = np.minimum(least[lit], same_light)
    return least


def _is_plain(pictures: Pictures) -> np.ndarray:
    """(n,) bool: black, white, or another even colour."""
    return pictures.max((1, 2)).astype(int).max(1) - pictures.min((1, 2)).min(1) < PLAIN


def _distance(one: Pictures, other: Pictures) -> Pictures:
    return np.maximum(one, other) - np.minimum(one, other)


def _mean(pictures: Pictures) -> np.ndarray:
    n, height, width, channels = pictures.shape
    values = height * width * channels
    return pictures.reshape(n, values).sum(1, dtype=np.uint32) / values


def _nearest_cells(one: Pictures, other: Pictures) -> np.ndarray:
    height, width = one.shape[1:3]
    padded = np.pad(other, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
    least = np.full_like(one, 255)
    for y in range(3):
        for x in range(3):
            moved = padded[:, y : y + height, x : x + width]
            np.minimum(least, _distance(one, moved), out=least)
    return _mean(least)


def _foreign(one: Pictures, other: Pictures, between: Pictures) -> np.ndarray:
    """(n,) how much of a picture is on no way from one to the other, over their difference."""
    one, other, between = (p.astype(np.float32) for p in (one, other, between))
    way = other - one
    share = np.einsum("nyxc,nyxc->nyx", between - one, way)
    share /= np.einsum("nyxc,nyxc->nyx", way, way) + 1e-3
    nearest = one + np.clip(share, 0, 1)[..., None] * way
    return np.abs(between - nearest).mean((1, 2, 3)) / (np.abs(way).mean((1, 2, 3)) + 1e-3)


def _strongest(changes: np.ndarray) -> Iterator[tuple[float, float]]:
    """Of changes that overlap the strongest; of those about as strong, the shortest."""
    rest = changes
    while len(rest):
        a, b, _ = rest[rest[:, 2].argmax()]
        overlap = (rest[:, 0] < b) & (rest[:, 1] > a)
        group = rest[overlap]
        group = group[group[:, 2] >= 0.95 * group[:, 2].max()]
        length = group[:, 1] - group[:, 0]
        group = group[length == length.min()]
        a, b, _ = group[group[:, 2].argmax()]
        yield a, b
        rest = rest[(rest[:, 0] >= b) | (rest[:, 1] <= a)]


def _has_moved(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a part of the picture before is somewhere in the one after, or the reverse, at one of
    ZOOMS."""
    # Without what is so small that it depends on the place of the pixels.
    before, after = cv2.blur(before, (3, 3)), cv2.blur(after, (3, 3))
    return min(_found_in(before, after), _found_in(after, before)) < MOVED


def _found_in(one: np.ndarray, other: np.ndarray) -> float:
    """Least mean difference of a part of one picture, at one of ZOOMS, and a part of another.

    Parts are PART of the width and 0.6 of the height, at the left, in the middle, at the right.
    """
    height, width = other.shape[:2]
    rows, columns = max(2, round(0.6 * height)), max(2, round(PART * width))
    least = np.inf
    for zoom in ZOOMS:
        size = max(columns, round(zoom * width)), max(rows, round(zoom * height))
        zoomed = cv2.resize(one, size, interpolation=cv2.INTER_LINEAR)
        top = (size[1] - rows) // 2
        for left in {0, (size[0] - columns) // 2, size[0] - columns}:
            piece = zoomed[top : top + rows, left : left + columns]
            squares = cv2.matchTemplate(other, piece, cv2.TM_SQDIFF)
            y, x = np.unravel_index(squares.argmin(), squares.shape)
            part = other[y : y + rows, x : x + columns].astype(np.float32)
            least = min(least, float(np.abs(part - piece).mean()))
    return least


def _trimmed(cells: Pictures, a: int, b: int) -> Transition:
    """The frames between `a` and `b` that show something of both, by what changes most, and a few
    on either side, where too little changes to tell."""
    way = cells[a : b + 1]
    steps = _mean(_distance(way[1:], way[:-1]))
    if steps.max() >= SUDDEN * steps.sum():
        cut = a + 1 + int(steps.argmax())
        return cut, cut
    to_first, to_last = (_largest(_distance(way, way[i : i + 1])) for i in (0, b - a))
    least = OUTSIDE * to_first[-1]
    start, end = 1, b - a
    while start < end and to_first[start] <= least:
        start += 1
    while end > start and to_last[end - 1] <= least:
        end -= 1
    more = max(1, (b - a) // 8) if end > start else 0
    return max(0, a + start - more), min(len(cells), a + end + more)


def _largest(pictures: Pictures) -> np.ndarray:
    """(n,) mean of the largest quarter of all values of a picture."""
    values = np.sort(pictures.reshape(len(pictures), -1), 1)
    return values[:, -max(1, values.shape[1] // 4) :].mean(1)
