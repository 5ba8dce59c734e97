"""Interlaced pictures, whose odd and even lines were taken at different times.

What moves has combs in them. A file's own word is not relied on: broadcasts flag everything as
interlaced, and what was converted carelessly is flagged as progressive with the combs in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, groupby

import av
import cv2
import numpy as np

# Every so many frames one is compared with the one before it, and later on, when many were.
EVERY, EVERY_LATER, MANY = 25, 100, 1000
# No interlaced standard has more lines than this, 1080 and what codecs pad them to.
MOST_LINES = 1152
# Of a wider picture than standard television's so many strips of a sixteenth are looked at, others
# each time.
NARROW = 720
STRIPS, PARTS = 4, 16
# In 8-bit luma: what a pixel changes by to have moved, and what makes a comb or a detail of it.
MOVED, COMB = 10, 8
# A picture that moves is combed when this many pixels are, and this share of those that show fine
# vertical detail. In real footage of heads it is under 0.02 without combs and over 0.3 with them.
LEAST_PIXELS, COMBED_SHARE = 30, 0.1
# Fine stripes look like combs. But of two ways to weave two frames, which are as bad where each is
# of one time, one brings fields together that follow each other: it has this share of the combs of
# the other one at most.
WOVEN_SHARE = 0.85
# A file is interlaced when this share of its moving pictures, and so many, are combed (one where it
# says so itself); of these many nothing more needs to be seen.
INTERLACED_SHARE, LEAST_SAMPLES, ENOUGH_SAMPLES = 0.2, 2, 5
# Time between two frames inside the filter, where they are only numbered.
_TICK = Fraction(1, 25)


class Interlaced(Exception):
    """Pictures are interlaced; `top_first`: the field of the upper lines is the earlier one."""

    def __init__(self, top_first: bool) -> None:
        super().__init__("interlaced, the upper field first" if top_first else "the lower first")
        self.top_first = top_first


class CombMeter:
    """Looks for combs in the frames of a file, given in their order."""

    def __init__(self) -> None:
        self._frames = 0
        self._before: np.ndarray | None = None
        self._flagged = False
        self._combed = self._clean = 0
        # Combed pixels where the lower field of a frame is woven with the upper one of the next,
        # and the other way round.
        self._woven = [0, 0]

    def look(self, luma: np.ndarray, flagged: bool) -> None:
        """Take in the luma (H, W) uint8 of the next frame, and whether it is flagged as interlaced.

        Raises Interlaced as soon as there is no doubt.
        """
        self._flagged |= flagged
        due = self._frames % (EVERY if self._frames < MANY else EVERY_LATER)
        if due <= 1 and 16 <= luma.shape[0] <= MOST_LINES:
            part = _strips(luma, self._frames // EVERY)
            if due == 1 and self._before is not None and self._before.shape == part.shape:
                self._compare(self._before, part)
            self._before = part if due == 0 else None
        self._frames += 1
        if self._combed >= ENOUGH_SAMPLES and self._combed > self._clean:
            self.end()

    def end(self) -> None:
        """Raise Interlaced where what was seen is."""
        least = 1 if self._flagged else LEAST_SAMPLES
        share = INTERLACED_SHARE * (self._combed + self._clean)
        if self._combed >= max(least, share):
            raise Interlaced(top_first=self._woven[0] <= self._woven[1])

    def _compare(self, before: np.ndarray, now: np.ndarray) -> None:
        moved = _above(cv2.absdiff(before, now), MOVED)
        left, top, width, height = cv2.boundingRect(moved)
        if height < 8:
            return
        # Whole pairs of lines, so that fields stay what they are, with those around them.
        rows = slice(max(0, top // 2 * 2 - 2), top + height + 2)
        columns = slice(left, left + width)
        before, now = before[rows, columns], now[rows, columns]
        moved = moved[rows, columns][2:-2]
        combs, details = _combs(now, moved)
        if combs >= max(LEAST_PIXELS, COMBED_SHARE * details):
            woven = []
            for upper, lower in ((now, before), (before, now)):
                frame = upper.copy()
                frame[1::2] = lower[1::2]
                woven.append(_combs(frame, moved)[0])
            if min(woven) < WOVEN_SHARE * max(woven):
                self._combed += 1
                self._woven = [total + more for total, more in zip(self._woven, woven, strict=True)]
                return
        self._clean += details >= LEAST_PIXELS


def _strips(luma: np.ndarray, number: int) -> np.ndarray:
    """A copy of what is looked at of a picture: all of a narrow one."""
    width = luma.shape[1]
    if width <= NARROW:
        return luma.copy()
    side, step = width // PARTS, PARTS // STRIPS
    starts = [(first + number) % PARTS * side for first in range(0, PARTS, step)]
    return np.concatenate([luma[:, start : start + side] for start in starts], axis=1)


def _combs(luma: np.ndarray, moved: np.ndarray) -> tuple[int, int]:
    """Of the pixels that moved: how many differ more from the next lines, which belong to the other
    field, than from those after, which belong to their own; and the other way round."""
    line = luma[2:-2]
    near = cv2.absdiff(line, cv2.addWeighted(luma[1:-3], 0.5, luma[3:-1], 0.5, 0))
    far = cv2.absdiff(line, cv2.addWeighted(luma[:-4], 0.5, luma[4:], 0.5, 0))
    counts = []
    for more, less in ((near, far), (far, near)):
        over = _above(cv2.subtract(more, less), COMB)
        counts.append(cv2.countNonZero(cv2.bitwise_and(over, moved)))
    return counts[0], counts[1]


def _above(values: np.ndarray, threshold: int) -> np.ndarray:
    """255 where uint8 values are above a threshold, 0 elsewhere."""
    return cv2.threshold(values, threshold, 255, cv2.THRESH_BINARY)[1]


def deinterlaced(
    frames: Iterable[av.VideoFrame], top_first: bool, threads: int = 0
) -> Iterator[av.VideoFrame]:
    """The frames without combs, by libavfilter's bwdif: each as it was at the time of its earlier
    field, with the timestamps it had. One more frame is read ahead."""
    for _, alike in groupby(frames, lambda frame: (frame.width, frame.height, frame.format.name)):
        first = next(alike)
        graph = _graph(first, top_first, threads)
        times: dict[int, tuple[int | None, int | None, int, Fraction]] = {}
        for number, frame in enumerate(chain([first], alike)):
            times[number] = frame.pts, frame.dts, frame.duration, frame.time_base
            frame.pts, frame.time_base = number, _TICK
            graph.vpush(frame)
            yield from _finished(graph, times)
        graph.vpush(None)
        yield from _finished(graph, times)


def _graph(frame: av.VideoFrame, top_first: bool, threads: int) -> av.filter.Graph:
    """The filter for frames like this one."""
    graph = av.filter.Graph()
    graph.threads = threads
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=_TICK
    )
    parity = "tff" if top_first else "bff"
    bwdif = graph.add("bwdif", f"mode=send_frame:parity={parity}:deint=all")
    sink = graph.add("buffersink")
    graph.link_nodes(source, bwdif, sink).configure()
    return graph


def _finished(
    graph: av.filter.Graph, times: dict[int, tuple[int | None, int | None, int, Fraction]]
) -> Iterator[av.VideoFrame]:
    """What the filter has ready; `times` are those of the frames it was given, by their number."""
    while True:
        try:
            frame = graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        number = round(frame.pts * frame.time_base / _TICK)
        frame.pts, frame.dts, frame.duration, frame.time_base = times.pop(number)
        yield frame
