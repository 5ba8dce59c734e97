"""How good recorded speech sounds, as people would judge it.

By DNSMOS P.835 (Reddy, Gopal and Cutler 2022, arXiv 2110.01763; MIT), a network that was trained on
people's marks from 1, bad, to 5, excellent. Of its three marks this is the overall one; noise,
echoes, distortion and coding lower it, and so does a voice that is recorded faintly.
"""

from __future__ import annotations

import numpy as np

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.networks.onnx import open_packaged
from talkingface.sound.samples import FULL_SCALE, check_sound

# What the network hears at a time: 9.01 s, by speechmos.dnsmos.
WINDOW = 144_160
# Shorter clips, in frames, have no mark: repeated as often as it takes to fill the window, pieces
# of 2 s of five films have 0.4 to 0.8 less than the whole, of 1 s 0.8 to 0.9, of 3 s 0.2 to 0.3.
SHORTEST = 75

# The network's third output to people's overall mark, by speechmos.dnsmos.
_OVERALL = 2
_POLYNOMIAL = (-0.06766283, 1.11546468, 0.04602535)


class SpeechJudge:
    """Marks the sound of clips."""

    def __init__(self, *, threads: int) -> None:
        self._network = open_packaged("speechmos", "dnsmos_models/sig_bak_ovr.onnx", threads)

    def run(self, sound: np.ndarray) -> float:
        """The mark, 1 to 5, of a clip's sound, (640 N,) int16 at 16 kHz; NaN below SHORTEST frames.

        It is the mean of as few windows as cover the clip. speechmos moves its window by a second
        instead, which takes four times as long for 20 s and gives the same within 0.1.
        Raises ValueError for what is no sound of a clip.
        """
        samples = check_sound(sound) / np.float32(FULL_SCALE)
        if len(samples) < SHORTEST * SAMPLES_PER_FRAME:
            return float("nan")
        if len(samples) < WINDOW:
            samples = np.resize(samples, WINDOW)
        count = -(-len(samples) // WINDOW)
        starts = np.linspace(0, len(samples) - WINDOW, count).round().astype(int)
        marks = [self._mark(samples[start : start + WINDOW]) for start in starts]
        return float(np.mean(marks))

    def _mark(self, window: np.ndarray) -> float:
        (outputs,) = self._network.run(None, {"input_1": window[None]})
        return float(np.polyval(_POLYNOMIAL, outputs[0, _OVERALL]))
