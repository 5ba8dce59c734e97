"""Where the face is in a finished clip."""

from __future__ import annotations

import numpy as np


def boxes_in_clip(boxes: np.recarray, width: int, height: int) -> np.ndarray:
    """Face boxes of a table CLIP_FRAMES as (N, 4) x, y, width, height in pixels of a clip of this
    size."""
    scale_x, scale_y = width / boxes["crop_w"], height / boxes["crop_h"]
    x, y = (boxes["x"] - boxes["crop_x"]) * scale_x, (boxes["y"] - boxes["crop_y"]) * scale_y
    return np.stack([x, y, boxes["w"] * scale_x, boxes["h"] * scale_y], axis=1)
