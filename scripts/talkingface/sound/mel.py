"""Log-mel spectrogram on the time grid, with Wav2Lip's constants."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

# librosa loads lazily: this line is cheap, the first look-up of a function takes 1.3 s, 0.2 to
# 0.4 s of it for numba, which `librosa.stft` and `librosa.filters.mel` do not use.
import librosa
import numpy as np

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.sound.samples import FULL_SCALE, check_sound, preemphasised
from talkingface.tables import MEL

# hparams.py and audio.py of Rudrabha/Wav2Lip; samples are read as floats in [-1, 1].
N_FFT = 800
BAND_EDGES_HZ = (55.0, 7600.0)
MIN_LEVEL_DB = -100.0
REF_LEVEL_DB = 20.0
MAX_ABS_VALUE = 4.0

Layout = Literal["grid", "wav2lip"]
HOPS: dict[str, int] = {"grid": 160, "wav2lip": 200}

# Rows per block; a row's spectrum takes about 13 kB.
BLOCK = 4096


def make_mel(
    clips: Sequence[Clip], folder: str | Path, manifest: str | Path, *, layout: Layout, bands: int
) -> None:
    """Write the features of every clip's sound: `folder`/{clip}.npy, and the table MEL.

    layout, bands: see mel_features.
    """

    def make(clip: Clip, into: Path) -> None:
        features = mel_features(clip.sound(), layout=layout, bands=bands)
        np.save(into / f"{clip.clip_id}.npy", features)

    make_for_clips(make, clips, folder, manifest, MEL)


def mel_features(audio: np.ndarray, *, layout: Layout, bands: int) -> np.ndarray:
    """Log-mel amplitudes, normalised to [-4, 4].

    As Wav2Lip's `audio.melspectrogram`: pre-emphasis 0.97; Hann window of 800 samples, centred,
    the sound mirrored at its ends; amplitude (not power) through Slaney mel filters; 20 log10 with
    a floor of -100 dB; minus 20 dB; [-100, 0] dB mapped to [-4, 4] and clipped.
    Wav2Lip pins librosa 0.7, whose `stft` mirrors by default; later ones pad with zeros.

    `layout` says where the rows stand:
    - "grid": row r is *centred* on sample 160 r, four rows per video frame.
    - "wav2lip": row r is centred on sample 200 r (80 Hz), 1 + floor(3.2 N) rows; with 80 bands
      this is Wav2Lip's own spectrogram, transposed.

    audio: (640 N,) int16, mono, 16 kHz, N >= 1. bands: number of mel bands, from 55 to 7600 Hz.
    Returns float32, (4 N, bands) for "grid", (1 + 640 N // 200, bands) for "wav2lip".
    Raises ValueError where the audio is not int16, not mono, or not a whole number of frames, and
    for an unknown layout.
    """
    audio = check_sound(audio)
    if layout not in HOPS:
        raise ValueError(f"unknown layout {layout!r}, expected one of {sorted(HOPS)}")

    hop = HOPS[layout]
    if layout == "grid":
        rows = 4 * (audio.size // SAMPLES_PER_FRAME)
    else:
        rows = 1 + audio.size // hop
    fmin, fmax = BAND_EDGES_HZ
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=bands, fmin=fmin, fmax=fmax)
    blocks = []
    for start in range(0, rows, BLOCK):
        stop = min(start + BLOCK, rows)
        first = start * hop - N_FFT // 2
        signal = _mirrored(audio, first, first + (stop - start - 1) * hop + N_FFT)
        spectrum = librosa.stft(signal, n_fft=N_FFT, hop_length=hop, center=False)
        blocks.append(_normalise(filters @ np.abs(spectrum)).T.astype(np.float32))
    features = np.concatenate(blocks)
    assert features.shape == (rows, bands), f"{features.shape} instead of {(rows, bands)}"
    return features


def _mirrored(audio: np.ndarray, first: int, last: int) -> np.ndarray:
    """Pre-emphasised samples `first` to `last` in [-1, 1], mirrored where outside the audio."""
    index = np.arange(first, last)
    period = 2 * (audio.size - 1)
    index = np.abs((index + audio.size - 1) % period - (audio.size - 1))
    # What is mirrored is the emphasised sound, not the sound.
    lowest = int(index.min())
    signal = preemphasised(audio, lowest, int(index.max()) + 1) / FULL_SCALE
    return signal[index - lowest]


def _normalise(amplitude: np.ndarray) -> np.ndarray:
    """Amplitude to decibels to [-4, 4]."""
    floor = 10 ** (MIN_LEVEL_DB / 20)
    level = 20 * np.log10(np.maximum(floor, amplitude)) - REF_LEVEL_DB
    scaled = 2 * MAX_ABS_VALUE * (level - MIN_LEVEL_DB) / -MIN_LEVEL_DB - MAX_ABS_VALUE
    return np.clip(scaled, -MAX_ABS_VALUE, MAX_ABS_VALUE)
