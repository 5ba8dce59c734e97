"""Shots of talking faces, and videos made of them, of which everything is known.

Times are seconds, 0 the first frame; frames are the 25 fps grid's, end exclusive; boxes are
x, y, w, h in pixels; a positive offset means early sound. Images are np.uint8 BGR.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.portrait import Image
from talkingface.grid import FPS, TOLERANCE, grid_index

Array = npt.NDArray[np.float64]

# Photographs in the scikit-image wheel (public domain or CC0), and a colour cast for the grey ones.
# Deep-field galaxies, the cat and the sharp gravel are left out: detectors see faces in them.
_PLACES = {
    "coffee": (data.coffee, None),
    "rocket": (data.rocket, None),
    "wall": (data.brick, (1.15, 1.05, 0.85)),
    "gravel": (data.gravel, (0.75, 0.9, 1.2)),
    "moon": (data.moon, (1.0, 1.0, 1.0)),
    "lawn": (data.grass, (0.45, 1.0, 0.55)),
}


@dataclass(frozen=True)
class Shot:
    """One shot: frames at the video's rate, faces, sound (n,) float within +-1 or None.

    blur: of the background in pixels; pan: its drift in pixels a frame; speaking: index into
    `faces`; offset: grid frames by which the sound is early.
    """

    frames: int
    place: str
    faces: tuple[Face, ...] = ()
    sound: Array | None = None
    blur: float = 12.0
    pan: int = 0
    speaking: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Video:
    """One demo video; `file` is its name, `split` what videos.csv says of it."""

    video_id: str
    file: str
    identity: str
    rate: Fraction
    size: tuple[int, int]
    shots: tuple[Shot, ...]
    audio_rate: int = 48000
    gains: tuple[float, ...] = (1.0,)  # one per channel
    split: str = ""

    def frames(self) -> Iterator[Image]:
        """Every frame, (H, W, 3) BGR."""
        for shot in self.shots:
            times = np.arange(shot.frames) / float(self.rate)
            if shot.pan:
                yield from _pan(shot, self.size)
            else:
                place = _place(shot.place, self.size, shot.blur)
                yield from portrait_frames(shot.faces, times, self.size, place)

    def sound(self) -> Array | None:
        """The sound as (channels, n) float within +-1, or None."""
        parts, start = [], 0
        for shot in self.shots:
            if shot.sound is None:
                return None
            parts.append(shot.sound)
            start += shot.frames
        mono = np.concatenate(parts)
        length = round(start / self.rate * self.audio_rate)
        mono = np.pad(mono, (0, max(0, length - len(mono))))[:length]
        return np.array(self.gains)[:, None] * mono

    def truth(self) -> dict[str, Any]:
        """What is known of the video, as plain values for json."""
        first, shots = 0, []
        for shot in self.shots:
            shots.append(self._shot_truth(shot, first))
            first += shot.frames
        sound = self.shots[0].sound is not None
        return {
            "file": self.file,
            "identity": self.identity,
            "fps": float(self.rate),
            "fps_fraction": [self.rate.numerator, self.rate.denominator],
            "width": self.size[0],
            "height": self.size[1],
            "frames": first,
            "duration": float(first / self.rate),
            "audio": {"rate": self.audio_rate, "channels": len(self.gains)} if sound else None,
            "shots": shots,
        }

    def _shot_truth(self, shot: Shot, first: int) -> dict[str, Any]:
        start, end = first / self.rate, (first + shot.frames) / self.rate
        # Grid frame k belongs to the shot when the frame on screen at k / 25 s does.
        grid = range(grid_index(start), grid_index(end))
        on_screen = [math.floor((Fraction(k, FPS) + TOLERANCE) * self.rate) - first for k in grid]
        times = [float(index / self.rate) for index in on_screen]
        faces = []
        for index, face in enumerate(shot.faces):
            boxes = np.array([face.box(time) for time in times])
            faces.append({
                "identity": face.look,
                "speaking": index == shot.speaking,
                "box": np.median(boxes, axis=0).round(1).tolist(),
                "boxes": boxes.round(1).tolist(),
                "opening": [round(face.opening_at(time), 3) for time in times],
            })  # fmt: skip
        return {
            "start": float(start),
            "end": float(end),
            "start_frame": grid.start,
            "end_frame": grid.stop,
            "offset": shot.offset if shot.speaking is not None else None,
            "faces": faces,
        }


def _place(name: str, size: tuple[int, int], blur: float) -> Image:
    """A photograph filling (width, height) = `size`, cropped at the middle, blurred."""
    read, cast = _PLACES[name]
    picture = np.asarray(read())
    if cast is not None:
        grey = cv2.GaussianBlur(picture, (0, 0), 1.0)[:, :, None]
        bgr = np.clip(grey * np.array(cast), 0, 255).astype(np.uint8)
    else:
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
    width, height = size
    scale = max(width / bgr.shape[1], height / bgr.shape[0])
    wide = (max(width, round(bgr.shape[1] * scale)), max(height, round(bgr.shape[0] * scale)))
    bgr = cv2.resize(bgr, wide, interpolation=cv2.INTER_CUBIC)
    x, y = (wide[0] - width) // 2, (wide[1] - height) // 2
    bgr = bgr[y : y + height, x : x + width]
    return np.ascontiguousarray(cv2.GaussianBlur(bgr, (0, 0), blur) if blur else bgr)


def _pan(shot: Shot, size: tuple[int, int]) -> Iterator[Image]:
    """A shot without faces: the camera drifts over the photograph."""
    width, height = size
    reach = shot.pan * shot.frames
    wide = _place(shot.place, (width + reach, height), shot.blur)
    for index in range(shot.frames):
        yield np.ascontiguousarray(wide[:, index * shot.pan : index * shot.pan + width])
