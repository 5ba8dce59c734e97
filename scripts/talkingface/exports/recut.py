"""Clips shown in another part of the picture, cut from the raw file as the clips themselves were.

An export that cropped the clips' own films would encode their pixels a second time, and could show
nothing that lies outside the clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from talkingface.clips.clips import Cut, Encoding, PlannedClip, write_videos
from talkingface.media.reading import Reading

# What the offset and the confidence of lip-sync are known by in trainers: those of SyncNet.
SYNCNET = "syncnet"


def write_recut(
    media: str | Path,
    clips: np.recarray,
    parts: Mapping[str, np.ndarray],
    folder: str | Path,
    *,
    reading: Reading,
    cut: Cut,
    side: int,
    encoding: Encoding,
) -> None:
    """Write `{clip}.mp4` of every one of `clips`, a table CLIPS, into `folder`.

    `parts` holds, by the name of a clip, what each of its N frames shows, (N, ...), in the way that
    `cut` takes it; see `PlannedClip`. Every film is a square of `side` pixels and has the frames
    and the sound of its clip, moved as that was. `media` is the raw file, which is decoded once,
    and `reading` how it is to be read. Raises RuntimeError when it has fewer frames than a clip.
    """
    planned = [
        PlannedClip(row, parts[row.clip_id], (side, side), int(row.audio_shift), cut)
        for row in clips
    ]
    planned.sort(key=lambda clip: clip.start)
    write_videos(media, reading, planned, Path(folder), encoding)


def syncnet_measures(clip: np.record, sync: np.recarray) -> dict[str, float]:
    """`sync_offset` (frames) and `sync_confidence` of a clip as SyncNet measured them before the
    sound was moved; NaN where another backend did, whose numbers mean something else.

    `clip` is its row of the table CLIPS, `sync` the table SYNC of its video.
    """
    by_syncnet = any(sync.backend[sync.track == clip.track] == SYNCNET)
    return {
        "sync_offset": float(clip.offset) if by_syncnet else np.nan,
        "sync_confidence": float(clip.confidence) if by_syncnet else np.nan,
    }
