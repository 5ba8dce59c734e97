"""What a lip-sync backend is given of a video, and what it says of each track."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.media.reading import DEFAULT, Reading


@dataclass(frozen=True)
class VideoFiles:
    """Where a video's pictures and its sound lie; a backend reads what it needs.

    `proxy` is the analysis copy at 25 fps, `scale_at` gives source pixels per pixel of the copy at
    a grid frame, `sound` is the grid's wav (16 kHz, mono), `media` the raw file, which only some
    backends need, and `reading` how it is read.
    """

    proxy: str | Path
    scale_at: Callable[[int], float]
    sound: str | Path
    media: str | Path | None = None
    reading: Reading = DEFAULT


@dataclass(frozen=True)
class TrackComparison:
    """How alike lips and sound of a track of N frames are.

    likeness: (N, 2 V + 1), in the backend's own unit, of the lips in frame t and the sound in frame
        t + lag, for lags from -V to V; NaN where either is missing.
    opening: (N,) height of the mouth's opening in lengths of the nose; NaN where not measured.
    max_offset: the largest offset looked for, where V is more: farther lags show what chance gives.
    offset, confidence, scores: what the backend's own rule says: by how many frames the sound
        leads, how clearly, and (N,) how clearly in every frame; None for what it leaves to
        `probability`.
    distance: SyncNet's lowest mean one. drift: in frames a minute. NaN where not measured.
    """

    likeness: np.ndarray
    opening: np.ndarray
    max_offset: int | None = None
    offset: int | None = None
    confidence: float | None = None
    scores: np.ndarray | None = None
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
