"""scipy's cosine transform without the import of scipy, for numbers that are its own to the bit.

`import scipy.fft` takes as long as all else that a job of `mfcc` imports, since it brings the
special functions with it. The transform itself is in one compiled module, which needs numpy only;
it is loaded by itself. It is private to scipy: where a version has it no more, scipy's public
function is imported instead, which gives the same.
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


# How the compiled module names the scaling.
_ORTHONORMAL = 1


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
    except (ImportError, AttributeError, TypeError):
        return None
    return kernel
