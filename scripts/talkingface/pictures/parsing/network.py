"""A parsing backend around a network that scores labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from talkingface.job.closeable import Closeable
from talkingface.networks.frames import FrameBatches, Preprocessing


class LabelNetwork(Closeable):
    """See `parsing.Parser`. Landmarks are not looked at.

    `batches` says how many frames are run at a time.
    """

    def __init__(
        self,
        network: Callable[[torch.Tensor], torch.Tensor],
        preprocessing: Preprocessing,
        size: tuple[int, int],
        *,
        align_corners: bool,
        labels: Sequence[int] | None = None,
    ) -> None:
        """network: (B, 3, *size) -> scores (B, C, h, w), one channel a label. preprocessing: what
        makes its input. size: height and width of it.
        align_corners: how scores are brought to the frames' size (torch's interpolate, bilinear).
        labels: the label of every channel, None where they are in order.
        """
        self._network, self._preprocessing, self._size = network, preprocessing, size
        self._align_corners = align_corners
        self._labels = None if labels is None else np.array(labels, np.uint8)
        self.batches = FrameBatches(self._label, preprocessing.device)

    def close(self) -> None:
        """Nothing to free."""

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """Label maps (B, H, W) uint8; see `parsing.Parser`."""
        return self.batches(frames)

    @torch.inference_mode()
    def _label(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        height, width = frames[0].shape[:2]
        scores = self._network(self._preprocessing(frames, self._size)).float()
        # Frames are enlarged one at a time, as the scores of each are 19 floats a pixel.
        best = []
        for of_frame in scores.contiguous(memory_format=torch.channels_last).split(1):
            of_frame = F.interpolate(
                of_frame, (height, width), mode="bilinear", align_corners=self._align_corners
            )
            best.append(of_frame.argmax(1)[0].to(torch.uint8))
        channels = torch.stack(best).cpu().numpy()
        return list(channels if self._labels is None else self._labels[channels])
