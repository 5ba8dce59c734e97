"""Hands near a face, found with mediapipe's palm detector and hand landmark network.

Both are in the wheel of mediapipe 0.10.21. They are run as for single pictures: frames some time
apart have little to track, and a track that slid onto the face would stay there.

The palm detector sees a square of 192 pixels and misses palms that fill it: of folded hands cut out
of a film and pasted on faces it found 39 % in a clip as it is, 64 to 68 % where the face takes a
third of the square. So the clip is set into black, in two squares of different size (82 %). Of
drawn open hands that cover a tenth of the face or more, 90 % are found. In 740 frames of seven
clips without hands it saw one. Where the clip ends, a hand ends, too: what is beyond the crop is
not known, and a hand of which little is left is missed.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from talkingface.job.closeable import Closeable
from talkingface.job.quiet import quiet_stderr
from talkingface.networks import mediapipe_solutions

N_POINTS = 21  # wrist, then four joints for each finger, thumb first

# Sides of the squares around the face, one after the other until a hand is seen, in lengths of the
# face. Measured as said above; 3 or 4 alone see as much as 3.5 alone, 1.6 half as much.
_VIEWS = (2.5, 3.5)
_SIDE = 384  # pixels of a square; twice as many change nothing
_MIN_CONFIDENCE = 0.5  # of the palm detector, mediapipe's own


class HandFinder(Closeable):
    """A loaded model, for any number of frames; not for several threads."""

    def __init__(self) -> None:
        with quiet_stderr():
            self._hands: Any = mediapipe_solutions.hands(
                static_image_mode=True,
                max_num_hands=2,
                model_complexity=1,
                min_detection_confidence=_MIN_CONFIDENCE,
            )
            # The first run initialises the interpreters, which talk.
            self._hands.process(np.zeros((_SIDE, _SIDE, 3), np.uint8))

    def close(self) -> None:
        """Free the networks; the instance is useless afterwards. May be called twice."""
        if self._hands is not None:
            self._hands.close()
        self._hands = None

    def run(self, frame: np.ndarray, face: np.ndarray) -> list[np.ndarray]:
        """Hands around a face, at most two.

        frame: (H, W, 3) uint8 BGR. face: (K, 2) points of the face in frame pixels, of which only
        the extent matters. Gives (21, 2) float32 for each hand, in frame pixels (the centre of the
        top left pixel is 0.5, 0.5), in mediapipe's order; points may lie outside the frame.
        """
        if self._hands is None:
            raise ValueError("this HandFinder is closed")
        low, high = face.min(axis=0), face.max(axis=0)
        for view in _VIEWS:
            hands = self._look(frame, (low + high) / 2, view * float(max(high - low)))
            if hands:
                return hands
        return []

    def _look(self, frame: np.ndarray, centre: np.ndarray, side: float) -> list[np.ndarray]:
        picture, corner = _square(frame, centre, side)
        hands = self._hands.process(picture).multi_hand_landmarks or []
        return [
            np.array([(p.x * side + corner[0], p.y * side + corner[1]) for p in hand.landmark])
            .reshape(N_POINTS, 2)
            .astype(np.float32)
            for hand in hands
        ]


def _square(frame: np.ndarray, centre: np.ndarray, side: float) -> tuple[np.ndarray, np.ndarray]:
    """A square of a frame as (_SIDE, _SIDE, 3) RGB, black outside the frame, and its corner."""
    corner = centre - side / 2
    size = np.array(frame.shape[1::-1])
    start = np.clip(np.floor(corner), 0, size).astype(int)
    stop = np.clip(np.ceil(corner + side), 0, size).astype(int)
    square = np.zeros((_SIDE, _SIDE, 3), np.uint8)
    if (stop <= start).any():
        return square, corner
    scale = _SIDE / side
    inside = frame[start[1] : stop[1], start[0] : stop[0]]
    if scale < 1:
        width, height = np.maximum(1, np.round((stop - start) * scale).astype(int))
        inside = cv2.resize(inside, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    # What is left of the scale, and the place, in cv2's pixels with centres at whole numbers.
    rest = scale * (stop - start) / inside.shape[1::-1]
    shift = (start - corner) * scale + rest / 2 - 0.5
    matrix = np.array([[rest[0], 0, shift[0]], [0, rest[1], shift[1]]])
    cv2.warpAffine(inside, matrix, (_SIDE, _SIDE), dst=square)
    return cv2.cvtColor(square, cv2.COLOR_BGR2RGB), corner
