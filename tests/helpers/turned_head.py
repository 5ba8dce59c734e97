"""A photographed head, turned in space by known angles and photographed again.

The mesh found in a photograph gives every pixel of the face its depth. Rings around the face, each
farther back, carry hair, neck and background along, so that the head does not end like a mask.
What was hidden in the photograph (the far cheek, the ears) stays smeared.
"""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import skimage.data
from mediapipe.python.solutions.face_mesh_connections import FACEMESH_FACE_OVAL

from talkingface.faces.face_model import TRIANGLES

RINGS = ((1.12, 0.28), (1.45, 0.62), (2.6, 0.8))  # size, depth behind the face's rim in eye widths
PIVOT = np.array([0, 0.22, 0.56])  # from between the eyes, down and back, in eye widths


def portrait(zoom: float = 2.0) -> np.ndarray:
    """The astronaut's head and shoulders, (240 zoom, 240 zoom, 3) BGR."""
    picture = skimage.data.astronaut()[20:260, 100:340, ::-1]
    size = (round(240 * zoom),) * 2
    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_CUBIC)


class TurnedHead:
    """A head whose `points` (468 or more, 3) were found in `picture`.

    The camera of both pictures looks through their middle; `focal` is in pixels.
    """

    def __init__(self, picture: np.ndarray, points: np.ndarray, focal: float) -> None:
        self.picture, self.focal = picture, focal
        points = points[:468].astype(float)
        right, left = points[33], points[263]
        self.unit = np.linalg.norm(right - left)
        following = dict(FACEMESH_FACE_OVAL)
        rim = [10]
        while following[rim[-1]] != 10:
            rim.append(following[rim[-1]])
        rings, numbers = [points], [np.array(rim)]
        middle, back = points[rim].mean(axis=0), points[rim, 2].max()
        for size, depth in RINGS:
            ring = middle + size * (points[rim] - middle)
            ring[:, 2] = back + depth * self.unit
            numbers.append(len(points) + len(rim) * len(rings[1:]) + np.arange(len(rim)))
            rings.append(ring)
        bands = [
            (a[k - 1], b[k], b[k - 1]) if flip else (a[k - 1], a[k], b[k])
            for a, b in pairwise(numbers)
            for k in range(len(rim))
            for flip in (False, True)
        ]
        self.triangles = np.concatenate([TRIANGLES, np.array(bands)])
        every = np.concatenate(rings)
        self.texture = every[:, :2]
        centre = np.array(picture.shape[1::-1]) / 2
        between = (right + left) / 2
        depth = focal + every[:, 2] - between[2]  # a pixel at the eyes is a unit of length
        lines = (self.texture - centre) / focal
        self.places = np.column_stack([lines * depth[:, None], depth])
        self.pivot = np.array([*(between[:2] - centre), focal]) + PIVOT * self.unit

    def render(
        self, rotation: np.ndarray, size: tuple[int, int] | None = None, shift: tuple = (0, 0, 0)
    ) -> np.ndarray:
        """The head turned about its middle by a rotation (3, 3) in axes x right, y up, z to the
        viewer, and moved by `shift` (x right, y down, z away), seen by a camera of `size`."""
        width, height = size or self.picture.shape[1::-1]
        flip = np.array([1, -1, -1])
        places = (self.places - self.pivot) @ (flip[:, None] * rotation * flip).T
        places += self.pivot + shift
        points = places[:, :2] / places[:, 2:] * self.focal + (width / 2, height / 2)
        nearest = np.full((height, width), np.inf)
        where = np.full((height, width, 2), -1, np.float32)
        for corners in self.triangles:
            a, b, c = points[corners]
            low = np.maximum(np.floor(np.minimum(np.minimum(a, b), c)), 0).astype(int)
            high = np.minimum(np.ceil(np.maximum(np.maximum(a, b), c)), (width, height)).astype(int)
            area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
            if (low >= high).any() or abs(area) < 1e-9:
                continue
            x = np.arange(low[0], high[0]) + 0.5 - a[0]
            y = np.arange(low[1], high[1])[:, None] + 0.5 - a[1]
            u = (x * (c[1] - a[1]) - y * (c[0] - a[0])) / area
            v = (y * (b[0] - a[0]) - x * (b[1] - a[1])) / area
            za, zb, zc = places[corners, 2]
            depth = za + u * (zb - za) + v * (zc - za)
            part = np.s_[low[1] : high[1], low[0] : high[0]]
            shown = (u >= 0) & (v >= 0) & (u + v <= 1) & (depth < nearest[part])
            nearest[part][shown] = depth[shown]
            ta, tb, tc = self.texture[corners]
            pixels = ta + u[..., None] * (tb - ta) + v[..., None] * (tc - ta)
            where[part][shown] = pixels[shown]
        picture = cv2.remap(
            self.picture, where - 0.5, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        picture[np.isinf(nearest)] = 110
        return picture
