"""Log-mel energies of the sound, four rows a frame, as the lip-sync network hears them.

`sound.mel` has those that trainers read, by librosa, whose import takes longer than all of `sync`
on a short video.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.sound.samples import FULL_SCALE

BANDS = 40
EDGES_HZ = (80.0, 7600.0)
# Rows a frame, and samples from row to row.
ROWS = 4
HOP = SAMPLES_PER_FRAME // ROWS
WINDOW = 400
FFT = 512
# Of full scale's energy: below any sound that is heard.
FLOOR = 1e-7

# Rows whose spectra are taken at once.
_BLOCK = 4000


@cache
def mel_filters() -> np.ndarray:
    """(BANDS, FFT / 2 + 1) float32: triangles of height 1, evenly spaced in mel (O'Shaughnessy)."""
    low, high = (2595 * np.log10(1 + edge / 700) for edge in EDGES_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    frequencies = np.arange(FFT // 2 + 1) * SAMPLE_RATE / FFT
    rising = (frequencies - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequencies) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(sound: np.ndarray) -> np.ndarray:
    """Natural logarithm of the energy in each band, (4 N, BANDS) float32.

    `sound` is (640 N,) int16 at 16 kHz. Row j is a Hann window of 25 ms centred on sample 160 j, so
    row 4 k is centred on frame k's time; there is silence beyond the ends.
    """
    rows = len(sound) // HOP
    padded = np.pad(sound, (WINDOW // 2, WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:rows]
    hann, filters = np.hanning(WINDOW).astype(np.float32) / FULL_SCALE, mel_filters().T
    levels = np.empty((rows, BANDS), np.float32)
    for start in range(0, rows, _BLOCK):
        spectra = np.fft.rfft(windows[start : start + _BLOCK] * hann, FFT)
        power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
        levels[start : start + _BLOCK] = np.log(power @ filters + FLOOR)
    return levels
