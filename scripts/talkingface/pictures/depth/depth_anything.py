"""Depth backend `depth_anything`: Depth Anything (Yang et al., 2024) of transformers.

Made for depth-anything/Depth-Anything-V2-Small-hf. Frames are prepared as its
preprocessor_config.json says, and depth is brought back to their size (bicubic), as transformers'
DPTImageProcessor does. Every pixel has depth, whether there is a face or not.

The network looks at each frame by itself: scale and shift may differ from frame to frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from transformers import AutoModelForDepthEstimation

from talkingface.models.table import CONFIG, file_names
from talkingface.networks.frames import FrameBatches
from talkingface.networks.transformers_io import (
    PreprocessorConfig,
    load_pretrained,
    read_preprocessor_config,
)
from talkingface.networks.weights import ADVICE


class AnythingDepth:
    """See `depth.Backend`. `batches` says how many frames are run at a time."""

    name = "depth_anything"
    quantity = (
        "inverse depth up to a scale and a shift, which may differ from frame to frame:"
        " larger is nearer"
    )
    unit = "none: scale and shift are unknown"
    nearer_is_smaller = False
    needs_frames = True

    def __init__(self, model: Any, config: PreprocessorConfig) -> None:
        self._model, self._config = model, config
        self._preprocessing = config.preprocessing(model.device, model.dtype)
        self.batches = FrameBatches(self._measure, model.device)

    def limits(self, points: np.ndarray, present: np.ndarray) -> None:
        """None, as they are not known before the clip has been run."""
        return None

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """(B, H, W) float32; landmarks are not looked at."""
        return self.batches(frames)

    @torch.inference_mode()
    def _measure(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        size = frames[0].shape[:2]
        pictures = self._preprocessing(frames, self._config.input_size(*size))
        depth = self._model(pixel_values=pictures).predicted_depth[:, None].float()
        depth = F.interpolate(depth, size, mode="bicubic", align_corners=False)
        return depth[:, 0].cpu().numpy()


def load(folder: str | Path, device: torch.device, dtype: torch.dtype) -> AnythingDepth:
    """Load the model in `folder` for `device`, computing in `dtype`.

    Raises ValueError when it is another kind of model, one of metric depth, or its file has not
    all weights.
    """
    config = read_preprocessor_config(folder)
    model = load_pretrained(
        folder,
        file_names("depth_anything"),
        "depth_anything",
        AutoModelForDepthEstimation,
        device,
        dtype,
    )
    if model.config.depth_estimation_type != "relative":
        raise ValueError(
            f"{Path(folder, CONFIG)}: a model of {model.config.depth_estimation_type} depth, "
            f"expected relative; {ADVICE}"
        )
    return AnythingDepth(model, config)
