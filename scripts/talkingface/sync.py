"""Which face the sound belongs to, and by how many frames it is off."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from talkingface import motion
from talkingface.media.audio import read_wav
from talkingface.media.grid import SAMPLES_PER_FRAME

COLUMNS = ["track", "offset", "confidence", "trusted", "backend"]
FRAME_COLUMNS = ["track", "frame", "score", "openness"]

# A wrong correction is worse than none: chance reached 5 in 5 s windows of unrelated sound, and a
# difference of one frame is within what the measure can tell.
TRUSTED_CONFIDENCE = 6.0
TRUSTED_OFFSET = 2


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
    moved by it) and one a track and frame (FRAME_COLUMNS: score as high as the confidence where
    the face speaks; openness of the lips in units of the nose's length).
    """
    rows, per_frame = [], []
    for number, points in motion.mouth_points(frames, tracks, scale, threads).items():
        own = tracks.frame[tracks.track == number].to_numpy()
        samples = read_wav(sound, own[0] * SAMPLES_PER_FRAME, (own[-1] + 1) * SAMPLES_PER_FRAME)
        measures = motion.mouth_measures(points)
        found = motion.correlate(measures, motion.band_levels(samples), max_offset)
        trusted = found.confidence >= TRUSTED_CONFIDENCE and abs(found.offset) >= TRUSTED_OFFSET
        rows.append((number, found.offset, round(found.confidence, 3), int(trusted), "motion"))
        columns = {"track": number, "frame": own, "score": found.scores.round(3)}
        per_frame.append(pd.DataFrame(columns | {"openness": measures[:, 0].round(4)}))
    table = pd.DataFrame(rows, columns=COLUMNS)
    if not per_frame:
        return table, pd.DataFrame(columns=FRAME_COLUMNS)
    return table, pd.concat(per_frame, ignore_index=True)[FRAME_COLUMNS]


def unjudged() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables of backend `none`: no track is judged."""
    return pd.DataFrame(columns=COLUMNS), pd.DataFrame(columns=FRAME_COLUMNS)
