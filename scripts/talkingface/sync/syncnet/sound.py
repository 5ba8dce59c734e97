"""The sound SyncNet hears: MFCC of 0.2 s for every window of five frames, embedded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.media.audio import read_wav
from talkingface.sound.mfcc import ROWS_PER_FRAME, STEP, cepstra_rows
from talkingface.sound.mfcc import WINDOW as MFCC_WINDOW
from talkingface.sync.syncnet.network import EMBEDDING, ROWS, WINDOW, Embedder

# syncnet_python takes a window less than fits into the frames.
LOST_WINDOWS = WINDOW
# Windows embedded at once.
BLOCK = 64


def sound_mfcc(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Rows `start` to `stop` of python_speech_features.mfcc of (n,) int16 samples, (rows, 13).

    Only the samples of these rows are looked at. Raises ValueError where they are not all within
    the sound.
    """
    last = (stop - 1) * STEP + MFCC_WINDOW
    if last > len(samples):
        raise ValueError(f"row {stop - 1} ends at sample {last}, the sound at {len(samples)}")
    # SyncNet was trained on samples as they are, which shows in the log energy.
    return cepstra_rows(samples, start, stop, full_scale=1)


class SoundEmbeddings:
    """SyncNet's embeddings of the sound of a track, window by window, as they are asked for.

    sound: the grid's wav. frames: the track's, rising. max_offset, ends: see backend.SyncNetSync.
    `n_windows` is how many windows of the track's lips have sound, `windows` the numbers of those
    there is an embedding of.
    """

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
        # The frames of the grid whose sound is looked at, and the windows they have, by number:
        # 0 begins with the track's first frame.
        self._begin, self._end = max(0, start - margin), min(end + margin, total)
        count = max(0, self._end - self._begin - LOST_WINDOWS)
        self.windows = range(self._begin - start, self._begin - start + count)
        self._filler = 0.0 if ends == "compatible" else np.nan
        self._sound, self._network, self._max_offset = sound, network, max_offset
        # The embeddings at hand, and the number of the first one's window.
        self._buffer = np.zeros((0, EMBEDDING), np.float32)
        self._buffer_start = -max_offset

    def around(self, start: int, stop: int) -> np.ndarray:
        """(stop - start + 2 V, 1024) float32: the sounds from V windows before `start` to V after
        `stop`, V = `max_offset`; zeros or NaN where there are none. `start` may only rise."""
        low, high = start - self._max_offset, stop + self._max_offset
        parts = [self._buffer[low - self._buffer_start :]]
        following = self._buffer_start + len(self._buffer)
        while following < high:
            parts.append(self._block(following, following + BLOCK))
            following += BLOCK
        self._buffer, self._buffer_start = np.concatenate(parts), low
        return self._buffer[: high - low]

    def _block(self, start: int, stop: int) -> np.ndarray:
        """The embeddings of windows `start` to `stop`, (stop - start, 1024) float32."""
        block = np.full((stop - start, EMBEDDING), self._filler, np.float32)
        first, last = max(start, self.windows.start), min(stop, self.windows.stop)
        if first < last:
            rows = ROWS_PER_FRAME * (last - first - 1) + ROWS
            # A frame more in front, for the sample before the first.
            lead = min(1, first - self.windows.start)
            begin = (self._begin + first - self.windows.start - lead) * SAMPLES_PER_FRAME
            samples = read_wav(self._sound, begin, begin + (rows + 8) * STEP)
            skipped = ROWS_PER_FRAME * lead
            mfcc = sound_mfcc(samples, skipped, skipped + rows)
            block[first - start : last - start] = self._network.sounds(mfcc)
        return block
