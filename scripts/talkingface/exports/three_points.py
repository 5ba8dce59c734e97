"""LatentSync's alignment of a face: by three points, a similarity a frame, then a stretch.

Its numbers are those of bytedance/LatentSync, latentsync/utils/affine_transform.py, which follows
StyleSync's. Points are of the picture: left is where the viewer sees it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

# Middle of the left brow, of the right brow, and of the nose's lower half, in a box of 75 x 100
# which then is stretched to a square.
TEMPLATE = np.array([[17.0, 20.0], [58.0, 20.0], [37.5, 40.0]])
BOX = (75, 100)
# A box of 210 x 280 pixels for a square of 256, and so on.
ZOOM = 2.8 / 256
# Share of its correction that a frame takes from the one before.
KEPT = 0.2

# The reader takes them off InsightFace's 106 points: of a brow the upper five, which are 300-W's
# five; of the nose the two lowest of its ridge, which are 300-W's, and the outermost of either
# wing, for which 300-W has none but the mesh has.
_LEFT_BROW, _RIGHT_BROW, _RIDGE = slice(17, 22), slice(22, 27), slice(29, 31)
_WINGS = [129, 358]


def three_points(points: np.ndarray, points68: np.ndarray) -> np.ndarray:
    """(N, 3, 2) float64 points of TEMPLATE in N frames, in the pixels of the landmarks.

    points: (N, 478, 3) the mesh. points68: (N, 68, 2) in the order of 300-W. NaN where absent.
    """
    nose = np.concatenate([points68[:, _RIDGE], points[:, _WINGS, :2]], axis=1)
    parts = (points68[:, _LEFT_BROW], points68[:, _RIGHT_BROW], nose)
    return np.stack([part.astype(float).mean(axis=1) for part in parts], axis=1)


def longest_gap(present: np.ndarray) -> int:
    """Length of the longest run of frames without a face; present (N,) bool."""
    there = np.flatnonzero(np.concatenate([[True], present, [True]]))
    return int(np.diff(there).max()) - 1


def fill_gaps(points: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Points (N, P, 2) with those of frames without a face put between those beside, linearly.

    present: (N,) bool. Before the first face and after the last its points stay where they are.
    Raises ValueError where no frame has one.
    """
    known = np.flatnonzero(present)
    if not len(known):
        raise ValueError("no frame has a face")
    flat = points.reshape(len(points), -1)
    frames = np.arange(len(points))
    filled = [np.interp(frames, known, values[known]) for values in flat.T]
    return np.stack(filled, axis=1).reshape(points.shape)


def affines(points: np.ndarray, side: int) -> np.ndarray:
    """(N, 2, 3) float64 maps from the pixels of `points` (N, 3, 2) to those of a square of `side`.

    Both are continuous, the centre of the first pixel is (0.5, 0.5). Turn and shift are those that
    bring the points closest to the template, the scale is the ratio of their spreads (Umeyama's
    without its correction for the fit), all as the reader's own. So is what follows: a correction
    below a pixel, what the nose misses in units of the spread, smoothed over time. Unlike the
    reader, which works with whole pixels, this rounds no point.
    """
    zoom = ZOOM * side
    template = TEMPLATE * zoom
    # The reader counts from the centre of the first pixel.
    points = points - 0.5
    centre, centre_to = points.mean(axis=1), template.mean(axis=0)
    arms, arms_to = points - centre[:, None], template - centre_to
    spread, spread_to = arms.std(axis=(1, 2)), arms_to.std()
    along = (arms * arms_to).sum(axis=(1, 2))
    across = (arms[..., 0] * arms_to[:, 1] - arms[..., 1] * arms_to[:, 0]).sum(axis=1)
    angle = np.arctan2(across, along)
    scale = spread_to / spread
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.stack([np.stack([c, -s], axis=1), np.stack([s, c], axis=1)], axis=1)
    shift = centre_to - (linear @ centre[..., None])[..., 0]
    # The spread of a sample, of which the reader divides by, is that of all by a constant.
    sample = np.sqrt(arms_to.size / (arms_to.size - 1))
    shift += _smoothed(arms_to[2] / (spread_to * sample) - arms[:, 2] / (spread * sample)[:, None])
    # From centre to centre back to continuous, then the stretch of the box to the square.
    shift += 0.5 - 0.5 * linear.sum(axis=2)
    stretch = side / (np.array(BOX) * zoom)
    return np.concatenate([linear, shift[..., None]], axis=2) * stretch[:, None]


def inverse(matrices: np.ndarray) -> np.ndarray:
    """(N, 2, 3) maps back, of maps (N, 2, 3)."""
    back = np.linalg.inv(matrices[..., :2])
    return np.concatenate([back, -back @ matrices[..., 2:]], axis=2)


def _smoothed(corrections: np.ndarray) -> np.ndarray:
    """Corrections (N, 2), each with a share of the one before, as it was smoothed."""
    smoothed = corrections.copy()
    for before, now in pairwise(smoothed):
        now *= 1 - KEPT
        now += KEPT * before
    return smoothed
