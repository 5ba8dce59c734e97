"""Where in its track a face speaks, by its score in every frame."""

from __future__ import annotations

import numpy as np


def speaking_stretches(
    scores: np.ndarray, *, threshold: float, max_gap: int, trim: int
) -> list[tuple[int, int]]:
    """Stretches `[start, end)` of a track's frames in which its face speaks.

    `scores` are (N,), one a frame. Runs above `threshold` are merged when the first frame of one
    comes at most `max_gap` after the last of the run before; then `trim` frames are taken off both
    ends, which leaves nothing of the shortest. The rule is that of syncnet_postprocess.py of
    audio-visual/TalkingVideo, which takes a threshold of 2.1 for SyncNet's scores, a gap of 15 and
    a trim of 5, and keeps what has 66 frames or more after that.
    """
    above = np.flatnonzero(np.asarray(scores) > threshold)
    runs = np.split(above, np.flatnonzero(np.diff(above) > max_gap) + 1)
    ends = [(int(run[0]) + trim, int(run[-1]) + 1 - trim) for run in runs if len(run)]
    return [(start, end) for start, end in ends if start < end]
