"""The turn, scale and shift that lay points of a picture where others are."""

from __future__ import annotations

import numpy as np


def similarity(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(2, 3) float64: the map that lays points (P, 2) nearest to places (P, 2), by least squares.

    Umeyama (1991) in two dimensions, without mirroring: in complex numbers it is z -> a z + b,
    whose a is the covariance over the variance. Raises ValueError where all points are one.
    """
    z, w = points @ [1, 1j], places @ [1, 1j]
    centred = z - z.mean()
    spread = np.vdot(centred, centred).real
    if spread == 0:
        raise ValueError("the points to lay upon others are all in one place")
    a = np.vdot(centred, w - w.mean()) / spread
    b = w.mean() - a * z.mean()
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
