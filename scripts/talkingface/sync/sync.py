"""Which face the sound belongs to, and by how many frames it is off."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.media.audio import read_wav

# Of all backends: empty where one does not know.
COLUMNS = ["track", "offset", "confidence", "trusted", "backend", "distance", "drift"]
FRAME_COLUMNS = ["track", "frame", "score", "local_score", "openness"]

# Of `motion`. A wrong correction is worse than none: chance reached 5 in 5 s windows of unrelated
# sound, and a difference of one frame is within what the measure can tell.
TRUSTED_CONFIDENCE = 6.0
TRUSTED_OFFSET = 2
# Largest offset looked for in a finished clip, in frames.
MAX_RESIDUAL = 15


def sync_motion(
    frames: Iterable[np.ndarray],
    tracks: pd.DataFrame,
    sound: str | Path,
    *,
    scale: float,
    max_offset: int = 15,
    threads: int = 2,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare every track's lips with the sound.

    `frames` are the analysis copy's BGR frames in grid order, `tracks` the boxes in source pixels,
    `scale` source pixels per pixel of the copy, `sound` the grid's wav. Gives one row a track
    (COLUMNS: offset in frames, positive when the sound leads; `trusted` where the sound may be
    moved by it; `distance` and `drift` are SyncNet's) and one a track and frame (FRAME_COLUMNS:
    score as high as the confidence where the face speaks, judged in 10 s; local_score, lower,
    judged in the 4 s around the frame; openness of the lips in units of the nose's length).
    """
    from talkingface.sync import motion

    rows, per_frame = [], []
    for number, points in motion.mouth_points(frames, tracks, scale, threads).items():
        own = tracks.frame[tracks.track == number].to_numpy()
        samples = read_wav(sound, own[0] * SAMPLES_PER_FRAME, (own[-1] + 1) * SAMPLES_PER_FRAME)
        measures = motion.mouth_measures(points)
        found = motion.correlate(measures, motion.band_levels(samples), max_offset)
        trusted = found.confidence >= TRUSTED_CONFIDENCE and abs(found.offset) >= TRUSTED_OFFSET
        own_row = (number, found.offset, round(found.confidence, 3), int(trusted), "motion")
        rows.append((*own_row, np.nan, np.nan))
        columns = {
            "track": number,
            "frame": own,
            "score": found.scores.round(3),
            "local_score": found.local.round(3),
            "openness": measures[:, 0].round(4),
        }
        per_frame.append(pd.DataFrame(columns))
    table = pd.DataFrame(rows, columns=COLUMNS)
    if not per_frame:
        return table, pd.DataFrame(columns=FRAME_COLUMNS)
    return table, pd.concat(per_frame, ignore_index=True)[FRAME_COLUMNS]


def residual_offset(points: np.ndarray, sound: np.ndarray) -> tuple[float, float]:
    """By how many frames a finished clip's sound still leads, and how sure that is.

    `points` are the (N, 478, 3) of its landmarks, NaN where there is no face, `sound` its (640 N,)
    int16. Measured by `motion`, whatever moved the sound: where that was a network, a second
    opinion. Below TRUSTED_CONFIDENCE the offset may be chance: of windows of 3 s of two people who
    speak in step, half are more than a frame off (4 s: a fifth, 8 s: none), with confidences up to
    4. NaN where nothing can be said: no face, or less than 2 s. Raises ValueError for a sound of
    another length.
    """
    from talkingface.sync import motion

    if sound.shape != (SAMPLES_PER_FRAME * len(points),):
        raise ValueError(f"{sound.shape} samples for a clip of {len(points)} frames")
    if len(points) < motion.SHORTEST or not np.isfinite(points).any():
        return float("nan"), float("nan")
    measures = motion.mouth_measures(points[:, list(motion.POINTS), :2])
    found = motion.correlate(measures, motion.band_levels(sound), MAX_RESIDUAL)
    return float(found.offset), found.confidence


def unjudged() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables of a video of which no track is judged: backend `none`, or no track."""
    return pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=FRAME_COLUMNS)
