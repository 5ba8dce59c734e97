"""The strip below the pictures: sound and measures over time, with a cursor at the frame shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from talkingface.grid import FPS, SAMPLES_PER_FRAME
from talkingface.overlay.text import Align, Colour, draw_text, text_height

BACK: Colour = (26, 24, 22)
LANE: Colour = (40, 37, 34)
GRID: Colour = (62, 58, 54)
GUIDE: Colour = (135, 130, 125)
WAVE: Colour = (112, 90, 70)
SPAN: Colour = (96, 90, 84)
DIM: Colour = (165, 160, 155)
CURSOR: Colour = (255, 255, 255)

LABELS = 132  # pixels left of the curves, for names and numbers
PAGE = 500  # frames shown at once, at most
GAP = 4  # between lanes
AXIS = 20  # height of the seconds below
SIZE = 13  # of the text

_MARGIN = 5  # between a lane's edge and its curves
_TICK = 70  # least distance of two ticks in pixels
_SHIFT = 4  # cv2 draws at sixteenths of a pixel

# Gives samples `start` to `stop` (exclusive) of the clip, as far as there are any, (n,) int16.
SoundReader = Callable[[int, int], np.ndarray]


@dataclass(frozen=True)
class Curve:
    """A measure of every frame, (N,) float with NaN where there is none.

    `form` writes its value at the cursor, as by str.format. One without a name gets no text, one
    that is not `drawn` is text only.
    """

    name: str
    values: np.ndarray
    colour: Colour
    form: str = "{:.2f}"
    drawn: bool = True


@dataclass(frozen=True)
class Lane:
    """Curves over each other between `low` and `high`.

    `spans` (N,) bool are shaded, `guides` are values marked by a dotted line, `sound` draws the
    waveform behind the curves, relative to the sample `peak`.
    """

    curves: Sequence[Curve]
    low: float
    high: float
    spans: np.ndarray | None = None
    guides: Sequence[float] = ()
    sound: SoundReader | None = None
    peak: int = 32768

    @property
    def height(self) -> int:
        """Pixels: for as many lines of text as there are names, and at least three."""
        named = sum(bool(curve.name) for curve in self.curves)
        return max(3, named) * text_height(SIZE) + 2 * _MARGIN


class Timeline:
    """Draws lanes for a clip of `count` frames in `width` pixels; long clips page by page."""

    def __init__(self, lanes: Sequence[Lane], count: int, width: int) -> None:
        self.lanes, self.count, self.width = lanes, count, width
        self.height = sum(lane.height + GAP for lane in lanes) + AXIS
        pages = -(-count // PAGE)
        self._length = -(-count // pages)  # frames of a page
        self._page, self._picture = -1, np.empty(0)

    def draw(self, image: np.ndarray, k: int) -> None:
        """Fill an (height, width, 3) uint8 picture with frame k's strip."""
        if k // self._length != self._page:
            self._page = k // self._length
            self._picture = self._drawn_page()
        image[:] = self._picture
        x = self._x(k)
        top = 0
        for lane in self.lanes:
            image[top : top + lane.height, int(x)] = CURSOR
            row = 0
            for curve in lane.curves:
                value = curve.values[k]
                if curve.drawn and np.isfinite(value):
                    centre = round((x - 0.5) * 16), round((self._y(lane, top, value) - 0.5) * 16)
                    cv2.circle(image, centre, 3 * 16, curve.colour, -1, cv2.LINE_AA, _SHIFT)
                if curve.name:
                    text = curve.form.format(value) if np.isfinite(value) else "-"
                    self._write(image, lane, top, row, text, LABELS - 12, curve.colour, "right")
                    row += 1
            top += lane.height + GAP

    def _drawn_page(self) -> np.ndarray:
        """All that stays while the cursor moves over a page."""
        image = np.full((self.height, self.width, 3), BACK, np.uint8)
        start = self._page * self._length
        stop = min(start + self._length, self.count)
        ticks = self._ticks(start)
        top = 0
        for lane in self.lanes:
            area = image[top : top + lane.height, LABELS:]
            area[:] = LANE
            for _, x in ticks:
                area[:, x - LABELS] = GRID
            if lane.spans is not None:
                self._shade(area, lane.spans[start:stop])
            if lane.sound is not None:
                self._wave(area, lane, start, stop)
            for value in lane.guides:
                area[round(self._y(lane, 0, value) - 0.5), ::5] = GUIDE
            row = 0
            for curve in lane.curves:
                if curve.drawn:
                    self._curve(image, lane, curve, top, start, stop)
                if curve.name:
                    self._write(image, lane, top, row, curve.name, 8, curve.colour, "left")
                    row += 1
            top += lane.height + GAP
        for seconds, x in ticks:
            draw_text(
                image, f"{seconds} s", x, top + AXIS // 2 - 2, size=12, colour=DIM, align="middle"
            )
        return image

    def _x(self, frame: float) -> float:
        """Where the middle of a frame of this page stands."""
        share = (frame - self._page * self._length + 0.5) / self._length
        return LABELS + share * (self.width - LABELS)

    def _y(self, lane: Lane, top: int, value: float) -> float:
        share = np.clip((value - lane.low) / max(lane.high - lane.low, 1e-9), 0, 1)
        return float(top + lane.height - _MARGIN - share * (lane.height - 2 * _MARGIN))

    def _ticks(self, start: int) -> list[tuple[int, int]]:
        """Seconds and their columns on this page."""
        wide = (self.width - LABELS) / self._length * FPS
        step = next(s for s in (1, 2, 5, 10, 20, 60) if s * wide >= _TICK or s == 60)
        seconds = range(-(-start // FPS), (start + self._length) // FPS + 1)
        places = [(s, int(self._x(s * FPS - 0.5))) for s in seconds if s % step == 0]
        return [(s, x) for s, x in places if x < self.width - 8]

    def _shade(self, area: np.ndarray, spans: np.ndarray) -> None:
        for k in np.flatnonzero(spans):
            left, right = (round(self._x(self._page * self._length + k + d)) for d in (-0.5, 0.5))
            area[:, left - LABELS : right - LABELS] = SPAN

    def _wave(self, area: np.ndarray, lane: Lane, start: int, stop: int) -> None:
        assert lane.sound is not None
        samples = lane.sound(start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME).astype(int)
        columns = round(area.shape[1] * (stop - start) / self._length)
        if len(samples) < columns:
            return
        edges = np.linspace(0, len(samples), columns + 1).astype(int)[:-1]
        middle, reach = lane.height / 2, (lane.height / 2 - 2) / max(lane.peak, 1)
        high = np.maximum.reduceat(samples, edges) * reach
        low = np.minimum.reduceat(samples, edges) * reach
        rows = np.arange(lane.height)[:, None] + 0.5
        area[:, :columns][(rows >= middle - high - 0.5) & (rows <= middle - low + 0.5)] = WAVE

    def _curve(
        self, image: np.ndarray, lane: Lane, curve: Curve, top: int, start: int, stop: int
    ) -> None:
        values = curve.values[start:stop]
        seen = np.flatnonzero(np.isfinite(values))
        for part in np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1):
            points = [(self._x(start + k), self._y(lane, top, values[k])) for k in part]
            whole = np.round((np.array(points).reshape(-1, 2) - 0.5) * 2**_SHIFT).astype(np.int32)
            cv2.polylines(image, [whole], False, curve.colour, 1, cv2.LINE_AA, _SHIFT)

    def _write(
        self,
        image: np.ndarray,
        lane: Lane,
        top: int,
        row: int,
        text: str,
        x: int,
        colour: Colour,
        align: Align,
    ) -> None:
        y = top + _MARGIN + round((row + 0.5) * text_height(SIZE))
        draw_text(image, text, x, y, size=SIZE, colour=colour, align=align)
