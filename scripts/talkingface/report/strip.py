"""Strips: small square pictures of a stretch side by side, at even distances over it.

A picture shows the face: all of a square clip, of a wide one or of a video the square around the
face that is as much larger as a clip cut out of it would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from talkingface.media.picture import write_picture

# Of a strip: so many pictures side by side, squares with a side of so many pixels.
PICTURES, SIDE = 10, 128
# Side of the square over the longer side of the face, as `clips` cuts by default.
SCALE = 1.6
# A strip has at most so many bytes; where it has more, it is written with the next quality of jpg.
MOST_BYTES = 45_000
_QUALITIES = (75, 60, 45, 30)


def strip_frames(n_frames: int) -> list[int]:
    """The frames of a stretch of `n_frames` that its strip shows, from 0 and rising: the middles
    of as many equal parts. In a stretch with fewer frames than pictures some come again."""
    return [(2 * i + 1) * n_frames // (2 * PICTURES) for i in range(PICTURES)]


def face_square(face: np.ndarray, longer: float, size: tuple[int, int]) -> tuple[int, int, int]:
    """Left, top and side of the square around a face, whole pixels inside a picture of this width
    and height.

    face: x, y, width, height in the picture's pixels. longer: the longer side of the face, by
    which the square is as large in all pictures of a strip.
    """
    side = max(2, min(round(longer * SCALE), *size))
    corner = np.round(face[:2] + face[2:] / 2 - side / 2)
    left, top = np.clip(corner, 0, [size[0] - side, size[1] - side]).astype(int)
    return int(left), int(top), side


def square_picture(image: np.ndarray, square: tuple[int, int, int]) -> np.ndarray:
    """What an (H, W, 3) picture shows in a square (left, top, side), at SIDE pixels."""
    left, top, side = square
    part = image[top : top + side, left : left + side]
    filtering = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
    return cv2.resize(part, (SIDE, SIDE), interpolation=filtering)


def write_strip(pictures: Sequence[np.ndarray], path: str | Path) -> None:
    """Write square pictures (SIDE, SIDE, 3) uint8 BGR side by side, as jpg."""
    strip = np.concatenate(pictures, axis=1)
    for quality in _QUALITIES:
        write_picture(strip, path, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if Path(path).stat().st_size <= MOST_BYTES:
            return
