"""How coded pictures are to be turned and mirrored for the display."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer


@dataclass(frozen=True)
class Orientation:
    """The eight ways in which a picture can stand on a display.

    The picture is first `transposed` (rows become columns), then mirrored left to right (`flip_x`)
    and top to bottom (`flip_y`).
    """

    transposed: bool = False
    flip_x: bool = False
    flip_y: bool = False

    def upright(self, image: np.ndarray) -> np.ndarray:
        """The (H, W[, 3]) picture as it is displayed; a view or a copy."""
        if self == UPRIGHT:
            return image
        import cv2  # Few videos are turned, and a download that looks into its file needs it not.

        if self.transposed:
            image = cv2.transpose(image)
        if self.flip_x or self.flip_y:
            image = cv2.flip(image, int(self.flip_x) - (self.flip_x and self.flip_y) * 2)
        return image

    def to_coded(self, width: float, height: float) -> np.ndarray:
        """(2, 3) float64 affine map from coordinates of the displayed picture to those of the coded
        one, which is `width` x `height`. Pixel (i, j) covers [i, i + 1) x [j, j + 1)."""
        across, down = (height, width) if self.transposed else (width, height)
        x = [-1, 0, across] if self.flip_x else [1, 0, 0]
        y = [0, -1, down] if self.flip_y else [0, 1, 0]
        return np.array([y, x] if self.transposed else [x, y], float)


UPRIGHT = Orientation()


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """How a frame is displayed by its display matrix, or upright where it has none.

    Angles between are taken as the nearest quarter, as most players do; ffmpeg alone turns by them.
    """
    # Not `frame.side_data`, which refers to the frame that keeps it: frames would wait for the
    # garbage collector, and others take new memory meanwhile. (PyAV's stubs know no argument.)
    data: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    if data is None:
        return UPRIGHT
    # ISO 14496-12, 8.2.2: a point (p, q) as coded is displayed at (a p + c q, b p + d q).
    a, b, _, c, d, *_ = np.frombuffer(data, np.int32)[:9].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)
