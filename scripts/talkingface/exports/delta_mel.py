"""How the mel spectrum of a sound changes from frame to frame, as eeskimez computes it.

`melSpectra` of utils.py and featureExtractor.py of eeskimez/Talking-Face-Landmarks-from-Speech:
44.1 kHz, periods of 1764 samples, one a frame at 25 fps; Hann window of one period, *centred* on
the frame's beginning, the sound mirrored at its own; amplitudes over 883, squared, through 64 of
Slaney's mel filters up to 22.05 kHz; natural logarithm of 1e-16 plus that. Of it the differences of
neighbouring rows and the differences of these; there are none for the first row and the first two,
which are zero.

Its 1764 N samples give one row more, centred on their end; N rows are kept.
"""

from __future__ import annotations

from collections.abc import Callable

# librosa loads lazily: this line is cheap, the first look-up of a function takes 1.3 s.
import librosa
import numpy as np

RATE = 44_100
PERIOD = 1764
BANDS = 64
FEATURES = 2 * BANDS
_FLOOR = 1e-16
# Half of the spectrum's values and one: the reader scales amplitudes by it.
_SCALE = 1 + PERIOD // 2
_FULL_SCALE = 32768.0

# Frames per block; one takes about 20 kB.
BLOCK = 1000

# Gives samples `start` to `stop` (exclusive), 44.1 kHz, mono, as (n,) int16.
SoundReader = Callable[[int, int], np.ndarray]


def delta_mel(sound: SoundReader, n_frames: int) -> np.ndarray:
    """(N, 128) float32: by how much every band grows (64), and by how much that grows (64).

    `sound` is asked for stretches of 1764 N samples, in order. Row k is of the window centred on
    sample 1764 k, less those before it. Raises ValueError for less than one frame.
    """
    if n_frames < 1:
        raise ValueError(f"a sound of {n_frames} frames has no features")
    mel = np.concatenate(
        [
            _log_mel(sound, first, min(first + BLOCK, n_frames))
            for first in range(0, n_frames, BLOCK)
        ]
    )
    features = np.zeros((n_frames, FEATURES), np.float32)
    features[1:, :BANDS] = np.diff(mel, axis=0)
    features[2:, BANDS:] = np.diff(mel, n=2, axis=0)
    return features


def _log_mel(sound: SoundReader, first: int, last: int) -> np.ndarray:
    """Rows `first` to `last` (exclusive) of the log-mel spectrum, (n, 64) float32."""
    half = PERIOD // 2
    start = PERIOD * first - half
    # One sample more than the window of a single frame has, for what is mirrored.
    stop = max(PERIOD * (last - 1) + half, half + 1)
    samples = sound(max(start, 0), stop) / np.float32(_FULL_SCALE)
    if start < 0:
        samples = np.concatenate([samples[half:0:-1], samples])
    spectrum = librosa.stft(samples, n_fft=PERIOD, hop_length=PERIOD, center=False)
    power = (np.abs(spectrum) / _SCALE) ** 2
    filters = librosa.filters.mel(sr=RATE, n_fft=PERIOD, n_mels=BANDS)
    return np.log(_FLOOR + filters @ power).T.astype(np.float32)
