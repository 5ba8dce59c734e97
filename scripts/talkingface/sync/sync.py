"""Which face the sound belongs to, and by how many frames it is off.

Backends: `motion` (embedded; shape of the mouth against bands of the sound), `syncnet` (learned),
`none` (no face is judged). Importing this is cheap: a backend is imported when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.job.tables import (
    empty_table,
    read_table,
    table_of_columns,
    table_of_rows,
    write_table,
)
from talkingface.models.store import StoredModel
from talkingface.networks.backend import import_learned
from talkingface.sync.comparison import TrackSync, VideoFiles, rows_by_track
from talkingface.tables import SYNC, SYNC_FRAMES, TRACKS

BACKENDS = ("motion", "syncnet", "none")

# Largest offset looked for in a finished clip, in frames.
MAX_RESIDUAL = 15


class SyncBackend(Protocol):
    """What compares lips with sound.

    `name` is written to the tables. Clips may be moved by an offset of at least `trusted_offset`
    frames, either way, where its confidence is at least `trusted_confidence`: a wrong correction
    is worse than none.
    """

    name: str
    trusted_confidence: float
    trusted_offset: int

    def compare(self, video: VideoFiles, tracks: np.recarray) -> Mapping[int, TrackSync]:
        """What is found of the tracks in a table TRACKS, by number; tracks may be left out."""


def load(
    name: str,
    *,
    model: StoredModel | None,
    device: str,
    threads: int,
    max_offset: int,
    ends: str,
    precision: str,
) -> SyncBackend:
    """The backend of this name, one of BACKENDS.

    max_offset: the largest offset searched, in frames. threads: how many work at a time.
    model, device, precision, ends: of `syncnet`, see `syncnet.backend.load` and `SyncNetSync`.
    Raises ValueError for another name; for what else is raised see the backends.
    """
    if name == "none":
        from talkingface.sync.none import NoSync

        return NoSync()
    if name == "motion":
        from talkingface.sync.motion import MotionSync

        return MotionSync(max_offset=max_offset, threads=threads)
    if name == "syncnet":
        # By its name, so that who only wants an offset measured needs no environment with torch.
        _, syncnet = import_learned("talkingface.sync.syncnet.backend", name)
        return syncnet.load(
            model,
            device=device,
            threads=threads,
            precision=precision,
            max_offset=max_offset,
            ends=ends,
        )
    raise ValueError(f"sync backend {name!r} is none of {', '.join(BACKENDS)}")


def make_sync(
    video: VideoFiles,
    tracks: str | Path,
    track_table: str | Path,
    frame_table: str | Path,
    *,
    backend: str,
    model: StoredModel | None,
    device: str,
    threads: int,
    max_offset: int,
    ends: str,
    precision: str,
) -> None:
    """Compare the lips of every track with the sound; write the tables SYNC and SYNC_FRAMES.

    tracks: path of the table TRACKS; where it has no rows, nothing is loaded. track_table,
    frame_table: the paths written to. For the others see `load`.
    """
    faces = read_table(tracks, TRACKS)
    loaded = load(
        backend if len(faces) else "none",
        model=model,
        device=device,
        threads=threads,
        max_offset=max_offset,
        ends=ends,
        precision=precision,
    )
    of_tracks, of_frames = compare_tracks(loaded, video, faces)
    write_table(of_tracks, track_table, SYNC)
    write_table(of_frames, frame_table, SYNC_FRAMES)


def compare_tracks(
    backend: SyncBackend, video: VideoFiles, tracks: np.recarray
) -> tuple[np.recarray, np.recarray]:
    """What a loaded backend says of the tracks in a table TRACKS: the tables SYNC, one row a track,
    and SYNC_FRAMES, one row a track and frame. Both are without rows where nothing is said."""
    compared = backend.compare(video, tracks)
    track_rows, frame_tables = [], [empty_table(SYNC_FRAMES)]
    for number, rows in rows_by_track(tracks).items():
        if number not in compared:
            continue
        sync = compared[number]
        sure = sync.confidence >= backend.trusted_confidence
        track_rows.append(
            {
                "track": number,
                "offset": sync.offset,
                "confidence": round(sync.confidence, 3),
                "trusted": int(sure and abs(sync.offset) >= backend.trusted_offset),
                "backend": backend.name,
                "distance": round(sync.distance, 3),
                "drift": round(sync.drift, 2),
            }
        )
        columns = {
            "track": np.full(len(rows), number),
            "frame": rows["frame"],
            "score": sync.scores.round(3),
            "local_score": sync.local_scores.round(3),
            "openness": sync.openness.round(4),
        }
        frame_tables.append(table_of_columns(SYNC_FRAMES, columns))
    return table_of_rows(SYNC, track_rows), np.concatenate(frame_tables).view(np.recarray)


def residual_offset(points: np.ndarray, sound: np.ndarray) -> tuple[float, float]:
    """By how many frames a finished clip's sound still leads, and how sure that is.

    points: (N, 478, 3), the clip's landmarks in pixels, NaN where there is no face. sound: its
    (640 N,) int16 at 16 kHz.
    The backend `motion` measures it, whatever moved the sound: where that was a network, this is a
    second opinion. Below `trust.TRUSTED_CONFIDENCE` the offset may be chance: of windows of 3 s of
    two people who speak in step, half are more than a frame off (4 s: a fifth, 8 s: none), with
    confidences up to 4. Both are NaN where nothing can be said: no face, or less than 2 s.
    Raises ValueError for a sound of another length.
    """
    from talkingface.sync import motion

    if sound.shape != (SAMPLES_PER_FRAME * len(points),):
        raise ValueError(f"{sound.shape} samples for a clip of {len(points)} frames")
    if len(points) < motion.SHORTEST or not np.isfinite(points).any():
        return float("nan"), float("nan")
    measures = motion.mouth_measures(points[:, list(motion.POINTS), :2])
    correlation = motion.correlate(measures, motion.band_levels(sound), MAX_RESIDUAL)
    return float(correlation.offset), correlation.confidence
