"""Between a quantity and the 16 bits of a picture of depth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from talkingface.job.files import read_json

_FARTHEST, _NEAREST = 1, 65535


@dataclass(frozen=True)
class Scale:
    """Between a quantity and the 16 bits of a picture: quantity = offset + scale * value."""

    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def between(cls, near: float, far: float) -> Self:
        """The scale on which `far` is 1 and `near` is 65535."""
        scale = (near - far) / (_NEAREST - _FARTHEST) or 1.0
        return cls(scale, far - _FARTHEST * scale)

    def encode(self, depth: np.ndarray) -> np.ndarray:
        """float32 quantity -> uint16 values, 0 for NaN; what is beyond the ends is put there."""
        values = np.rint((depth - np.float32(self.offset)) / np.float32(self.scale))
        np.clip(values, _FARTHEST, _NEAREST, out=values)
        return np.nan_to_num(values, copy=False, nan=0).astype(np.uint16)

    def decode(self, values: np.ndarray) -> np.ndarray:
        """uint16 values -> float32 quantity, NaN for 0."""
        depth = (self.offset + self.scale * values).astype(np.float32)
        depth[values == 0] = np.nan
        return depth


def read_scale(record: str | Path) -> Scale:
    """The scale in a clip's record."""
    values = read_json(record, "scale", "offset")
    return Scale(values["scale"], values["offset"])
