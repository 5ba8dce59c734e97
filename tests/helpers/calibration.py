"""A calibration of a lip-sync backend whose truth is plain."""

from __future__ import annotations


class ScoreIsLogOdds:
    """The mean score is the logarithm of the odds, whatever the length; without a frame it is 0."""

    def log_odds(self, score: float, frames: float) -> float:
        """The score."""
        return score if frames else 0.0
