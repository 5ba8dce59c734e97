"""Offset and probability by what they are defined as, written out."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import norm

from helpers.paths import SCRIPTS
from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.sync.probability import (
    COVERED_SHARE,
    LARGEST_LOG_ODDS,
    Calibration,
    at_lag,
    at_lags,
    best_lag,
    frame_scores,
    lag_curve,
    mean_score,
    offset_certainty,
    probability,
)

# The own voice's scores spread more than chance, as much, and less.
WIDER = Calibration(
    speaks=1.0,
    chance=-0.4,
    speaks_spread=0.5,
    chance_spread=0.1,
    frame_spread=1.5,
    chance_peak=2.0,
    offset_gain=1.0,
)
ALIKE = Calibration(2.0, 0.0, 0.4, 0.4, 1.0, 1.0, 1.0)
NARROWER = Calibration(2.0, 0.3, 0.1, 0.6, 1.0, 1.0, 1.0)
ALL = [WIDER, ALIKE, NARROWER, *CALIBRATIONS.values()]


def test_at_a_lag() -> None:
    table = at_lags(np.array([1.0, 2, 3]), 2)
    nan = np.nan
    np.testing.assert_array_equal(
        table, [[nan, nan, 1, 2, 3], [nan, 1, 2, 3, nan], [1, 2, 3, nan, nan]]
    )
    for lag in (-2, -1, 0, 1, 2):
        np.testing.assert_array_equal(at_lag(np.array([1.0, 2, 3]), lag), table[:, 2 + lag])
    assert np.isnan(at_lag(np.ones(3), 7)).all() and np.isnan(at_lag(np.ones(3), -7)).all()


@pytest.mark.parametrize("frames", [0.3, 4, 50, 1000])
@pytest.mark.parametrize("calibration", ALL)
def test_log_odds_are_those_of_two_normal_distributions(
    calibration: Calibration, frames: float
) -> None:
    """Their ratio, but a score that is even farther from the other counts no less for its own."""
    chance = calibration.chance
    chance += calibration.chance_peak * calibration.frame_spread / np.sqrt(frames)
    speaks = max(calibration.speaks, chance)
    own = np.hypot(calibration.speaks_spread, calibration.frame_spread / np.sqrt(frames))
    other = np.hypot(calibration.chance_spread, calibration.frame_spread / np.sqrt(frames))
    scores = np.linspace(-40, 40, 80_001)
    ratio = norm.logpdf(scores, speaks, own) - norm.logpdf(scores, chance, other)
    # Wider, the own distribution is the likelier one far on the wrong side too; narrower, the other
    # is far on the right side.
    if own >= other:
        expected = np.minimum.accumulate(ratio[::-1])[::-1]
    else:
        expected = np.maximum.accumulate(ratio)
    found = calibration.log_odds(scores, frames)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert (np.diff(found) >= -1e-9).all()


@pytest.mark.parametrize("calibration", ALL)
def test_little_evidence_says_little(calibration: Calibration) -> None:
    scores = np.array([-1.0, 0, calibration.speaks, 5])
    assert not calibration.log_odds(scores, 0).any()
    for frames in (1e-6, 0.01, 0.2):
        assert abs(probability(calibration.log_odds(scores, frames)) - 0.5).max() < 0.05
    # The frames' number may differ from score to score.
    np.testing.assert_array_equal(
        calibration.log_odds(scores, np.array([0, 1, 50, 500])),
        [calibration.log_odds(s, n) for s, n in zip(scores, (0, 1, 50, 500), strict=True)],
    )


@pytest.mark.parametrize("calibration", ALL)
def test_more_frames_are_surer(calibration: Calibration) -> None:
    frames = np.array([25, 75, 250, 1000])
    speaks = calibration.log_odds(calibration.speaks, frames)
    assert (np.diff(speaks) >= 0).all() and speaks[-1] > 1
    silent = calibration.log_odds(calibration.chance, frames)
    assert (np.diff(silent) <= 0).all() and silent[-1] < -1


def test_probability_of_odds() -> None:
    np.testing.assert_allclose(probability(np.log([1 / 9, 1, 3])), [0.1, 0.5, 0.75])
    limits = [1 / (1 + np.exp(LARGEST_LOG_ODDS)), 1 / (1 + np.exp(-LARGEST_LOG_ODDS))]
    np.testing.assert_allclose(probability(np.array([-900.0, 900])), limits)


def test_evidence_of_a_frame_is_that_of_two_distributions_of_one_width() -> None:
    scores = np.array([-3.0, 0.2, 2])
    expected = norm.logpdf(scores, 1.0, 1.5) - norm.logpdf(scores, -0.4, 1.5)
    np.testing.assert_allclose(WIDER.frame_evidence(scores), expected)
    assert np.isnan(WIDER.frame_evidence(np.array([np.nan]))).all()


def random_likeness(frames: int, reach: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(frames)
    likeness = rng.normal(size=(frames, 2 * reach + 1)).astype(np.float32)
    likeness[rng.uniform(size=likeness.shape) < share] = np.nan
    return likeness, rng.uniform(size=frames)


@pytest.mark.parametrize(("frames", "share"), [(1, 0), (6, 0.1), (12, 0.5), (90, 0.3), (90, 0)])
def test_the_curve_is_the_mean_weighted_by_speech(frames: int, share: float) -> None:
    reach = 8
    likeness, speech = random_likeness(frames, reach, share)
    curve = lag_curve(likeness, speech)
    assert curve.shape == (2 * reach + 1,) and curve.dtype == np.float64
    sums, weights = np.zeros(2 * reach + 1), np.zeros(2 * reach + 1)
    for t in range(frames):
        for column in range(2 * reach + 1):
            heard = t + column - reach
            if 0 <= heard < frames and np.isfinite(likeness[t, column]):
                sums[column] += float(likeness[t, column]) * speech[heard]
                weights[column] += speech[heard]
    covered = (weights > 0) & (weights >= COVERED_SHARE * weights.max())
    np.testing.assert_array_equal(np.isfinite(curve), covered)
    np.testing.assert_allclose(curve[covered], sums[covered] / weights[covered], rtol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 40])
def test_nothing_to_compare_gives_no_curve(frames: int) -> None:
    likeness, speech = random_likeness(frames, 8, 0)
    assert np.isnan(lag_curve(likeness, np.zeros(frames))).all()
    assert np.isnan(lag_curve(np.full_like(likeness, np.nan), speech)).all()
    assert best_lag(np.full(17, np.nan), None) == 0


def test_the_best_lag_is_searched_no_farther_than_asked() -> None:
    curve = np.array([9, np.nan, 3, 1, 2, 0, 4.0])
    assert [best_lag(curve, most) for most in (None, 7, 3, 2, 1, 0)] == [-3, -3, -3, -1, -1, 0]
    assert best_lag(np.array([9, np.nan, 9]), 0) == 0


@pytest.mark.parametrize("lag", [-8, 0, 3])
def test_a_score_is_the_likeness_at_the_lag(lag: int) -> None:
    """Whatever it is at others."""
    likeness, _ = random_likeness(60, 8, 0.4)
    likeness[7] = np.nan
    likeness[9], likeness[9, 8 + lag] = np.nan, 1.25
    scores = frame_scores(likeness, lag)
    assert scores.shape == (60,) and scores.dtype == np.float64
    for row, score in zip(likeness, scores, strict=True):
        np.testing.assert_array_equal(score, dict(zip(range(-8, 9), row, strict=True))[lag])
    assert np.isnan(scores[7]) and scores[9] == 1.25


def test_the_mean_score() -> None:
    scores = np.array([1.0, np.nan, 4, 7])
    assert mean_score(scores, np.array([1, 1, 0.5, 0])) == (2.0, 1.5)
    assert mean_score(scores, np.zeros(4)) == (0.0, 0.0)
    assert mean_score(np.full(3, np.nan), np.ones(3)) == (0.0, 0.0)


def test_certainty_is_the_share_of_the_lags_around() -> None:
    chances = np.array([0.02, 0.03, 0.05, 0.2, 0.5, 0.1, 0.1])
    curve = np.log(chances) / (2.0 * 40) + 3
    found = [offset_certainty(curve, lag, 40, 2.0) for lag in range(-2, 3)]
    np.testing.assert_allclose(found, [0.1, 0.28, 0.75, 0.8, 0.7])
    # With half of the speech the same curve says less; none of it says nothing.
    assert 3 / 7 < offset_certainty(curve, 1, 20, 2.0) < 0.8
    assert offset_certainty(curve, 1, 0, 2.0) == pytest.approx(3 / 7)
    assert offset_certainty(np.full(7, np.nan), 0, 40, 2.0) == 0
    # A lag without a value is none.
    curve[:3] = np.nan
    assert offset_certainty(curve, 1, 40, 2.0) == pytest.approx(0.8 / 0.9)


def test_a_curve_that_rises_to_the_edge_is_not_certain() -> None:
    curve = np.linspace(0, 1, 7)
    assert offset_certainty(curve, 3, 1000, 1.0) == 0.5
    assert offset_certainty(curve[::-1], -3, 1000, 1.0) == 0.5
    sharp = np.where(np.arange(7) == 4, 1.0, 0.0)
    assert offset_certainty(sharp, 1, 1e6, 1.0) == 1
    # What is not known is an edge too.
    sharp[5] = np.nan
    assert offset_certainty(sharp, 1, 1e6, 1.0) == 0.5
    # Another lag than the best.
    assert offset_certainty(sharp, -2, 1e6, 1.0) == 0


def test_how_backends_score_is_cheap_to_import() -> None:
    """Gates of other stages import it, and the Snakefile them."""
    code = "import sys; from talkingface.sync.calibrations import CALIBRATIONS\n"
    code += "print(sorted({'mediapipe', 'cv2', 'av', 'torch', 'scipy'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"
