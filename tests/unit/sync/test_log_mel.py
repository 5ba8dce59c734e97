"""Log-mel energies of sounds whose place and pitch are known, and by their definition."""

from __future__ import annotations

import numpy as np
import pytest

from talkingface.sync import log_mel as module
from talkingface.sync.log_mel import BANDS, EDGES_HZ, FFT, FLOOR, HOP, ROWS, WINDOW, log_mel

# Where the triangles stand, by O'Shaughnessy's formula.
_MEL = np.linspace(*(2595 * np.log10(1 + np.array(EDGES_HZ) / 700)), BANDS + 2)
CORNERS_HZ = 700 * (10 ** (_MEL / 2595) - 1)


def noise(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).integers(-20000, 20000, 640 * frames).astype(np.int16)


def test_rows_by_the_formula() -> None:
    sound = noise(6)
    levels = log_mel(sound)
    assert levels.shape == (6 * ROWS, BANDS) and levels.dtype == np.float32
    silent = np.zeros(WINDOW)
    padded = np.concatenate([silent, sound / 32768, silent])
    frequencies = np.arange(FFT // 2 + 1) * 16000 / FFT
    for row in (0, 1, 11, 23):
        centre = WINDOW + HOP * row
        part = padded[centre - WINDOW // 2 : centre + WINDOW // 2] * np.hanning(WINDOW)
        power = abs(np.fft.rfft(part, FFT)) ** 2
        for band in (0, 17, BANDS - 1):
            weights = np.interp(frequencies, CORNERS_HZ[band : band + 3], [0, 1, 0])
            expected = np.log((weights * power).sum() + FLOOR)
            assert levels[row, band] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("band", [6, 20, 39])
def test_a_tone_is_in_its_band(band: int) -> None:
    times = np.arange(640 * 20) / 16000
    tone = (8000 * np.sin(2 * np.pi * CORNERS_HZ[band + 1] * times)).astype(np.int16)
    levels = log_mel(tone)
    assert set(levels.argmax(axis=1)) == {band}
    # Half as strong, a quarter of the energy.
    inner = slice(4, -4)
    quieter = log_mel(tone // 2)
    np.testing.assert_allclose((levels - quieter)[inner, band], np.log(4), atol=0.01)


@pytest.mark.parametrize("frame", [0, 7, 19])
def test_a_click_is_in_the_row_of_its_time(frame: int) -> None:
    """Row 4 k is about frame k's first sample: 640 k."""
    sound = np.zeros(640 * 20, np.int16)
    sound[640 * frame : 640 * frame + 4] = 20000
    loudness = log_mel(sound).sum(axis=1)
    assert loudness.argmax() == ROWS * frame
    assert (loudness > loudness.min() + 1).sum() <= 3


def test_silence_is_the_floor() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(1280, np.int16)), np.log(FLOOR), rtol=1e-6)
    assert log_mel(np.zeros(0, np.int16)).shape == (0, BANDS)


@pytest.mark.parametrize("block", [1, 7, 40])
def test_blocks_join_without_a_seam(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = noise(10)
    whole = log_mel(sound)
    monkeypatch.setattr(module, "_BLOCK", block)
    np.testing.assert_allclose(log_mel(sound), whole, atol=1e-5)
