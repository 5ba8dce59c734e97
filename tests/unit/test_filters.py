"""Our filters give scipy's numbers, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, medfilt, sosfiltfilt

from talkingface.filters import median_filter, zero_phase_filter


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


@pytest.mark.parametrize(
    ("order", "band", "kind"),
    [(2, (0.7, 9.0), "band"), (4, (1.0, 4.0), "band"), (2, 3.0, "low"), (6, 3.0, "high")],
)
@pytest.mark.parametrize("count", [50, 51, 1000])
def test_the_recursive_filter_is_scipys(
    order: int, band: float | tuple[float, float], kind: str, count: int
) -> None:
    sections = butter(order, band, kind, fs=25, output="sos")
    series = np.random.default_rng(count).normal(3, 1, (count, 6)).cumsum(axis=0)
    expected = sosfiltfilt(sections, series, axis=0)
    np.testing.assert_array_equal(zero_phase_filter(sections, series), expected)


def test_a_series_shorter_than_the_filter_reaches_is_refused() -> None:
    sections = butter(2, (0.7, 9.0), "band", fs=25, output="sos")
    for count in (15, 16):
        series = np.ones((count, 1))
        if count == 15:
            with pytest.raises(ValueError, match="16 are needed"):
                zero_phase_filter(sections, series)
            with pytest.raises(ValueError):
                sosfiltfilt(sections, series, axis=0)
        else:
            assert zero_phase_filter(sections, series).shape == (16, 1)
