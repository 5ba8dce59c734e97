"""Frames made into a network's input, and run in batches that fit the card's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from talkingface.networks.devices import run_batches

# Mean and deviation of ImageNet's red, green and blue, counted from 0 to 1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """How frames become a network's input.

    resize: `bilinear` or `bicubic` as Pillow does them (filters as wide as the step, so that
        nothing is skipped where a frame is made smaller), or `area`, which is OpenCV's INTER_AREA.
    mean, std: what red, green and blue, counted from 0 to 1, are normalised by.
    device, dtype: where and in which format the network computes.
    """

    resize: str
    mean: Sequence[float]
    std: Sequence[float]
    device: torch.device
    dtype: torch.dtype

    def __call__(self, frames: Sequence[np.ndarray], size: tuple[int, int]) -> torch.Tensor:
        """B frames (H, W, 3) uint8 BGR of one size -> (B, 3, *size) normalised RGB on the device.

        size: height and width of the network's input.
        """
        pictures = self._resized(frames, size).to(self.device).float()
        std, mean = (
            torch.tensor(values, device=self.device).view(1, 3, 1, 1)
            for values in (self.std, self.mean)
        )
        return pictures.mul_(1 / (255 * std)).sub_(mean / std).to(self.dtype)

    def _resized(self, frames: Sequence[np.ndarray], size: tuple[int, int]) -> torch.Tensor:
        """(B, 3, *size) uint8 RGB on the processor, whose channels are last in memory."""
        has_size = frames[0].shape[:2] == size
        if self.resize == "area" and not has_size:
            frames = [cv2.resize(f, size[::-1], interpolation=cv2.INTER_AREA) for f in frames]
            has_size = True
        stacked = np.empty((len(frames), *frames[0].shape), np.uint8)
        for frame, target in zip(frames, stacked, strict=True):
            cv2.cvtColor(frame, cv2.COLOR_BGR2RGB, dst=target)
        pictures = torch.from_numpy(stacked).permute(0, 3, 1, 2)
        if has_size:
            return pictures
        # On bytes torch does as Pillow does, up to rounding (a level or two in a pixel of a
        # hundred), several times as fast.
        return F.interpolate(pictures, size, mode=self.resize, antialias=True)


class FrameBatches:
    """Runs `run`, which makes a result of every frame, on several frames at a time.

    `size` is their number: two on a processor, whose caches hold no more, and eight on a card.
    Where the card's memory does not suffice, it becomes smaller for all that follows.
    """

    def __init__(
        self,
        run: Callable[[Sequence[np.ndarray]], Iterable[np.ndarray]],
        device: torch.device,
    ) -> None:
        self._run = run
        self.size = 2 if device.type == "cpu" else 8

    def __call__(self, frames: Iterable[np.ndarray]) -> np.ndarray:
        """The results of frames of one size, stacked."""
        return np.stack(list(run_batches(self._attempt, frames, self.size)))

    def _attempt(self, frames: Sequence[np.ndarray]) -> Iterable[np.ndarray]:
        try:
            return self._run(frames)
        except torch.OutOfMemoryError:
            self.size = max(1, len(frames) // 2)
            raise
