"""A right hand seen from its back, drawn: shaded fingers whose joints are where we put them.

No freely usable photograph of a hand comes with the packages that tests need; mediapipe's networks
take this drawing for one.
"""

from __future__ import annotations

import cv2
import numpy as np

# In a square of 400: knuckle, finger tip, radius at both; thumb first.
FINGERS = (
    ((135, 300), (45, 215), 27, 17),
    ((140, 230), (95, 110), 21, 14),
    ((175, 215), (160, 70), 22, 15),
    ((213, 212), (222, 70), 22, 15),
    ((250, 225), (285, 110), 20, 13),
)
WRIST = (200, 400)
_PALM = (
    (WRIST, (200, 330), 62, 66),
    ((175, 320), (150, 235), 50, 40),
    ((225, 320), (235, 230), 50, 40),
    ((200, 320), (195, 240), 55, 45),
)
_SKIN = np.array([140, 170, 225], np.float32)


def drawn_hand(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Picture (side, side, 3) BGR, its alpha (side, side), and the tips (5, 2), thumb first."""
    scale = side / 400
    picture = np.zeros((side, side, 3), np.float32)
    alpha = np.zeros((side, side), np.float32)
    y, x = np.mgrid[:side, :side] + 0.5
    for start, end, wide, narrow in (*_PALM, *FINGERS):
        a, b = np.array(start) * scale, np.array(end) * scale
        along = np.clip(
            ((x - a[0]) * (b - a)[0] + (y - a[1]) * (b - a)[1]) / ((b - a) ** 2).sum(), 0, 1
        )
        away = np.hypot(x - a[0] - along * (b - a)[0], y - a[1] - along * (b - a)[1])
        away /= (wide + (narrow - wide) * along) * scale
        there = np.clip((1 - away) * wide * scale, 0, 1)[..., None].astype(np.float32)
        light = 0.55 + 0.5 * np.sqrt(np.clip(1 - away**2, 0, 1))
        picture += (_SKIN * light[..., None] - picture) * there
        alpha = np.maximum(alpha, there[..., 0])
    for start, end, wide, _ in FINGERS:  # creases
        a, b = np.array(start) * scale, np.array(end) * scale
        across = np.array([a[1] - b[1], b[0] - a[0]]) / np.linalg.norm(b - a) * wide * 0.6 * scale
        for share in (0.36, 0.68):
            ends = [np.intp(a + (b - a) * share + sign * across).tolist() for sign in (-1, 1)]
            cv2.line(picture, *ends, (0.7 * _SKIN).tolist(), max(1, int(2 * scale)), cv2.LINE_AA)
    tips = np.array([end for _, end, _, _ in FINGERS]) * scale
    return np.clip(picture, 0, 255).astype(np.uint8), alpha, tips


def lay_hand(
    frame: np.ndarray, centre: tuple[float, float], side: int, turn: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A frame with a hand over it whose square has this side and centre, turned by `turn` degrees
    counter-clockwise; where the hand is, (H, W) 0..1; and its tips (5, 2) in frame pixels."""
    picture, alpha, tips = drawn_hand(side)
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, 1.0)
    matrix[:, 2] += np.array(centre) - side / 2
    size = frame.shape[1::-1]
    alpha = cv2.warpAffine(alpha, matrix, size)
    picture = cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mixed = frame * (1 - alpha[..., None]) + picture * alpha[..., None]
    return mixed.astype(np.uint8), alpha, tips @ matrix[:, :2].T + matrix[:, 2]
