"""The sound SyncNet hears: MFCC of 0.2 s for every window of five frames, embedded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import python_speech_features as psf
import soundfile

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.media.audio import read_wav
from talkingface.sync.syncnet.network import EMBEDDING, ROWS, WINDOW, Embedder

ROWS_PER_FRAME = ROWS // WINDOW
# syncnet_python takes a window less than fits into the frames.
LOST_WINDOWS = WINDOW

# The defaults of python_speech_features.mfcc at 16 kHz, in samples.
STEP = SAMPLES_PER_FRAME // ROWS_PER_FRAME
MFCC_WINDOW = 400
PREEMPHASIS = 0.97

# Windows embedded at once.
BLOCK = 64


def sound_mfcc(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Rows `start` to `stop` of python_speech_features.mfcc of (n,) int16 samples, (rows, 13).

    Only the samples of these rows are looked at. They must lie within the sound.
    """
    first, last = start * STEP, (stop - 1) * STEP + MFCC_WINDOW
    if last > len(samples):
        raise ValueError(f"row {stop - 1} ends at sample {last}, the sound at {len(samples)}")
    # Pre-emphasis looks one sample back.
    signal = psf.sigproc.preemphasis(samples[max(first - 1, 0) : last], PREEMPHASIS)
    return psf.mfcc(signal[1 if first else 0 :], SAMPLE_RATE, preemph=0)


class Sounds:
    """The sound's embeddings of a track, window by window, computed as they are asked for."""

    def __init__(
        self,
        sound: str | Path,
        frames: np.ndarray,
        network: Embedder,
        max_offset: int,
        ends: str,
    ) -> None:
        total = soundfile.info(str(sound)).frames // SAMPLES_PER_FRAME
        start, end = int(frames[0]), min(int(frames[-1]) + 1, total)
        self.n_windows = max(0, end - start - LOST_WINDOWS)
        margin = max_offset if ends == "valid" else 0
        # The part of the sound looked at, as frames of the grid, and the windows it has.
        self._begin, self._end = max(0, start - margin), min(end + margin, total)
        self._first = self._begin - start
        self._last = self._first + max(0, self._end - self._begin - LOST_WINDOWS)
        self._filler = 0.0 if ends == "compatible" else np.nan
        self._sound, self._network, self._max_offset = sound, network, max_offset
        # Embeddings held, and the number of the first one's window.
        self._held = np.zeros((0, EMBEDDING), np.float32)
        self._from = -max_offset

    def around(self, start: int, stop: int) -> np.ndarray:
        """(stop - start + 2 V, 1024) float32: the sounds from V windows before `start` to V after
        `stop`; zeros or NaN where there are none. `start` may only rise."""
        low, high = start - self._max_offset, stop + self._max_offset
        parts = [self._held[low - self._from :]]
        at = self._from + len(self._held)
        while at < high:
            parts.append(self._block(at, at + BLOCK))
            at += BLOCK
        self._held, self._from = np.concatenate(parts), low
        return self._held[: high - low]

    def _block(self, start: int, stop: int) -> np.ndarray:
        block = np.full((stop - start, EMBEDDING), self._filler, np.float32)
        first, last = max(start, self._first), min(stop, self._last)
        if first < last:
            rows = ROWS_PER_FRAME * (last - first - 1) + ROWS
            # A frame more in front, for the sample before the first.
            lead = min(1, first - self._first)
            begin = (self._begin + first - self._first - lead) * SAMPLES_PER_FRAME
            samples = read_wav(self._sound, begin, begin + (rows + 8) * STEP)
            own = ROWS_PER_FRAME * lead
            mfcc = sound_mfcc(samples, own, own + rows)
            block[first - start : last - start] = self._network.sounds(mfcc)
        return block
