"""The pictures SyncNet looks at: syncnet_python's crop of a face, 224 x 224."""

from __future__ import annotations

from math import floor

import cv2
import numpy as np

from talkingface.filters import median_filter
from talkingface.sync.syncnet.network import SIDE

# run_pipeline.py of joonson/syncnet_python.
MEDIAN_FRAMES = 13
CROP_SCALE = 0.40
PADDING = 110


def crop_squares(boxes: np.ndarray) -> np.ndarray:
    """Centre x, centre y and half size of the face in every frame of a track, (N, 3) float64.

    `boxes` are the (N, 4) x, y, w, h of all its frames. Half of the longer side and the centre
    are median-filtered over 13 frames. As in the reference the filter takes zeros beyond the
    ends, which amounts to the lowest of what is left of the window there; only in tracks of fewer
    than 13 frames, which these zeros would win, the end values are repeated.
    """
    sizes = boxes[:, 2:].max(axis=1, keepdims=True) / 2
    values = np.hstack([boxes[:, :2] + boxes[:, 2:] / 2, sizes])
    pad = MEDIAN_FRAMES // 2 if len(values) < MEDIAN_FRAMES else 0
    padded = np.pad(values, ((pad, pad), (0, 0)), mode="edge")
    smooth = np.stack([median_filter(column, MEDIAN_FRAMES) for column in padded.T], axis=1)
    return smooth[pad : len(smooth) - pad]


def crop_face(frame: np.ndarray, square: np.ndarray) -> np.ndarray:
    """One face, (224, 224, 3) uint8 BGR, from a (H, W, 3) uint8 BGR frame.

    `square` is its centre x, centre y and half size s in the frame's pixels. The crop reaches from
    1.4 s left to 1.4 s right of the centre, from s above it to 1.8 s below; what lies outside the
    frame is grey 110. Edges are cut to whole pixels and scaled linearly, as in the reference.
    """
    x, y, half = square
    left, right = floor(x - half * (1 + CROP_SCALE)), floor(x + half * (1 + CROP_SCALE))
    top, bottom = floor(y - half), floor(y + half * (1 + 2 * CROP_SCALE))
    height, width = frame.shape[:2]
    face = frame[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if face.size == 0 or left >= right or top >= bottom:
        return np.full((SIDE, SIDE, 3), PADDING, np.uint8)
    around = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(around):
        face = cv2.copyMakeBorder(face, *around, cv2.BORDER_CONSTANT, value=(PADDING,) * 3)
    return cv2.resize(face, (SIDE, SIDE))
