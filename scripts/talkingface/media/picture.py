"""Writing and reading single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from talkingface.job.files import DamagedFile, damage_in


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


def read_picture(path: str | Path) -> np.ndarray:
    """A picture as it is stored: (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, uint8 or uint16.

    Raises DamagedFile where it is missing or cannot be decoded: one of a series is part of the
    whole. OpenCV makes up the end of a png or jpg that lost it, so that is looked for.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise DamagedFile(path, "it is missing") from error
    fault = picture_fault(content[:8], content[-16:])
    if fault:
        raise DamagedFile(path, fault)
    with damage_in(path, cv2.error):
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise DamagedFile(path, "it cannot be decoded")
    return image


def picture_fault(head: bytes, tail: bytes) -> str:
    """What is wrong with a png or jpg, by its first and last bytes; "" where it is nothing."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "" if tail.endswith(b"IEND\xaeB`\x82") else "its end is missing"
    if head.startswith(b"\xff\xd8\xff"):
        return "" if tail.endswith(b"\xff\xd9") else "its end is missing"
    return "neither png nor jpg"
