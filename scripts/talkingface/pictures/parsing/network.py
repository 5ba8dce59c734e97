"""A parsing backend around a network that scores labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F

from talkingface.job.closeable import Closeable
from talkingface.networks.frames import FrameBatches, FrameInput


class LabelNetwork(Closeable):
    """See `parsing.Parser`. Landmarks are not looked at.

    `batches` says how many frames are run at a time.
    """

    def __init__(
        self,
        scores: Callable[[torch.Tensor], torch.Tensor],
        frames: FrameInput,
        size: tuple[int, int],
        *,
        align_corners: bool,
        labels: Sequence[int] | None = None,
    ) -> None:
        """scores: (B, 3, *size) -> (B, C, h, w), one channel a label. frames: what makes its input.
        align_corners: how scores are brought to the frames' size (torch's interpolate, bilinear).
        labels: the label of every channel, None where they are in order.
        """
        self._scores, self._input, self._size = scores, frames, size
        self._align_corners = align_corners
        self._labels = None if labels is None else np.array(labels, np.uint8)
        self.batches = FrameBatches(self._label, frames.device)

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
        scores = self._scores(self._input(frames, self._size)).float()
        # One at a time: the scores of a frame are 19 floats a pixel.
        maps = []
        for own in scores.contiguous(memory_format=torch.channels_last).split(1):
            own = F.interpolate(
                own, (height, width), mode="bilinear", align_corners=self._align_corners
            )
            maps.append(own.argmax(1)[0].to(torch.uint8))
        found = torch.stack(maps).cpu().numpy()
        return list(found if self._labels is None else self._labels[found])
