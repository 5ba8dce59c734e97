"""Clips shown in another part of the picture, cut from the raw file as the clips themselves were.

An export that cropped the clips' own films would encode their pixels a second time, and could show
nothing that lies outside the clip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.clips.clips import Cut, Encoding, PlannedClip, write_videos
from talkingface.job.files import atomic_path
from talkingface.job.tables import read_table, table_of_columns, table_of_rows, write_table
from talkingface.media.clip_files import Clip
from talkingface.media.reading import Reading
from talkingface.tables import CLIPS, SYNC, Table

# What the offset and the confidence of lip-sync are known by in trainers: those of SyncNet.
SYNCNET = "syncnet"


@dataclass(frozen=True)
class Recut:
    """A clip as it is shown anew.

    parts: what each of its N frames shows, (N, ...), in the way that `cut` takes it; see
    `PlannedClip`. columns: of its table of frames, (N,) each, beside `frame` and `source_frame`.
    measures: cells of its row in the manifest, beside name, length and what SyncNet says.
    """

    parts: np.ndarray
    columns: Mapping[str, np.ndarray]
    measures: Mapping[str, float]


# Of a clip, its row of the table CLIPS, its table CLIP_FRAMES, and the face boxes in that, (N, 4)
# x, y, width and height in source pixels.
Place = Callable[[Clip, np.record, np.recarray, np.ndarray], Recut]


def make_recut(
    place: Place,
    media: str | Path,
    clips: Sequence[Clip],
    clips_manifest: str | Path,
    sync: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    tables: tuple[Table, Table],
    reading: Reading,
    cut: Cut,
    side: int,
    encoding: Encoding,
) -> None:
    """Write `{clip}.mp4` and `{clip}.csv` of all clips into `folder`, and the manifest.

    place: where a clip's film is to look. clips_manifest: the clips' table CLIPS. sync: the video's
    table SYNC. tables: the definitions of the manifest and of the table of a clip's frames. The
    others are as in `write_recut`, which says what is raised.
    """
    of_video, of_clip = tables
    rows, of_tracks = read_table(clips_manifest, CLIPS), read_table(sync, SYNC)
    measured, parts = [], {}
    with atomic_path(folder) as partial:
        partial.mkdir()
        for clip, row in zip(clips, rows, strict=True):
            boxes = clip.boxes()
            faces = np.stack([boxes[name] for name in ("x", "y", "w", "h")], axis=1)
            recut = place(clip, row, boxes, faces)
            parts[clip.clip_id] = recut.parts
            numbers = {"frame": boxes.frame, "source_frame": boxes.source_frame}
            frames = table_of_columns(of_clip, numbers | dict(recut.columns))
            write_table(frames, partial / f"{clip.clip_id}.csv", of_clip)
            names = {"clip_id": clip.clip_id, "n_frames": clip.n_frames}
            measured.append(names | dict(recut.measures) | syncnet_measures(row, of_tracks))
        write_recut(
            media, rows, parts, partial, reading=reading, cut=cut, side=side, encoding=encoding
        )
    write_table(table_of_rows(of_video, measured), manifest, of_video)


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
