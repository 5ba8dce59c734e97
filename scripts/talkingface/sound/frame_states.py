"""Hidden states of wav2vec 2.0 with one step a video frame, as talking-head diffusion reads them.

By hallo/models/wav2vec.py of fudan-generative-vision/hallo, which others share: what the network's
convolutions make of the sound is brought to as many steps as there are frames before its
transformer looks at it. Importing this takes seconds: only what computes features does.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.sound.speech_models import WaveModel, load_network


class FrameStates:
    """wav2vec 2.0 that gives one step a frame; `layers` and `width` are those of what it gives."""

    def __init__(self, network: WaveModel) -> None:
        self._network, self._steps = network, _OneStepAFrame(network.model.feature_extractor)
        network.model.feature_extractor = self._steps
        self.layers, self.width = network.layers - 1, network.width

    def run(self, samples: np.ndarray) -> torch.Tensor:
        """(N, layers, width) float32 on the processor: what every layer of the transformer makes of
        a clip's sound, (640 N,) int16, all of it in one pass.

        Raises FloatingPointError where a value is not finite.
        """
        self._steps.count = len(samples) // SAMPLES_PER_FRAME
        wave = self._network.prepare(samples)
        states = self._network.states(wave, range(1, self.layers + 1))
        states = states.transpose(0, 1).float().cpu().contiguous()
        if not torch.isfinite(states).all():
            raise FloatingPointError("hidden states that are not finite")
        return states


class _OneStepAFrame(nn.Module):
    """A network's convolutions, and after them linear interpolation to `count` steps.

    The first and the last step stay where they are (align_corners). Of the 2 N - 1 steps of N
    frames, two a frame, that leaves every second one.
    """

    def __init__(self, convolutions: nn.Module) -> None:
        super().__init__()
        self.convolutions, self.count = convolutions, 0

    def forward(self, values: torch.Tensor) -> Any:
        """(B, samples) to (B, channels, count)."""
        steps = self.convolutions(values)
        return F.interpolate(steps, size=self.count, mode="linear", align_corners=True)


def load(
    folder: str | Path, names: Collection[str], device: torch.device, dtype: torch.dtype
) -> FrameStates:
    """The network in a folder; for the arguments and what is raised see speech_models.load_network.

    Raises ValueError for a network that is no wav2vec 2.0, HuBERT or WavLM.
    """
    network = load_network(folder, names, device, dtype)
    if not isinstance(network, WaveModel):
        raise ValueError(f"{folder}: Whisper has no convolutions that give a step a frame")
    return FrameStates(network)
