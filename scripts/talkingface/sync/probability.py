"""From how alike lips and sound are, frame by frame and lag by lag, to offset and probability.

The same for every backend: each says how it scores those who speak and chance (`Calibration`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# A lag is compared where at least this share of the speech has a sound at it.
COVERED_SHARE = 0.5
# A probability is no certainty, whatever the odds.
LARGEST_LOG_ODDS = 9.0


@dataclass(frozen=True)
class Calibration:
    """How a backend scores. A frame's score is its likeness at the offset, or what the backend's
    own rule says.

    The mean score of a stretch with n frames of speech is taken for normally distributed:

        of another's voice  mean other = chance + chance_peak frame_spread / sqrt(n),
                            variance chance_spread^2 + frame_spread^2 / n
        of the own          mean max(speaks, other),
                            variance speaks_spread^2 + frame_spread^2 / n

    `frame_spread` is that of a frame, as far as frames are independent; the two other spreads are
    between people and recordings. `chance_peak` is there because the offset is where the score is
    highest, which lifts the own voice's as well: of few frames nothing can be said. `offset_gain`
    turns the sum of likenesses over a stretch into the logarithm of how likely a lag is.
    """

    speaks: float
    chance: float
    speaks_spread: float
    chance_spread: float
    frame_spread: float
    chance_peak: float
    offset_gain: float

    def log_odds(self, score: np.ndarray | float, frames: np.ndarray | float) -> np.ndarray:
        """Logarithm of how many times likelier the mean `score` of so many frames of speech is
        when the voice is the face's own than when it is another's; 0 without a frame."""
        frames = np.asarray(frames, float)
        n = np.maximum(frames, 1e-9)
        chance = self.chance + self.chance_peak * self.frame_spread / np.sqrt(n)
        speaks = np.maximum(self.speaks, chance)
        own = self.speaks_spread**2 + self.frame_spread**2 / n
        other = self.chance_spread**2 + self.frame_spread**2 / n
        # The wider of the two curves is above the other on both sides: scores beyond the place
        # where they are least alike count as that place. Alike in width, they have none.
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = (chance / other - speaks / own) / (1 / other - 1 / own)
        score = np.where(own >= other, np.fmax(score, turn), np.fmin(score, turn))
        odds = (score - chance) ** 2 / other - (score - speaks) ** 2 / own
        odds = (odds + np.log(other / own)) / 2
        return np.where(frames > 0, odds, 0.0)

    def frame_evidence(self, scores: np.ndarray) -> np.ndarray:
        """The same for every frame by itself, to be added up over a turn, (N,)."""
        middle = (self.speaks + self.chance) / 2
        return (self.speaks - self.chance) / self.frame_spread**2 * (scores - middle)


def probability(log_odds: np.ndarray | float) -> np.ndarray:
    """The probability of what is as likely as not beforehand, given the evidence's log-odds, of
    which LARGEST_LOG_ODDS count either way."""
    return 1 / (1 + np.exp(-np.clip(log_odds, -LARGEST_LOG_ODDS, LARGEST_LOG_ODDS)))


def at_lags(series: np.ndarray, reach: int) -> np.ndarray:
    """The value of (N,) `series` at frame t + lag, (N, 2 reach + 1) for lags -reach to reach; NaN
    beyond its ends."""
    padded = np.pad(np.asarray(series, float), reach, constant_values=np.nan)
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)


def at_lag(series: np.ndarray, lag: int) -> np.ndarray:
    """The value of (N,) `series` at frame t + lag, (N,); NaN beyond its ends."""
    return at_lags(series, abs(lag))[:, abs(lag) + lag]


def lag_curve(likeness: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Mean likeness of a stretch at every lag, (2 V + 1,) float64, weighted by who is heard.

    `likeness` is (N, 2 V + 1): of the lips in frame t and the sound in frame t + lag, lags -V to V,
    NaN where either is missing; `speech` (N,) how likely somebody is heard in a frame, from 0 to 1.
    NaN for lags at which less than COVERED_SHARE of the speech can be compared.
    """
    known = np.isfinite(likeness)
    weights = np.where(known, at_lags(speech, likeness.shape[1] // 2), 0.0)
    covered = np.nansum(weights, axis=0)
    sums = np.nansum(np.where(known, likeness, 0.0) * weights, axis=0)
    enough = (covered > 0) & (covered >= COVERED_SHARE * covered.max(initial=0.0))
    return np.where(enough, sums / np.maximum(covered, 1e-9), np.nan)


def best_lag(curve: np.ndarray, max_offset: int | None) -> int:
    """The lag at which `lag_curve` is highest, up to `max_offset` frames either way, None: any; 0
    where it is NaN."""
    reach = len(curve) // 2
    searched = reach if max_offset is None else min(max_offset, reach)
    inner = curve[reach - searched : reach + searched + 1]
    return int(np.nanargmax(inner)) - searched if np.isfinite(inner).any() else 0


def frame_scores(likeness: np.ndarray, lag: int) -> np.ndarray:
    """Every frame's likeness at a lag, (N,) float64, NaN where there is none; `likeness` as in
    `lag_curve`."""
    return likeness[:, likeness.shape[1] // 2 + lag].astype(np.float64)


def mean_score(scores: np.ndarray, speech: np.ndarray) -> tuple[float, float]:
    """Mean of a stretch's frame scores, weighted by `speech`, and the frames of speech in it.

    Both are (N,); frames whose score is NaN do not count.
    """
    weights = np.where(np.isfinite(scores), speech, 0.0)
    frames = float(weights.sum())
    return float((np.nan_to_num(scores) * weights).sum() / max(frames, 1e-9)), frames


def offset_certainty(curve: np.ndarray, lag: int, frames: float, gain: float) -> float:
    """How likely the offset is within a frame of what `lag` says, from 0 to 1.

    `curve` is `lag_curve`'s, over so many frames of speech; `gain` is the calibration's. At the
    edge of the lags that are compared it is one half at most: the curve may rise on beyond them.
    """
    levels = np.where(np.isfinite(curve), gain * frames * curve, -np.inf)
    if not np.isfinite(levels).any():
        return 0.0
    chances = np.exp(levels - levels.max())
    at = len(curve) // 2 + lag
    near = slice(max(0, at - 1), at + 2)
    certainty = float(chances[near].sum() / chances.sum())
    inside = np.isfinite(levels[near]).sum() == 3
    return certainty if inside else min(certainty, 0.5)
