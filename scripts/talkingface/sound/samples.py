"""What every feature of the sound begins with: whole video frames of it, pre-emphasised."""

from __future__ import annotations

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME

# Of python_speech_features and of Rudrabha/Wav2Lip alike.
PREEMPHASIS = 0.97
# What makes int16 samples floats in [-1, 1).
FULL_SCALE = 32768.0


def check_sound(sound: np.ndarray) -> np.ndarray:
    """The sound of a clip, (640 N,) int16, mono, 16 kHz, N >= 1.

    Raises ValueError for one that is not int16, not mono, or not a whole number of video frames.
    """
    sound = np.asarray(sound)
    if sound.dtype != np.int16 or sound.ndim != 1:
        raise ValueError(f"audio must be mono int16, got {sound.dtype} of shape {sound.shape}")
    if not sound.size or sound.size % SAMPLES_PER_FRAME:
        raise ValueError(f"{sound.size} samples are not a whole number of video frames")
    return sound


def preemphasised(sound: np.ndarray, first: int, last: int) -> np.ndarray:
    """Samples `first` to `last` of a (n,) sound, each less 0.97 of the one before, float64.

    `first` is at least 0. Blocks of a sound join without a seam: only the whole sound's first
    sample has none before it. Beyond its end there is nothing.
    """
    samples = sound[max(first - 1, 0) : last].astype(np.float64)
    emphasised = samples[1:] - PREEMPHASIS * samples[:-1]
    return emphasised if first else np.concatenate([samples[:1], emphasised])
