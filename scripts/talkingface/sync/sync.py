"""Which face the sound belongs to, and by how many frames it is off.

Backends: `mesh` (embedded; the mouth's shape against the sound), `syncnet` (its weights are
downloaded), `none` (no face is judged). A backend says how alike lips and sound are; offset and
probability follow from that in the same way for all (`probability`, `speakers`). Importing this is
cheap: a backend is imported when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from talkingface.sync.calibrations import CALIBRATIONS, TRUSTED_CERTAINTY
from talkingface.sync.comparison import TrackComparison, VideoFiles, rows_by_track
from talkingface.sync.probability import (
    Calibration,
    at_lag,
    best_lag,
    frame_scores,
    lag_curve,
    mean_score,
    offset_certainty,
    probability,
)
from talkingface.sync.speakers import speaking_probabilities, turn_evidence
from talkingface.tables import SPEECH, SYNC, SYNC_FRAMES, TRACKS

BACKENDS = ("mesh", "syncnet", "none")

# Largest offset looked for in a finished clip, in frames.
MAX_RESIDUAL = 15


class SyncBackend(Protocol):
    """What compares lips with sound.

    `name` is written to the tables, and names its calibration. Clips may be moved by an offset of
    at least `trusted_offset` frames, either way, that is certain and whose confidence is at least
    `trusted_confidence`: a wrong correction is worse than none.
    """

    name: str
    trusted_confidence: float
    trusted_offset: int

    def compare(self, video: VideoFiles, tracks: np.recarray) -> Mapping[int, TrackComparison]:
        """How alike lips and sound are in the tracks of a table TRACKS, by number; tracks may be
        left out."""


@dataclass(frozen=True)
class TrackSync:
    """What follows for a track of N frames: by how many frames the sound leads, the backend's
    confidence, the probability that the voice is the face's own, how likely the offset is within a
    frame of the truth, (N,) scores of the frames, of which the confidence is about the mean, and
    (N,) how likely somebody is heard in the sound that goes with the lips, NaN where that is not
    known or the lips are not."""

    offset: int
    confidence: float
    probability: float
    certainty: float
    scores: np.ndarray
    heard: np.ndarray


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
    if name == "mesh":
        from talkingface.sync.mesh import MeshSync

        return MeshSync(max_offset=max_offset, threads=threads)
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
    speech: str | Path,
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

    tracks, speech: paths of the tables TRACKS and SPEECH; where there is no face, nothing is
    loaded. track_table, frame_table: the paths written to. For the others see `load`.
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
    heard = read_table(speech, SPEECH)
    of_tracks, of_frames = compare_tracks(loaded, video, faces, heard["probability"])
    write_table(of_tracks, track_table, SYNC)
    write_table(of_frames, frame_table, SYNC_FRAMES)


def compare_tracks(
    backend: SyncBackend, video: VideoFiles, tracks: np.recarray, speech: np.ndarray
) -> tuple[np.recarray, np.recarray]:
    """What a loaded backend says of the tracks in a table TRACKS: the tables SYNC, one row a track,
    and SYNC_FRAMES, one row a track and frame. Both are without rows where nothing is said.

    speech: how likely somebody is heard in every frame of the video's grid, (n,).
    """
    compared = backend.compare(video, tracks)
    faces = {n: rows for n, rows in rows_by_track(tracks).items() if n in compared}
    voices = {n: speech[rows["frame"][0] : rows["frame"][-1] + 1] for n, rows in faces.items()}
    calibration = CALIBRATIONS.get(backend.name)
    found = {n: judge_track(compared[n], voices[n], calibration) for n in faces}
    chances = _speakers(faces, found, calibration)
    track_rows, frame_tables = [], [empty_table(SYNC_FRAMES)]
    for number, rows in faces.items():
        sync, comparison = found[number], compared[number]
        sure = sync.certainty >= TRUSTED_CERTAINTY and sync.probability >= 0.5
        sure = sure and sync.confidence >= backend.trusted_confidence
        track_rows.append(
            {
                "track": number,
                "offset": sync.offset,
                "confidence": round(sync.confidence, 3),
                "probability": round(sync.probability, 3),
                "trusted": int(sure and abs(sync.offset) >= backend.trusted_offset),
                "backend": backend.name,
                "distance": round(comparison.distance, 3),
                "drift": round(comparison.drift, 2),
            }
        )
        columns = {
            "track": np.full(len(rows), number),
            "frame": rows["frame"],
            "score": sync.scores.round(3),
            "probability": chances[number].round(3),
            "opening": comparison.opening.round(4),
        }
        frame_tables.append(table_of_columns(SYNC_FRAMES, columns))
    return table_of_rows(SYNC, track_rows), np.concatenate(frame_tables).view(np.recarray)


def judge_track(
    comparison: TrackComparison, speech: np.ndarray, calibration: Calibration
) -> TrackSync:
    """Offset, confidence and probability of a track of N frames.

    speech: how likely somebody is heard in its frames, (N,) from 0 to 1. Where nobody is, or the
    face is never seen, the offset is 0 and the probability one half: nothing speaks for either.
    """
    curve = lag_curve(comparison.likeness, speech)
    if comparison.offset is None:
        lag = best_lag(curve, comparison.max_offset)
    else:
        lag = -comparison.offset
    scores = frame_scores(comparison.likeness, lag)
    if comparison.scores is not None:
        # Its rule says something of every frame, also of those that cannot be compared.
        scores = np.where(np.isfinite(scores), comparison.scores, np.nan)
    # The lips of a frame are judged while their own sound is heard, wherever it is.
    heard = np.where(np.isfinite(scores), at_lag(speech, lag), np.nan)
    mean, frames = mean_score(scores, np.nan_to_num(heard))
    return TrackSync(
        -lag,
        mean if comparison.confidence is None else comparison.confidence,
        float(probability(calibration.log_odds(mean, frames))),
        offset_certainty(curve, lag, frames, calibration.offset_gain),
        scores if comparison.scores is None else comparison.scores,
        heard,
    )


def _speakers(
    faces: Mapping[int, np.recarray], found: Mapping[int, TrackSync], calibration: Calibration
) -> dict[int, np.ndarray]:
    """How likely each face is the one that speaks, in every frame, (N,); shot by shot."""
    chances: dict[int, np.ndarray] = {}
    for scene in {int(rows["scene"][0]) for rows in faces.values()}:
        here = {n: rows["frame"] for n, rows in faces.items() if rows["scene"][0] == scene}
        evidence = {
            n: turn_evidence(calibration.frame_evidence(found[n].scores), found[n].heard)
            for n in here
        }
        chances |= speaking_probabilities(here, evidence)
    return chances


def residual_offset(
    points: np.ndarray, sound: np.ndarray, speech: np.ndarray
) -> tuple[float, float]:
    """By how many frames a finished clip's sound still leads, and how likely that is within a frame
    of the truth, from 0 to 1.

    points: (N, 478, 3), the clip's landmarks in pixels, NaN where there is no face. sound: its
    (640 N,) int16 at 16 kHz. speech: how likely somebody is heard in its frames, (N,).
    The backend `mesh` measures it, whatever moved the sound: where that was a network, this is a
    second opinion. Below `calibrations.TRUSTED_CERTAINTY` the offset may be chance. Both are NaN
    where nothing can be said: no face, or no speech.
    Raises ValueError for a sound of another length.
    """
    from talkingface.sync import mesh

    if sound.shape != (SAMPLES_PER_FRAME * len(points),):
        raise ValueError(f"{sound.shape} samples for a clip of {len(points)} frames")
    sync = judge_track(
        mesh.compare_clip(points, sound, MAX_RESIDUAL), speech, CALIBRATIONS[mesh.MeshSync.name]
    )
    if not sync.certainty:
        return float("nan"), float("nan")
    return float(sync.offset), sync.certainty
