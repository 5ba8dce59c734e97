"""Points are laid upon others by the one turn, scale and shift that does it best."""

from __future__ import annotations

import numpy as np
import pytest

from talkingface.faces.similarity import similarity


def test_a_similarity_is_found_again() -> None:
    points = np.array([[3.0, 4.0], [90.0, 7.0], [50.0, 80.0], [10.0, 60.0]])
    turn, scale, shift = np.radians(23), 0.7, np.array([5.0, -9.0])
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    found = similarity(points, points @ linear.T + shift)
    assert np.allclose(found, np.column_stack([linear, shift]))


@pytest.mark.parametrize("count", [3, 5])
def test_no_other_lies_nearer(count: int) -> None:
    """By the normal equations of x' = a x - b y + c, y' = b x + a y + d."""
    rng = np.random.default_rng(3)
    points, places = rng.uniform(0, 200, (2, count, 2))
    rows, right = [], []
    for (x, y), (u, v) in zip(points, places, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        right += [u, v]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    assert np.allclose(similarity(points, places), [[a, -b, c], [b, a, d]])


def test_a_mirror_image_is_none() -> None:
    points = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]])
    matrix = similarity(points, points * [-1, 1])
    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        similarity(np.ones((3, 2)), np.eye(3, 2))
