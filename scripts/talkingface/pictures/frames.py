"""Single pictures of the clips' frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.pictures.numbered import write_numbered
from talkingface.tables import FRAMES


def make_frames(
    clips: Sequence[Clip],
    folder: str | Path,
    manifest: str | Path,
    *,
    format: str,
    quality: int,
    threads: int,
) -> None:
    """Write every frame of the clips: a folder of pictures for each, and the table FRAMES.

    format, quality, threads: see `write_frames`.
    """

    def make(clip: Clip, into: Path) -> None:
        pictures = into / clip.clip_id
        write_frames(clip.frames(), pictures, format=format, quality=quality, threads=threads)

    make_for_clips(make, clips, folder, manifest, FRAMES)


def write_frames(
    frames: Iterable[np.ndarray],
    folder: str | Path,
    *,
    format: str,
    quality: int,
    threads: int = 1,
) -> int:
    """Write (H, W, 3) uint8 BGR frames as `000001.png`, `000002.png` ... and give their number.

    format: png (lossless) or jpg. quality: 1 to 100, of jpg. threads: see write_numbered.
    Raises ValueError for another format, OSError when a picture cannot be written.
    """
    options = {"png": [], "jpg": [cv2.IMWRITE_JPEG_QUALITY, quality]}
    if format not in options:
        raise ValueError(f"unknown format {format!r}: choose png or jpg")
    return write_numbered(
        frames, folder, suffix=f".{format}", options=options[format], threads=threads
    )
