"""The films that this workflow wrote, read again.

An error of what is in a source is a result; of a film of ours it means that the file was damaged.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from talkingface.job.files import reading
from talkingface.media.video import bgr_frames


def own_frames(path: str | Path, *, threads: int = 0) -> Iterator[np.ndarray]:
    """Its frames in order, (H, W, 3) uint8 BGR. Do not write to them: some may be one array.

    threads: as in `bgr_frames`. Raises DamagedFile where it is no film or cannot be decoded.
    """
    with reading(path, av.FFmpegError, LookupError, ValueError):
        for _, image in bgr_frames(path, threads=threads):
            yield image
