"""Lip-sync backend `none`: no track is judged."""

from __future__ import annotations

from math import inf

import numpy as np

from talkingface.sync.comparison import TrackComparison, VideoFiles


class NoSync:
    """Says nothing of any track."""

    name = "none"
    trusted_confidence = inf
    trusted_offset = 0

    def compare(self, video: VideoFiles, tracks: np.recarray) -> dict[int, TrackComparison]:
        """Nothing, whatever the video."""
        return {}
