"""Writing single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_picture(image: np.ndarray, path: str | Path, options: Sequence[int] = ()) -> None:
    """Write a picture in the format of its suffix; `options` are those of `cv2.imwrite`.

    `image` is (H, W), (H, W, 3) BGR or (H, W, 4) BGRA. Raises OSError when it cannot be written:
    cv2.imwrite says nothing when the last block of a file found no space.
    """
    path = Path(path)
    done, encoded = cv2.imencode(path.suffix, image, options)
    if not done:
        raise ValueError(f"{path}: a picture of {image.shape} {image.dtype} cannot be encoded")
    path.write_bytes(encoded.tobytes())
