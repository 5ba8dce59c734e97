"""Where in a clip the face and the lips are: the masks of fudan-generative-vision/hallo.

By hallo/utils/util.py and ImageProcessorForDataProcessing: in every frame the upright rectangle
around a ring of mesh points, the rectangle around those of all frames, and for its attention
both of these blurred at 64 x 64.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

# Rings of the mesh: the face's outline and the lips' outer edge.
FACE = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
)  # fmt: skip

# Side of the blurred masks, and of the Gaussian's kernel in their pixels.
SOFT_SIZE = 64
FACE_KERNEL, LIPS_KERNEL = 51, 31


@dataclass(frozen=True)
class HalloMasks:
    """The masks of a clip, uint8 from 0 to 255.

    union: (H, W), 255 where the face is in any frame. border, face, lips: (64, 64), soft, of what
    is around the face, of the face without the lips, and of the lips.
    """

    union: np.ndarray
    border: np.ndarray
    face: np.ndarray
    lips: np.ndarray


def hallo_masks(points: np.ndarray, width: int, height: int) -> HalloMasks:
    """The masks of a clip of this size.

    points: (N, 478, 2 or 3) mesh of the frames with a face, in clip pixels. Without any the face
    is nowhere.
    """
    union = union_mask(points[:, FACE, :2], width, height)
    soft_face = soft_mask(union, FACE_KERNEL)
    soft_lips = soft_mask(union_mask(points[:, LIPS, :2], width, height), LIPS_KERNEL)
    return HalloMasks(union, 255 - soft_face, cv2.subtract(soft_face, soft_lips), soft_lips)


def union_mask(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(height, width) uint8: 255 in the rectangle around those of all frames.

    points: (N, P, 2), pixels. A rectangle has whole corners and an even width and height, and is
    moved, not cut, where it reaches beyond the picture.
    """
    mask = np.zeros((height, width), np.uint8)
    if len(points):
        (x1, x2), (y1, y2) = (
            _extent(points[..., axis], size) for axis, size in enumerate((width, height))
        )
        mask[y1:y2, x1:x2] = 255
    return mask


def _extent(values: np.ndarray, size: int) -> tuple[int, int]:
    """The first pixel, and the one after the last, of the rectangles around (N, P) coordinates
    along an axis of `size` pixels."""
    low, high = np.round(values.min(axis=1)), np.round(values.max(axis=1))
    middle, half = (low + high) // 2, (high - low) // 2
    low, high = middle - half, middle + half
    before, beyond = np.maximum(-low, 0), np.maximum(high - size, 0)
    low, high = low + before - beyond, high + before - beyond
    return int(low.min().clip(0, size)), int(high.max().clip(0, size))


def soft_mask(mask: np.ndarray, kernel: int) -> np.ndarray:
    """(64, 64) uint8: a mask made smaller and blurred, from 0 where it is lowest to 255."""
    small = cv2.resize(mask, (SOFT_SIZE, SOFT_SIZE), interpolation=cv2.INTER_LINEAR)
    blurred = cv2.GaussianBlur(small, (kernel, kernel), 0)
    return cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX)
