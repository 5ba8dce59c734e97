"""Where things lie relative to a face, and shapes drawn from its points."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class FaceFrame:
    """The face's own frame in a picture.

    A place in it is `v` along the face's axis, 0 at the mesh's top (point 10) and 1 at the chin
    (point 152), and `u` across it, -1 and 1 at the face's sides; -1 is left in the picture of an
    upright head.
    """

    top: np.ndarray  # (2,) mesh point 10
    across: np.ndarray  # (2,) unit vector, towards the subject's left
    down: np.ndarray  # (2,) unit vector, forehead to chin
    height: float  # mesh point 10 to 152, pixels
    centre: float  # of the face's width, along `across` from `top`
    half_width: float

    @classmethod
    def of(cls, points: np.ndarray) -> FaceFrame:
        """From mesh points (468 or more, 2 or 3) in pixels."""
        xy = np.asarray(points, np.float64)[:468, :2]
        top, chin = xy[10], xy[152]
        height = max(1.0, float(np.linalg.norm(chin - top)))
        down = (chin - top) / height
        across = np.array([down[1], -down[0]])
        along = (xy - top) @ across
        low, high = float(along.min()), float(along.max())
        return cls(top, across, down, height, (low + high) / 2, max(1.0, (high - low) / 2))

    def places(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """u and v of positions in pixels, float32."""
        dx, dy = x - self.top[0], y - self.top[1]
        u = (dx * self.across[0] + dy * self.across[1] - self.centre) / self.half_width
        v = (dx * self.down[0] + dy * self.down[1]) / self.height
        return u.astype(np.float32), v.astype(np.float32)

    def position(self, u: float, v: float) -> np.ndarray:
        """(2,) pixels of a place."""
        return (
            self.top
            + (self.centre + u * self.half_width) * self.across
            + v * self.height * self.down
        )


def face_outline(points: np.ndarray, jaw: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """(H, W) bool: hull of the mesh points (468 or more, in pixels) and of 300-W's jaw line (17).

    The jaw line is a little lower than the mesh at the chin, where the mesh ends short of it.
    """
    mask = np.zeros(shape[:2], np.uint8)
    hull = cv2.convexHull(np.ascontiguousarray(points[:468, :2], np.float32))[:, 0]
    fill_polygon(mask, hull, 1)
    fill_polygon(mask, jaw, 1)
    return mask.astype(bool)


def fill_polygon(image: np.ndarray, polygon: np.ndarray, value: int) -> None:
    """Fill a polygon (n, 2) given in pixels whose centres are at halves; edge pixels included."""
    fixed = np.round((np.asarray(polygon, np.float64) - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(image, [fixed], (value,), cv2.LINE_8, 4)
