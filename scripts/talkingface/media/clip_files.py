"""Finished clips, as the stages after `clips` read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.job.files import DamagedFile
from talkingface.job.tables import read_table
from talkingface.media.clip_boxes import boxes_in_clip
from talkingface.tables import CLIP_FRAMES, CLIPS


@dataclass(frozen=True)
class Clip:
    """A finished clip of `n_frames` frames of `width` x `height` pixels; its files in `folder`."""

    clip_id: str
    n_frames: int
    width: int
    height: int
    folder: Path

    @property
    def video(self) -> Path:
        """Its mp4."""
        return self.folder / f"{self.clip_id}.mp4"

    def frames(self) -> Iterator[np.ndarray]:
        """Its frames in order, (H, W, 3) uint8 BGR.

        Raises DamagedFile when there are not exactly `n_frames`, or it cannot be decoded.
        """
        from talkingface.media.own_video import own_frames

        count = 0
        for image in own_frames(self.video):
            count += 1
            yield image
        if count != self.n_frames:
            raise DamagedFile(self.video, f"{count} frames, but its manifest says {self.n_frames}")

    def sound(self) -> np.ndarray:
        """Its sound, (640 N,) int16 at 16 kHz.

        Raises DamagedFile when it has another length or cannot be read.
        """
        from talkingface.media.audio import read_wav

        path = self.folder / f"{self.clip_id}.wav"
        samples, expected = read_wav(path), SAMPLES_PER_FRAME * self.n_frames
        if samples.shape != (expected,):
            raise DamagedFile(path, f"{samples.shape} samples, not ({expected},)")
        return samples

    def boxes(self) -> np.recarray:
        """Face box and crop of every frame, in source pixels: the table CLIP_FRAMES.

        Raises DamagedFile when it has not `n_frames` rows or cannot be read.
        """
        path = self.folder / f"{self.clip_id}.csv"
        table = read_table(path, CLIP_FRAMES)
        if len(table) != self.n_frames:
            raise DamagedFile(path, f"{len(table)} rows, but the clip has {self.n_frames} frames")
        return table

    def face_boxes(self) -> np.ndarray:
        """The face of every frame, (N, 4) float64 x, y, width, height in clip pixels."""
        return boxes_in_clip(self.boxes(), self.width, self.height)


def read_clips(folder: str | Path, manifest: str | Path) -> list[Clip]:
    """The clips in `folder`, as their `manifest` lists them."""
    return [
        Clip(row.clip_id, int(row.n_frames), int(row.width), int(row.height), Path(folder))
        for row in read_table(manifest, CLIPS)
    ]


def clip_to_source(
    points: np.ndarray, boxes: np.recarray, clip_size: tuple[int, int]
) -> np.ndarray:
    """Points (N, P, 2 or 3) of N frames from clip pixels to source pixels, float64.

    boxes: the clip's table CLIP_FRAMES. clip_size: its width and height. z is scaled like x.
    """
    origin = np.stack([boxes["crop_x"], boxes["crop_y"]], axis=1)
    scale = np.stack([boxes["crop_w"], boxes["crop_h"]], axis=1) / clip_size
    if points.shape[-1] == 3:
        origin = np.column_stack([origin, np.zeros(len(origin))])
        scale = np.column_stack([scale, scale[:, 0]])
    return points * scale[:, None] + origin[:, None]
