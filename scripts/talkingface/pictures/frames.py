"""Single pictures of a clip's frames."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from talkingface.media.picture import write_picture


def write_frames(
    frames: Iterable[np.ndarray], folder: str | Path, *, format: str = "png", quality: int = 95
) -> int:
    """Write (H, W, 3) uint8 BGR frames as `000001.png`, `000002.png` ... and give their number.

    `format` is png (lossless) or jpg; `quality`, 1 to 100, is jpg's.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # Opencv's own choice for png, run lengths, is the fastest; a level of 1 takes nearly twice as
    # long for a quarter less.
    options = {"png": [], "jpg": [cv2.IMWRITE_JPEG_QUALITY, quality]}
    if format not in options:
        raise ValueError(f"unknown format {format!r}: choose png or jpg")
    count = 0
    for count, image in enumerate(frames, start=1):
        write_picture(image, folder / f"{count:06d}.{format}", options[format])
    return count
