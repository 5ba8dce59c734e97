"""Talking faces in a frame, with known place and mouth: the picture half of the demo videos.

Frame coordinates are pixels of the video, y down, the middle of the top-left pixel at 0, 0.
Images are np.uint8 BGR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from talkingface.demo.portrait import (
    BROWS,
    CENTRE,
    CHIN,
    FACE_HEIGHT,
    LEFT,
    LOOKS,
    MAX_GAP,
    REST_GAP,
    RIGHT,
    Image,
    Portrait,
)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Face:
    """One talking face in a shot. Times are seconds of the shot, 0 its first frame.

    opening: mouth opening 0-1 sampled at `opening_rate` Hz (linear in between), or one number.
    centre: frame pixels of the middle of the face box without motion, or (t, x, y) rows: a path.
    height: brows to chin in frame pixels, without motion.
    motion: size of the slow sway, tilt and breathing; 0 holds the head still.
    """

    look: str = "ann"
    opening: Array | float = 0.0
    opening_rate: float = 500.0
    centre: tuple[float, float] | Array = (640.0, 330.0)
    height: float = 220.0
    motion: float = 1.0
    blinks: bool = True
    seed: int = 0
    _terms: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng([self.seed, 7])
        # x, y, tilt, scale, each a sum of two slow sines: rate (Hz) and phase.
        terms = np.stack([rng.uniform(0.08, 0.38, (4, 2)), rng.uniform(0, 2 * np.pi, (4, 2))])
        object.__setattr__(self, "_terms", terms)

    def opening_at(self, time: float) -> float:
        """Mouth opening (0-1) at `time`."""
        if isinstance(self.opening, int | float):
            return float(self.opening)
        at = time * self.opening_rate
        return float(np.interp(at, np.arange(len(self.opening)), self.opening))

    def blink_at(self, time: float) -> float:
        """Closing of the eyes (0-1) at `time`: one blink of 0.24 s about every three seconds."""
        if not self.blinks:
            return 0.0
        period = 2.6 + 0.9 * ((self.seed * 0.618) % 1)
        phase = (time + (self.seed * 1.37) % period) % period
        return max(0.0, 1.0 - abs(phase - 1.2) / 0.12)

    def transform(self, time: float) -> Array:
        """Portrait to frame coordinates at `time`: (2, 3)."""
        look = LOOKS[self.look]
        rate, phase = self._terms
        sway = np.sin(2 * np.pi * rate * time + phase).mean(axis=1) * self.motion
        path = np.array([(0.0, *self.centre)] if isinstance(self.centre, tuple) else self.centre)
        x = np.interp(time, path[:, 0], path[:, 1])
        y = np.interp(time, path[:, 0], path[:, 2])
        x, y = x + 0.14 * self.height * sway[0], y + 0.06 * self.height * sway[1]
        tilt = np.deg2rad(5.0 * sway[2])
        scale = self.height / FACE_HEIGHT * (1 + 0.04 * sway[3])
        across = scale * look.stretch * (-1 if look.mirrored else 1)
        turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
        linear = turn @ np.diag([across, scale])
        return np.column_stack([linear, np.array([x, y]) - linear @ np.array(CENTRE)])

    def box(self, time: float) -> tuple[float, float, float, float]:
        """x, y, w, h in frame pixels of the face, ears and brows to chin, at `time`."""
        drop = self.opening_at(time) * MAX_GAP - REST_GAP
        marks = np.array([LEFT, RIGHT, *BROWS, (CHIN[0], CHIN[1] + drop)])
        moved = marks @ self.transform(time)[:, :2].T + self.transform(time)[:, 2]
        (x, y), (right, bottom) = moved.min(axis=0), moved.max(axis=0)
        return float(x), float(y), float(right - x), float(bottom - y)

    def zoom(self) -> int:
        """Enlargement of the portrait that this height needs."""
        return int(np.clip(np.ceil(self.height / FACE_HEIGHT), 1, 4))


def draw(frame: Image, portrait: Portrait, face: Face, time: float) -> None:
    """Draw `face` as it stands at `time` into `frame` (H, W, 3), in place."""
    sprite = portrait.sprite(face.opening_at(time), face.blink_at(time))
    matrix = face.transform(time)
    # The sprite's pixel (u, v) shows portrait ((u + 0.5) / zoom - 0.5, ...).
    linear = matrix[:, :2] / portrait.zoom
    shift = matrix[:, 2] + matrix[:, :2] @ np.full(2, 0.5 / portrait.zoom - 0.5)
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * sprite.shape[0] @ linear.T + shift
    x0, y0 = (max(int(np.floor(v)), 0) for v in corners.min(axis=0))
    x1 = min(int(np.ceil(corners[:, 0].max())), frame.shape[1])
    # The picture ends at the chest: the rows below it repeat its last one.
    y1 = frame.shape[0]
    if x1 <= x0 or y1 <= y0:
        return
    matrix = np.column_stack([linear, shift - (x0, y0)])
    warped = cv2.warpAffine(
        sprite, matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    part = frame[y0:y1, x0:x1]
    clear = cv2.cvtColor(cv2.bitwise_not(cv2.extractChannel(warped, 3)), cv2.COLOR_GRAY2BGR)
    cv2.multiply(part, clear, dst=clear, scale=1 / 255)
    part[:] = cv2.add(clear, cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR))


def portrait_frames(
    faces: Sequence[Face],
    times: Sequence[float] | Array,
    size: tuple[int, int] = (1280, 720),
    background: Image | None = None,
) -> Iterator[Image]:
    """Frames (height, width, 3) of `faces` at `times` (seconds) over a still background.

    `size` is width, height; without a `background` of that size the faces stand before grey-blue.
    The truth is in the faces: `face.opening_at(t)` and `face.box(t)`.
    """
    if background is None:
        background = np.full((size[1], size[0], 3), (128, 112, 96), np.uint8)
    portraits = [Portrait(face.look, face.zoom()) for face in faces]
    for time in times:
        frame = background.copy()
        for face, portrait in zip(faces, portraits, strict=True):
            draw(frame, portrait, face, float(time))
        yield frame
