"""The transform is scipy's to the bit, with and without scipy's compiled module by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest
import scipy.fftpack

from helpers.paths import SCRIPTS
from talkingface.sound import pocketfft


def no_kernel() -> ModuleType | None:
    return None


@pytest.fixture(params=["compiled module", "public functions"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "public functions":
        monkeypatch.setattr(pocketfft, "_kernel", no_kernel)
    else:
        assert pocketfft._kernel() is not None


@pytest.mark.parametrize("shape", [(1, 26), (4096, 26), (3, 40), (2, 7)])
def test_the_cosine_transform(way: None, shape: tuple[int, int]) -> None:
    values = np.random.default_rng(1).normal(-5, 4, shape)
    for axis in (0, 1):
        expected = scipy.fftpack.dct(values, type=2, axis=axis, norm="ortho")
        np.testing.assert_array_equal(pocketfft.dct(values, axis=axis), expected)


def test_other_cosine_transforms_are_refused() -> None:
    with pytest.raises(ValueError, match="type 2"):
        pocketfft.dct(np.ones((2, 4)), type=3)
    with pytest.raises(ValueError, match="orthonormal"):
        pocketfft.dct(np.ones((2, 4)), norm="backward")


def test_mfcc_leaves_scipy_out_and_unharmed() -> None:
    code = (
        "import sys, numpy as np\n"
        "from talkingface.sound import mfcc\n"
        "sound = np.arange(6400, dtype=np.int16)\n"
        "mfcc.mfcc_features(sound)\n"
        "print('scipy' in sys.modules, 'scipy.fftpack' in sys.modules)\n"
        "import scipy.fftpack\n"
        "print(np.allclose(scipy.fftpack.fft(np.eye(4)[0]), 1))\n"
        "print(scipy.fftpack.dct.__module__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["False False", "True", "scipy.fftpack._realtransforms"]
