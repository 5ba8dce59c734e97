"""What a lip-sync backend is given of a video, and what it says of each track."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class VideoFiles:
    """Where a video's pictures and its sound lie; a backend reads what it needs.

    `proxy` is the analysis copy at 25 fps, `scale` source pixels per pixel of the copy, `sound` the
    grid's wav (16 kHz, mono), `media` the raw file, which only some backends need.
    """

    proxy: str | Path
    scale: float
    sound: str | Path
    media: str | Path | None = None


@dataclass(frozen=True)
class TrackSync:
    """How the lips of a track of N frames go with the sound.

    `offset` is in frames, positive when the sound leads. The three arrays are (N,) float64:
    `scores` are comparable with `confidence`, `local_scores` are judged in a shorter stretch of
    time, where the backend does that, and `openness` is the height of the mouth's opening in
    lengths of the nose. `distance` is SyncNet's lowest mean one, `drift` is in frames a minute.
    NaN stands for what a backend does not measure.
    """

    offset: int
    confidence: float
    scores: np.ndarray
    local_scores: np.ndarray
    openness: np.ndarray
    distance: float = float("nan")
    drift: float = float("nan")


def rows_by_track(tracks: np.recarray) -> dict[int, np.recarray]:
    """The rows of a table with a column `track`, such as TRACKS, by the track's number, rising.

    Rows of a track keep their order.
    """
    ordered = tracks[np.argsort(tracks["track"], kind="stable")]
    numbers, starts = np.unique(ordered["track"], return_index=True)
    ends = [*starts[1:], len(ordered)]
    return {
        int(number): ordered[start:end]
        for number, start, end in zip(numbers, starts, ends, strict=False)
    }


def face_boxes(rows: np.recarray) -> np.ndarray:
    """The boxes in rows of a table TRACKS, (N, 4) float64 x, y, width, height, in source pixels."""
    return np.stack([rows[column] for column in ("x", "y", "w", "h")], axis=1)
