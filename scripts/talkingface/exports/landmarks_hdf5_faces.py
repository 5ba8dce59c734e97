"""Landmarks without the person: laid onto one face, as eeskimez does.

`faceNormalizer` of utils.py of eeskimez/Talking-Face-Landmarks-from-Speech. Coordinates are those
of its box: x to the right and y down, from 0 to 1.
"""

from __future__ import annotations

import numpy as np

# Outer corners of the eyes in the order of 300-W, and where they are put.
EYE_CORNERS = (36, 45)
EYES_AT = (complex(0.3, 1 / 3), complex(0.7, 1 / 3))


def align_eyes(points: np.ndarray, by: np.ndarray | None = None) -> np.ndarray:
    """Points (N, 68, 2) moved, turned and scaled so that the outer eye corners stand in place.

    by: (68, 2), the frame whose eyes are put there, all others by its similarity; without it
    every frame by its own eyes. In any unit; what is NaN stays so. Gives float64.

    The reader takes its similarity from three points, the third rounded to whole pixels of 600;
    here it is exact.
    """
    z = np.asarray(points, np.float64) @ [1, 1j]
    corners = z[:, EYE_CORNERS] if by is None else (by.astype(np.float64) @ [1, 1j])[[*EYE_CORNERS]]
    left, right = corners.T[0], corners.T[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = (EYES_AT[1] - EYES_AT[0]) / (right - left)
    aligned = np.reshape(scale, (-1, 1)) * (z - np.reshape(left, (-1, 1))) + EYES_AT[0]
    return np.stack([aligned.real, aligned.imag], axis=-1)


def transfer_expression(
    points: np.ndarray, neutral: np.ndarray, mean_face: np.ndarray
) -> np.ndarray:
    """`mean_face` (68, 2), moved as the face of `points` (N, 68, 2) moves from `neutral` (68, 2).

    The ways are scaled along x and y by the lengths of the rows of the affine map that lays
    `neutral` onto the mean face, by least squares of all points; the reader leaves out points that
    are more than a twentieth of the face away from it. Gives float64.
    """
    source = np.column_stack([neutral, np.ones(len(neutral))])
    solution, *_ = np.linalg.lstsq(source, mean_face, rcond=None)
    scales = np.linalg.norm(solution[:2], axis=0)
    return mean_face + (np.asarray(points, np.float64) - neutral) * scales
