"""Weights of the lip-sync backend `mesh` that are made here: no networks to speak of, but what they
see is known. The lips' number is how far the mouth is open, the sound's how loud it is, both
relative to the time around."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talkingface.sync.log_mel import BANDS, ROWS
from talkingface.sync.mouth import INNER_LIPS

# How much likelier a frame is for each centimetre of the mouth times a third of a neper.
GAIN = 4.0


def write_weights(path: Path) -> Path:
    """A file as `benchmarks/fit_lip_sync.py` writes it."""
    upper, lower = 1, 4  # heights of both lips in a shape
    basis = np.zeros((6, 1), np.float32)
    basis[upper], basis[lower] = 1, -1
    np.savez(
        path,
        vertices=np.array(INNER_LIPS),
        basis=basis,
        # The shape and its motion go in, the shape comes out.
        mouth_0_weights=np.array([[GAIN], [0]], np.float16),
        mouth_0_biases=np.zeros(1, np.float16),
        mouth_places=np.array([[1, 0]]),
        # The rows of a frame, and one before.
        sound_0_weights=np.full((6 * BANDS, 1), 1 / (6 * BANDS), np.float16),
        sound_0_biases=np.zeros(1, np.float16),
        sound_places=np.array([[ROWS, 1]]),
        # No sound is more usual than another.
        typical=np.zeros(1, np.float32),
        spread=np.zeros((1, 1), np.float32),
    )
    return path
