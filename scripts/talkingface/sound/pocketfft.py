"""scipy's Fourier transforms without the import of scipy, for numbers that are theirs to the bit.

librosa and python_speech_features transform with scipy, whose results differ from numpy's in the
last bit. `import scipy.fft` takes as long as all else that such a job imports, since it brings the
special functions with it. The transforms themselves are one compiled module, which needs numpy
only; it is loaded by itself. It is private to scipy: where a version has it no more, scipy's
public functions are imported instead, which give the same.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

import numpy as np


def dct(values: np.ndarray, type: int = 2, axis: int = -1, norm: str = "ortho") -> np.ndarray:
    """Orthonormal DCT-II along an axis of a float64 array: `scipy.fftpack.dct`.

    Raises ValueError for another `type` or `norm`.
    """
    if type != 2 or norm != "ortho":
        raise ValueError(f"the DCT is of type 2 and orthonormal, not {type} and {norm}")
    kernel = _kernel()
    if kernel is None:
        from scipy.fft import dct

        return dct(values, type=2, axis=axis, norm="ortho")
    return kernel.dct(values, 2, (axis,), _ORTHONORMAL, None, 1, True)


def rfft(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Fourier transform of real float64 values along an axis, complex128: `scipy.fft.rfft`."""
    kernel = _kernel()
    if kernel is None:
        from scipy.fft import rfft

        return rfft(values, axis=axis)
    return kernel.r2c(values, (axis,), True, _UNSCALED, None, 1)


# How the compiled module names its scalings.
_UNSCALED, _ORTHONORMAL = 0, 1


@cache
def _kernel() -> ModuleType | None:
    """The compiled module; None where it is not, or does not work as known."""
    scipy = importlib.util.find_spec("scipy")  # which is not imported by this
    if scipy is None or not scipy.submodule_search_locations:
        return None
    folder = Path(scipy.submodule_search_locations[0], "fft", "_pocketfft")
    spec = PathFinder.find_spec("pypocketfft", [str(folder)])
    if spec is None or spec.loader is None:
        return None
    try:
        kernel = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(kernel)
        ones = np.ones((1, 4))
        kernel.dct(ones, 2, (1,), _ORTHONORMAL, None, 1, True)
        kernel.r2c(ones, (1,), True, _UNSCALED, None, 1)
    except (ImportError, AttributeError, TypeError):
        return None
    return kernel
