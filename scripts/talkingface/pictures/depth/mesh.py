"""Depth backend `mesh`: the z of mediapipe's face mesh, drawn as a surface with a z-buffer.

Needs no download and no picture: only the landmarks and the frame's size. The face alone has depth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from talkingface.faces.face_model import TRIANGLES

# A pixel centre this near an edge, in pixels, belongs to the triangle: what rounding takes from
# both neighbours would be a hole.
_EDGE = 1e-6


class MeshDepth:
    """See `depth.Backend`."""

    name = "mesh"
    quantity = (
        "z of mediapipe's face mesh, in the scale of x and y, from a plane through the head's"
        " middle: smaller is nearer"
    )
    unit = "pixels of the clip"
    nearer_is_smaller = True
    needs_frames = False

    def limits(self, points: np.ndarray, present: np.ndarray) -> tuple[float, float] | None:
        """z of the nearest and the farthest vertex of a clip; None where no frame has a face."""
        # A triangle's z lies between those of its corners.
        z = points[np.asarray(present, bool)][:, np.unique(TRIANGLES), 2]
        return (float(z.min()), float(z.max())) if z.size else None

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """(B, H, W) float32; of `frames` only the shape is looked at."""
        height, width = frames[0].shape[:2]
        depth = np.full((len(frames), height, width), np.nan, np.float32)
        for k in np.flatnonzero(present):
            depth[k] = rasterise(points[k], TRIANGLES, height, width)
        return depth


def rasterise(vertices: np.ndarray, triangles: np.ndarray, height: int, width: int) -> np.ndarray:
    """Draw a surface: (height, width) float32, the z at every pixel's centre, NaN beside it.

    `vertices` are (V, 3): x, y in pixels (the centre of the top left pixel is 0.5, 0.5), and z;
    `triangles` are (M, 3) indexes into them, of either orientation. Inside a triangle z is linear
    in x and y; where several lie over each other the smallest z is taken. What lies beyond the
    frame is cut off.
    """
    corners = vertices[triangles].astype(np.float64)
    # Corners from top to bottom.
    order = np.argsort(corners[:, :, 1], axis=1)
    top, middle, bottom = np.take_along_axis(corners, order[:, :, None], axis=1).transpose(1, 0, 2)

    # One entry for every triangle and line of pixels that cross; y is the height of the centres.
    first = np.maximum(np.ceil(top[:, 1] - 0.5 - _EDGE), 0).astype(int)
    last = np.minimum(np.floor(bottom[:, 1] - 0.5 + _EDGE), height - 1).astype(int)
    owner, line = _runs(first, last)
    y = line + 0.5
    # On one side the long edge from top to bottom, on the other one of the two short ones.
    x1, z1 = _cross(top, bottom, owner, y)
    short = np.where(y < middle[owner, 1], owner, owner + len(triangles))
    x2, z2 = _cross(np.concatenate([top, middle]), np.concatenate([middle, bottom]), short, y)

    # One entry for every pixel of those lines.
    swap = x1 > x2
    left, right = np.where(swap, x2, x1), np.where(swap, x1, x2)
    slope = np.where(swap, z1 - z2, z2 - z1) / np.maximum(right - left, _EDGE)
    base = np.where(swap, z2, z1) + (0.5 - left) * slope
    begin = np.maximum(np.ceil(left - 0.5 - _EDGE), 0).astype(int)
    end = np.minimum(np.floor(right - 0.5 + _EDGE), width - 1).astype(int)
    run, column = _runs(begin, end)
    z = (base[run] + column * slope[run]).astype(np.float32)

    buffer = np.full(height * width, np.inf, np.float32)
    np.minimum.at(buffer, line[run] * width + column, z)
    buffer[np.isinf(buffer)] = np.nan
    return buffer.reshape(height, width)


def _runs(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All whole numbers from `first[i]` to `last[i]`, for every i in turn: i and the number."""
    lengths = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(len(first)), lengths)
    shift = first - np.cumsum(lengths) + lengths
    return owner, np.arange(len(owner)) + shift[owner]


def _cross(
    start: np.ndarray, stop: np.ndarray, edge: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """x and z at height `y` of the edges number `edge` from `start` to `stop` (E, 3)."""
    rise = np.maximum(stop[:, 1] - start[:, 1], _EDGE)
    share = np.clip((y - start[edge, 1]) / rise[edge], 0, 1)
    x = start[edge, 0] + share * (stop[:, 0] - start[:, 0])[edge]
    return x, start[edge, 2] + share * (stop[:, 2] - start[:, 2])[edge]
