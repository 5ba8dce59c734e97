"""Log-mel spectrogram on the time grid, with Wav2Lip's constants."""

from __future__ import annotations

import logging
from typing import Literal

import numpy as np

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.sound.pocketfft import rfft

logger = logging.getLogger(__name__)

# hparams.py and audio.py of Rudrabha/Wav2Lip; samples are read as floats in [-1, 1].
PREEMPHASIS = 0.97
MIN_LEVEL_DB = -100.0
REF_LEVEL_DB = 20.0
MAX_ABS_VALUE = 4.0

Layout = Literal["grid", "wav2lip"]
HOPS: dict[str, int] = {"grid": 160, "wav2lip": 200}

# Rows per block; a row's window and spectrum take about 16 kB.
BLOCK = 4096


def mel_features(
    audio: np.ndarray,
    *,
    layout: Layout = "grid",
    bands: int = 80,
    n_fft: int = 800,
    fmin: float = 55.0,
    fmax: float = 7600.0,
) -> np.ndarray:
    """Log-mel amplitudes, normalised to [-4, 4].

    As Wav2Lip's `audio.melspectrogram`: pre-emphasis 0.97; Hann window of `n_fft` samples,
    centred, the sound mirrored at its ends; amplitude (not power) through Slaney mel filters;
    20 log10 with a floor of -100 dB; minus 20 dB; [-100, 0] dB mapped to [-4, 4] and clipped.
    Wav2Lip pins librosa 0.7, whose `stft` mirrors by default; later ones pad with zeros.

    `layout` says where the rows stand:
    - "grid": row r is *centred* on sample 160 r, four rows per video frame.
    - "wav2lip": row r is centred on sample 200 r (80 Hz), 1 + floor(3.2 N) rows; with the other
      arguments at their defaults this is Wav2Lip's own spectrogram, transposed.

    Args:
        audio: (640 N,) int16, mono, 16 kHz, N >= 1.
        bands: number of mel bands.
        n_fft: length of window and Fourier transform, in samples.
        fmin, fmax: lowest and highest band edge, in Hz.

    Returns:
        float32, (4 N, bands) for "grid", (1 + 640 N // 200, bands) for "wav2lip".

    Raises:
        ValueError: the audio is not int16, not mono, or not a whole number of frames; an unknown
            layout; band edges outside 0 to 8000 Hz.
    """
    audio = np.asarray(audio)
    if audio.dtype != np.int16 or audio.ndim != 1:
        raise ValueError(f"audio must be mono int16, got {audio.dtype} of shape {audio.shape}")
    if not audio.size or audio.size % SAMPLES_PER_FRAME:
        raise ValueError(f"{audio.size} samples are not a whole number of video frames")
    if layout not in HOPS:
        raise ValueError(f"unknown layout {layout!r}, expected one of {sorted(HOPS)}")
    if not 0 <= fmin < fmax <= SAMPLE_RATE / 2:
        raise ValueError(f"band edges {fmin} and {fmax} Hz must rise within 0 to 8000 Hz")

    hop = HOPS[layout]
    if layout == "grid":
        rows = 4 * (audio.size // SAMPLES_PER_FRAME)
    else:
        rows = 1 + audio.size // hop
    filters = mel_filters(n_fft, bands, fmin, fmax)
    window = 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, n_fft + 1))[:-1]
    blocks = []
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        first = start * hop - n_fft // 2
        signal = _stretch(audio, first, first + (stop - start - 1) * hop + n_fft)
        frames = np.lib.stride_tricks.sliding_window_view(signal, n_fft)[::hop]
        spectrum = rfft(window * frames)
        blocks.append(_normalise(filters @ np.abs(spectrum).T).T.astype(np.float32))
    features = np.concatenate(blocks)
    assert features.shape == (rows, bands), f"{features.shape} instead of {(rows, bands)}"
    return features


def mel_filters(n_fft: int, bands: int, fmin: float, fmax: float) -> np.ndarray:
    """Triangles on Slaney's mel scale, each of area 2: (bands, 1 + n_fft // 2) float32.

    Slaney's scale (Auditory Toolbox, 1998) is linear up to 1000 Hz, 15 mel, and logarithmic above,
    27 mel for a factor of 6.4. The same as `librosa.filters.mel(sr=16000, n_fft=n_fft,
    n_mels=bands, fmin=fmin, fmax=fmax)`, which takes 1.2 s of processor time to import. A band
    narrower than the transform's step has no weight, and is logged.
    """
    knee_hz, knee_mel, step = 1000.0, 15.0, np.log(6.4) / 27.0
    linear = 200.0 / 3
    edges = np.array([fmin, fmax], float)
    mel = np.where(
        edges < knee_hz,
        edges / linear,
        knee_mel + np.log(np.maximum(edges, knee_hz) / knee_hz) / step,
    )
    mel = np.linspace(mel[0], mel[1], bands + 2)
    hertz = np.where(mel < knee_mel, linear * mel, knee_hz * np.exp(step * (mel - knee_mel)))
    ramps = np.subtract.outer(hertz, np.fft.rfftfreq(n_fft, 1 / SAMPLE_RATE))
    widths = np.diff(hertz)
    rising, falling = -ramps[:-2] / widths[:-1, None], ramps[2:] / widths[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    filters *= (2.0 / (hertz[2:] - hertz[:-2]))[:, None]
    empty = (hertz[:-2] > 0) & (filters.max(axis=1) <= 0)
    if empty.any():
        logger.warning(
            "%d of %d mel bands are narrower than the spectrum's step", empty.sum(), bands
        )
    return filters


def _stretch(audio: np.ndarray, first: int, last: int) -> np.ndarray:
    """Pre-emphasised samples `first` to `last` in [-1, 1], mirrored where outside the audio."""
    index = np.arange(first, last)
    period = 2 * (audio.size - 1)
    index = np.abs((index + audio.size - 1) % period - (audio.size - 1))
    signal = audio[index] / 32768.0
    # What is mirrored is the emphasised sound, so every sample looks back at its own neighbour.
    before = np.where(index > 0, audio[np.maximum(index - 1, 0)], 0)
    return signal - PREEMPHASIS * (before / 32768.0)


def _normalise(amplitude: np.ndarray) -> np.ndarray:
    """Amplitude to decibels to [-4, 4]."""
    floor = 10 ** (MIN_LEVEL_DB / 20)
    level = 20 * np.log10(np.maximum(floor, amplitude)) - REF_LEVEL_DB
    scaled = 2 * MAX_ABS_VALUE * (level - MIN_LEVEL_DB) / -MIN_LEVEL_DB - MAX_ABS_VALUE
    return np.clip(scaled, -MAX_ABS_VALUE, MAX_ABS_VALUE)
