"""The square of a picture that shows a face to a network, turned with its eye line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

Box = Sequence[float]  # x, y, w, h

# Side of the region / extent of the points: face_landmark_landmarks_to_roi.pbtxt of mediapipe.
POINTS_SCALE = 1.5
# Side of the region / longer side of a box; detectors' boxes often end at the brows.
BOX_SCALE = 1.6
EYE_CORNERS = (33, 263)  # outer corners in the mesh; mediapipe turns the region by them
_N_SKIN = 468  # points of the mesh without irises


class Region(NamedTuple):
    """A square in a picture: its centre and side in pixels, and its turn in radians, clockwise."""

    x: float
    y: float
    side: float
    turn: float


def region_of_points(points: np.ndarray) -> Region:
    """Square around mesh points (n, 2 or 3), turned with the line of the outer eye corners."""
    right, left = points[EYE_CORNERS[0], :2], points[EYE_CORNERS[1], :2]
    turn = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    cos, sin = np.cos(turn), np.sin(turn)
    upright = points[:_N_SKIN, :2] @ np.array([[cos, -sin], [sin, cos]])
    low, high = upright.min(axis=0), upright.max(axis=0)
    cx, cy = (low + high) / 2
    side = float(max(high - low)) * POINTS_SCALE
    return Region(float(cx * cos - cy * sin), float(cx * sin + cy * cos), side, turn)


def region_of_box(box: Box) -> Region:
    """Upright square around a face box x, y, w, h."""
    x, y, w, h = (float(v) for v in box)
    return Region(x + w / 2, y + h / 2, max(w, h) * BOX_SCALE, 0.0)


def crop_to_frame(region: Region, size: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Where a square crop of `size` pixels lies whose centre is the region's, and turned like it.

    scale: frame pixels per crop pixel. Position p of the crop is `linear @ p + shift` in the frame,
    both in pixels whose centres are at halves. Returns linear (2, 2) and shift (2,).
    """
    cos, sin = np.cos(region.turn) * scale, np.sin(region.turn) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    return linear, np.array([region.x, region.y]) - linear @ [size / 2, size / 2]


def crop(frame: np.ndarray, linear: np.ndarray, shift: np.ndarray, size: int) -> np.ndarray:
    """The crop (size, size, 3) of a frame (H, W, 3) whose position p shows `linear @ p + shift`.

    Beyond the frame its border pixels are repeated.
    """
    # OpenCV has pixel centres at whole numbers.
    matrix = np.column_stack([linear, shift + linear @ [0.5, 0.5] - 0.5])
    return cv2.warpAffine(
        frame,
        matrix,
        (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
