"""MFCC on the time grid: four rows of 39 per video frame (100 Hz)."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.sound.pocketfft import dct


def _import_psf() -> ModuleType:
    """python_speech_features without scipy, of which it uses one function, `dct`.

    In place of scipy.fftpack it finds a module with that function, which is taken away again, so
    that others import the real one. Where scipy.fftpack is there already, it is what is found.
    """
    fftpack = ModuleType("scipy.fftpack")
    fftpack.dct = dct  # type: ignore[attr-defined]
    found = sys.modules.setdefault(fftpack.__name__, fftpack)
    try:
        import python_speech_features
    finally:
        if found is fftpack:
            del sys.modules[fftpack.__name__]
    return python_speech_features


psf = _import_psf()

# The defaults of python_speech_features.mfcc at 16 kHz, in samples.
WINDOW = 400
STEP = 160
PREEMPHASIS = 0.97

COEFFICIENTS = 13
ROWS_PER_FRAME = SAMPLES_PER_FRAME // STEP

# Rows per block: python_speech_features copies every window several times (about 15 kB a row).
BLOCK = 4096


def mfcc_features(audio: np.ndarray) -> np.ndarray:
    """13 MFCC and their deltas over one and over two rows, as seed 0 computes them.

    Row r describes the 25 ms window that *starts* at sample 160 r, so video frame k owns rows
    4k to 4k + 3. Columns 0-12 are `python_speech_features.mfcc` with its defaults on samples in
    [-1, 1) (column 0 is the log energy; samples as int16 would only raise it by 2 ln 32768);
    13-25 are `delta(mfcc, 1)`, 26-38 are `delta(mfcc, 2)`, whose ends repeat the first and last
    row. Source: libs/mfcc_feature_example.py of liutaocode/talking_face_preprocessing.

    That program gives 4N - 1 rows for 640 N samples: its last window starts 320 samples before
    the end and is filled up with zeros after pre-emphasis. The last row here comes about in the
    same way, 160 samples later (160 of sound, 240 zeros). All other MFCC rows are the same; of
    the deltas, only those that see the end differ: the last row of the first, the last two of
    the second.

    Args:
        audio: (640 N,) int16, mono, 16 kHz, N >= 1.

    Returns:
        (4 N, 39) float32.

    Raises:
        ValueError: the audio is not int16, not mono, or not a whole number of frames.
    """
    audio = np.asarray(audio)
    if audio.dtype != np.int16 or audio.ndim != 1:
        raise ValueError(f"audio must be mono int16, got {audio.dtype} of shape {audio.shape}")
    if not audio.size or audio.size % SAMPLES_PER_FRAME:
        raise ValueError(f"{audio.size} samples are not a whole number of video frames")

    rows = audio.size // STEP
    cepstra = np.concatenate(
        [_cepstra(audio, start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]
    )
    deltas = [psf.delta(cepstra, 1), psf.delta(cepstra, 2)]
    features = np.hstack([cepstra, *deltas]).astype(np.float32)

    expected = (ROWS_PER_FRAME * (audio.size // SAMPLES_PER_FRAME), 3 * COEFFICIENTS)
    assert features.shape == expected, f"{features.shape} instead of {expected}"
    return features


def _cepstra(audio: np.ndarray, start: int, stop: int) -> np.ndarray:
    """(stop - start, 13) MFCC rows `start` to `stop` of the whole audio."""
    first, last = start * STEP, (stop - 1) * STEP + WINDOW
    # Pre-emphasis looks one sample back, also across the edge of a block.
    samples = audio[max(first - 1, 0) : last] / 32768.0
    signal = psf.sigproc.preemphasis(samples, PREEMPHASIS)
    signal = signal[1 if first else 0 :]
    # Zeros come after pre-emphasis, as in the reference; before it they would begin with a click.
    signal = np.pad(signal, (0, last - first - signal.size))
    return psf.mfcc(signal, SAMPLE_RATE, preemph=0)
