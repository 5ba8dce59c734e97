"""Our filters give scipy's numbers, the median bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import medfilt, savgol_filter

from talkingface.filters import median_filter, smooth_by_parabolas


@pytest.mark.filterwarnings("ignore:kernel_size exceeds")
@pytest.mark.parametrize("width", [1, 3, 9, 13])
@pytest.mark.parametrize("count", [1, 2, 5, 12, 13, 14, 300])
def test_the_median_is_scipys(count: int, width: int) -> None:
    rng = np.random.default_rng(count)
    for values in (rng.normal(size=count), rng.integers(-3, 4, count).astype(float)):
        np.testing.assert_array_equal(median_filter(values, width), medfilt(values, width))


@pytest.mark.parametrize("width", [0, 2, -1])
def test_a_median_needs_a_middle(width: int) -> None:
    with pytest.raises(ValueError, match="no middle"):
        median_filter(np.zeros(5), width)


@pytest.mark.parametrize("width", [3, 5, 9])
@pytest.mark.parametrize("count", [9, 10, 40])
def test_parabolas_are_those_of_savitzky_and_golay(count: int, width: int) -> None:
    values = np.random.default_rng(count).normal(size=(count, 3, 2))
    expected = savgol_filter(values, width, 2, axis=0)
    np.testing.assert_allclose(smooth_by_parabolas(values, width), expected, atol=1e-12)


def test_a_parabola_stays_as_it_is() -> None:
    t = np.arange(30.0)
    np.testing.assert_allclose(smooth_by_parabolas(t**2 - 3 * t, 5), t**2 - 3 * t, atol=1e-9)


@pytest.mark.parametrize("count", [1, 4])
def test_too_few_for_a_parabola_stay_as_they_are(count: int) -> None:
    values = np.arange(count) ** 3.0
    np.testing.assert_array_equal(smooth_by_parabolas(values, 5), values)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_parabola_needs_a_middle(width: int) -> None:
    with pytest.raises(ValueError, match="no middle"):
        smooth_by_parabolas(np.zeros(9), width)
