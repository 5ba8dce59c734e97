"""Our filter gives scipy's numbers, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import medfilt

from talkingface.filters import median_filter


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
