from __future__ import annotations

import numpy as np
import pytest

from talkingface.exports.landmarks_hdf5_faces import align_eyes, transfer_expression

RIGHT, LEFT = 36, 45  # outer corners of the eyes


def face(seed: int = 0) -> np.ndarray:
    """(68, 2) points of which the eyes stand in place."""
    points = np.random.default_rng(seed).uniform(0.2, 0.8, (68, 2))
    points[RIGHT], points[LEFT] = (0.3, 1 / 3), (0.7, 1 / 3)
    return points


def moved(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]):
    turn = np.radians(degrees)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return points @ matrix.T + shift


@pytest.mark.parametrize("view", [(0, 600, (0, 0)), (25, 90, (300, 40)), (-170, 3, (-9, 5))])
def test_a_face_is_found_again_from_anywhere(view) -> None:
    seen = np.stack([moved(face(0), *view), moved(face(1), *view)])
    for aligned in (align_eyes(seen), align_eyes(seen, seen[0])):
        np.testing.assert_allclose(aligned, [face(0), face(1)], atol=1e-12)


def test_by_one_frame_the_others_keep_their_movement() -> None:
    seen = np.stack([moved(face(), 0, 100, (0, 0)), moved(face(), 0, 100, (10, -5))])
    aligned = align_eyes(seen, seen[0])
    np.testing.assert_allclose(aligned[1] - aligned[0], [[0.1, -0.05]] * 68, atol=1e-12)
    np.testing.assert_allclose(align_eyes(seen)[1], face(), atol=1e-12)


def test_what_is_lacking_stays_so() -> None:
    seen = np.stack([face(0), np.full((68, 2), np.nan), face(1)])
    aligned = align_eyes(seen)
    assert np.isnan(aligned[1]).all()
    np.testing.assert_allclose(aligned[[0, 2]], [face(0), face(1)], atol=1e-12)


def test_the_same_face_moves_by_what_it_moved() -> None:
    ways = np.random.default_rng(2).normal(0, 0.02, (5, 68, 2))
    result = transfer_expression(face() + ways, face(), face())
    np.testing.assert_allclose(result, face() + ways, atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "scales"),
    [
        ([[2, 0], [0, 0.5]], (2, 0.5)),
        # Rows of the map, not columns; their lengths, not their signs.
        ([[3, 4], [0, 1]], (5, 1)),
        ([[-1, 0], [0, 1.5]], (1, 1.5)),
    ],
)
def test_ways_are_scaled_by_how_the_faces_differ(matrix, scales) -> None:
    mean_face = face() @ np.transpose(matrix) + [0.1, 0.2]
    ways = np.random.default_rng(3).normal(0, 0.02, (4, 68, 2))
    result = transfer_expression(face() + ways, face(), mean_face)
    np.testing.assert_allclose(result - mean_face, ways * scales, atol=1e-10)


def test_one_face_without_movement_is_the_mean_face() -> None:
    np.testing.assert_allclose(transfer_expression(face(4)[None], face(4), face(5)), [face(5)])
