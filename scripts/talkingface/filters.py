"""Filters of time series that are scipy's, without the import of scipy.signal.

They are written out because `import scipy.signal` takes 0.6 s of processor time, more than many a
job's work on a clip. The tests compare it with scipy's.
"""

from __future__ import annotations

import numpy as np


def median_filter(values: np.ndarray, width: int) -> np.ndarray:
    """Running median of (N,) values over an odd `width`, with zeros beyond the ends.

    The same as `scipy.signal.medfilt(values, width)`. Raises ValueError for an even width.
    """
    if width < 1 or width % 2 == 0:
        raise ValueError(f"a median of {width} values has no middle one")
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, width // 2), width)
    return np.partition(windows, width // 2, axis=1)[:, width // 2]


def smooth_by_parabolas(values: np.ndarray, width: int) -> np.ndarray:
    """Each of (N, ...) values in the middle of the parabola nearest to the `width` around it.

    The same as `scipy.signal.savgol_filter(values, width, 2, axis=0)` (Savitzky and Golay 1964);
    within width // 2 of an end, the parabola is that of the first or the last `width` values. Fewer
    than `width` stay as they are. Raises ValueError for an even width.
    """
    if width < 3 or width % 2 == 0:
        raise ValueError(f"a parabola of {width} values has no middle one, or no use")
    if len(values) < width:
        return np.array(values)
    powers = np.vander(np.arange(width) - width // 2, 3)
    fitted = powers @ np.linalg.pinv(powers)  # row k gives the parabola's value at place k
    windows = np.lib.stride_tricks.sliding_window_view(values, width, axis=0)
    first, last = windows[0] @ fitted.T, windows[-1] @ fitted.T
    half = width // 2
    return np.concatenate(
        [
            np.moveaxis(first, -1, 0)[:half],
            windows @ fitted[half],
            np.moveaxis(last, -1, 0)[half + 1 :],
        ]
    )
