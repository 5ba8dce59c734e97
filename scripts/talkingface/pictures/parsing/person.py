"""Which pixels show a person: soft masks from the selfie segmentation that mediapipe's wheel holds.

The two networks of mediapipe 0.10.21 (`mp.solutions.selfie_segmentation`; general 256 x 256,
landscape 256 x 144) are Apache-2.0, meant for people within two metres, and mark everybody in the
picture alike. Each frame is judged by itself: nothing is remembered from earlier ones, so frames
may come in any order.

A network's mask is coarse: a cell is 2 x 2 pixels of a 512 x 512 clip. It is brought to the frame's
size with a guided filter, which moves the mask's edge onto the edge in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from talkingface.job.closeable import Closeable
from talkingface.networks import mediapipe_solutions
from talkingface.pictures.guided_filter import GuidedFilter

# Name in the config -> numbers of the networks whose masks are averaged.
MODELS: dict[str, tuple[int, ...]] = {"general": (0,), "landscape": (1,), "both": (0, 1)}

_WORK_SIDE = 256  # longer side of the picture the filter works on: that of the networks
_RADIUS = 4  # of the filter, in pixels of that picture: twice the networks' cells
_CERTAIN = 0.9  # a part of the mask that nowhere reaches this is a doubt, not a person
_JAG = 1 / 128  # smaller jags along the edge are smoothed, share of the picture's longer side
_HOLE = 0.002  # smaller gaps inside a person are filled, share of the picture's area


class PersonMask(Closeable):
    """The loaded networks; not to be shared between threads. A context manager."""

    def __init__(self, model: str) -> None:
        """model: one of MODELS. Raises ValueError for another."""
        if model not in MODELS:
            raise ValueError(f"person model {model!r} is none of {', '.join(MODELS)}")
        self._networks: list[Any] = [
            mediapipe_solutions.selfie_segmentation(model_selection=number)
            for number in MODELS[model]
        ]

    def close(self) -> None:
        """Frees the networks; the instance is useless afterwards. May be called twice."""
        for network in self._networks:
            network.close()
        self._networks = []

    def run(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Masks of a batch of frames of one size.

        frames: (H, W, 3) uint8 BGR. Returns (B, H, W) float32: 1 where a person is, 0 where none
        is; the person's edge is where it passes 0.5.
        """
        if not self._networks:
            raise ValueError("this PersonMask is closed")
        return np.stack([self._mask(frame) for frame in frames])

    def _mask(self, frame: np.ndarray) -> np.ndarray:
        height, width = frame.shape[:2]
        scale = min(1.0, _WORK_SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        coarse = self._coarse(small)
        sharp = GuidedFilter(small, _RADIUS, frame).apply(coarse)
        return np.clip(sharp, 0, 1)

    def _coarse(self, small: np.ndarray) -> np.ndarray:
        """Mean of the networks' masks, (h, w) float32."""
        rgb = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        masks = [network.process(rgb).segmentation_mask for network in self._networks]
        return np.mean(masks, axis=0, dtype=np.float32)


def person_pixels(mask: np.ndarray) -> np.ndarray:
    """(H, W) mask of `PersonMask.run` -> (H, W) bool, which pixels are a person's.

    Jags are smoothed, parts that are doubtful throughout are left out, small holes are filled.
    """
    # Where the picture gives no edge, the filter follows its noise. So the majority around decides.
    side = 2 * round(_JAG * max(mask.shape)) + 1
    person = cv2.blur((mask > 0.5).astype(np.uint8) * 255, (side, side)) > 127
    count, parts = cv2.connectedComponents(person.astype(np.uint8), connectivity=4)
    is_person = np.zeros(count, bool)
    is_person[np.unique(parts[mask > _CERTAIN])] = True
    is_person[0] = False
    person = is_person[parts]
    count, parts, stats, _ = cv2.connectedComponentsWithStats(
        (~person).astype(np.uint8), connectivity=4
    )
    is_hole = stats[:, cv2.CC_STAT_AREA] < _HOLE * mask.size
    is_hole[0] = False
    return person | is_hole[parts]
