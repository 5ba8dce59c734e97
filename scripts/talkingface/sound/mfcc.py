"""MFCC on the time grid: four rows of 39 per video frame (100 Hz)."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.sound.pocketfft import dct
from talkingface.sound.samples import FULL_SCALE, check_sound, preemphasised
from talkingface.tables import MFCC


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

COEFFICIENTS = 13
ROWS_PER_FRAME = SAMPLES_PER_FRAME // STEP

# Rows per block: python_speech_features copies every window several times (about 15 kB a row).
BLOCK = 4096


def make_mfcc(clips: Sequence[Clip], folder: str | Path, manifest: str | Path) -> None:
    """Write the features of every clip's sound: `folder`/{clip}.npy, and the table MFCC."""

    def make(clip: Clip, into: Path) -> None:
        np.save(into / f"{clip.clip_id}.npy", mfcc_features(clip.sound()))

    make_for_clips(make, clips, folder, manifest, MFCC)


def mfcc_features(audio: np.ndarray) -> np.ndarray:
    """13 MFCC and their deltas over one and over two rows, as liutaocode/talking_face_preprocessing
    computes them.

    Row r describes the 25 ms window that *starts* at sample 160 r, so video frame k owns rows
    4k to 4k + 3. Columns 0-12 are `python_speech_features.mfcc` with its defaults on samples in
    [-1, 1) (column 0 is the log energy; samples as int16 would only raise it by 2 ln 32768);
    13-25 are `delta(mfcc, 1)`, 26-38 are `delta(mfcc, 2)`, whose ends repeat the first and last
    row. Source: libs/mfcc_feature_example.py of that project.

    It gives 4N - 1 rows for 640 N samples: its last window starts 320 samples before the end and
    is filled up with zeros after pre-emphasis. The last row here comes about in the same way, 160
    samples later (160 of sound, 240 zeros). All other MFCC rows are the same; of the deltas, only
    those that see the end differ: the last row of the first, the last two of the second.

    audio: (640 N,) int16, mono, 16 kHz, N >= 1. Returns (4 N, 39) float32.
    Raises ValueError where the audio is not int16, not mono, or not a whole number of frames.
    """
    audio = check_sound(audio)
    rows = audio.size // STEP
    blocks = [
        cepstra_rows(audio, start, min(start + BLOCK, rows), full_scale=FULL_SCALE)
        for start in range(0, rows, BLOCK)
    ]
    cepstra = np.concatenate(blocks)
    deltas = [psf.delta(cepstra, 1), psf.delta(cepstra, 2)]
    features = np.hstack([cepstra, *deltas]).astype(np.float32)

    expected = (ROWS_PER_FRAME * (audio.size // SAMPLES_PER_FRAME), 3 * COEFFICIENTS)
    assert features.shape == expected, f"{features.shape} instead of {expected}"
    return features


def cepstra_rows(sound: np.ndarray, start: int, stop: int, *, full_scale: float) -> np.ndarray:
    """Rows `start` to `stop` of python_speech_features.mfcc of a whole sound, (rows, 13) float64.

    Only the samples of these rows are looked at. `sound` is (n,) int16, divided by `full_scale`;
    beyond its end there are zeros.
    """
    first, last = start * STEP, (stop - 1) * STEP + WINDOW
    signal = preemphasised(sound, first, last) / full_scale
    # Zeros come after pre-emphasis, as in the reference; before it they would begin with a click.
    signal = np.pad(signal, (0, last - first - signal.size))
    return psf.mfcc(signal, SAMPLE_RATE, preemph=0)
