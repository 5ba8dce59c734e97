"""Faces pasted on backgrounds without one: pictures whose face boxes are known.

The truth is the hull of mediapipe's face *mesh* (upper forehead to chin, cheek to cheek), another
model than the detector, measured once on the whole source picture and moved with the pasted face.
Measured in tracking mode, once settled: on a small face its first look is up to 25 % too large.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import skimage.data


class Face(NamedTuple):
    """A picture (H, W, 3) BGR and the outline (n, 2) of its one face, in its pixels."""

    image: np.ndarray
    outline: np.ndarray


def hull_outline(x: float, y: float, w: float, h: float) -> np.ndarray:
    """An ellipse (32, 2) that fills the box."""
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return np.column_stack([x + w / 2 * (1 + np.cos(turn)), y + h / 2 * (1 + np.sin(turn))])


def astronaut() -> Face:
    """scikit-image's astronaut; mesh hull x, y, w, h = 178.1, 69.0, 95.0, 107.8."""
    image = np.ascontiguousarray(skimage.data.astronaut()[:, :, ::-1])
    return Face(image, hull_outline(178.1, 69.0, 95.0, 107.8))


def background(name: str, width: int, height: int) -> np.ndarray:
    """scikit-image's picture ``name`` cropped to the aspect of, and scaled to, width x height."""
    image = getattr(skimage.data, name)()
    image = image[0] if isinstance(image, tuple) else image
    h, w = image.shape[:2]
    scale = max(width / w, height / h)
    image = cv2.resize(image, (round(w * scale) + 1, round(h * scale) + 1))
    return np.ascontiguousarray(image[:height, :width, ::-1])


def paste(
    canvas: np.ndarray, face: Face, cx: float, cy: float, height: float, angle: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """``canvas`` with the head pasted so that its face's centre is (cx, cy) and its upright face
    height is ``height`` px, turned by ``angle`` degrees. Returns (picture, truth x, y, w, h)."""
    low, high = face.outline.min(0), face.outline.max(0)
    centre, tall = (low + high) / 2, high[1] - low[1]
    alpha = np.zeros(face.image.shape[:2], np.float32)
    middle = (int(centre[0]), int(centre[1] - 0.1 * tall))
    cv2.ellipse(alpha, middle, (int(0.62 * tall), int(0.85 * tall)), 0, 0, 360, 1, -1)
    alpha = cv2.GaussianBlur(alpha, (0, 0), 0.05 * tall)
    shrink = min(1.0, 2 * height / tall)  # by area first: a small warp alone would alias
    picture = face.image
    if shrink < 1:
        picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    shrink = picture.shape[1] / face.image.shape[1]
    pivot = centre * shrink
    turn = cv2.getRotationMatrix2D(pivot.tolist(), angle, height / tall / shrink)
    turn[:, 2] += np.array([cx, cy]) - pivot
    size = canvas.shape[1::-1]
    warped = cv2.warpAffine(picture, turn, size, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(alpha, turn, size)[..., None]
    outline = face.outline * shrink @ turn[:, :2].T + turn[:, 2]
    truth = np.r_[outline.min(0), np.ptp(outline, axis=0)]
    return (canvas * (1 - share) + warped * share).astype(np.uint8), truth


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes x, y, w, h."""
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return float(both / (a[2] * a[3] + b[2] * b[3] - both))
