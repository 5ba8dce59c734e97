"""The films that this workflow wrote, read again.

An error of what is in a source is a result; of a film of ours it means that the file was damaged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from talkingface.job.files import DamagedFile, damage_in
from talkingface.media.errors import UnreadableMedia
from talkingface.media.video import bgr_frames


def own_frames(path: str | Path, *, threads: int = 0) -> Iterator[np.ndarray]:
    """Its frames in order, (H, W, 3) uint8 BGR. Do not write to them: some may be one array.

    threads: as in `bgr_frames`. Raises DamagedFile where it is no film, not whole, or cannot be
    decoded.
    """
    fault = film_fault(path)
    if fault:
        raise DamagedFile(path, fault)
    with damage_in(path, av.FFmpegError, UnreadableMedia, LookupError, ValueError):
        for _, image in bgr_frames(path, threads=threads):
            yield image


def film_fault(path: str | Path) -> str:
    """What is wrong with the outermost parts of an mp4 (ISO/IEC 14496-12); "" where nothing is.

    Nothing is decoded: a film that lost its end may play as if it were shorter.
    """
    end, place = os.stat(path).st_size, 0
    kinds: set[bytes] = set()
    with open(path, "rb") as file:
        while place < end:
            file.seek(place)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            size = int.from_bytes(head[8:], "big") if size == 1 else size or end - place
            if len(head) < 8 or size < 8 or not kind.isalnum():
                return "no mp4" if not kinds else f"it is broken at byte {place}"
            if place + size > end:
                return f"it ends at byte {end}, a part of it at {place + size}"
            kinds.add(kind)
            place += size
    return "" if b"moov" in kinds else "its index is missing"
