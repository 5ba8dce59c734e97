"""The alignment of LatentSync, beside its formula spelled out frame by frame."""

import numpy as np
import pytest

from talkingface.exports.three_points import (
    affines,
    fill_gaps,
    inverse,
    longest_gap,
    three_points,
)

# latentsync/utils/affine_transform.py has these, scaled by 2.8 at 256.
TEMPLATE = np.array([[17, 20], [58, 20], [37.5, 40]])


def at_pixels(matrix, points):
    return points @ matrix[:, :2].T + matrix[:, 2]


def spelled_out(points, side):
    """Places of `points` (N, 3, 2) in the square, by singular values, whole boxes and a resize."""
    ratio = side / 256 * 2.8
    template, before, places = TEMPLATE * ratio, None, []
    for frame in points - 0.5:  # Pixels are counted from the centre of the first.
        middle, middle_to = frame.mean(axis=0), template.mean(axis=0)
        spread, spread_to = (frame - middle).std(ddof=1), (template - middle_to).std(ddof=1)
        one, other = (frame - middle) / spread, (template - middle_to) / spread_to
        u, _, vt = np.linalg.svd(one.T @ other)
        if np.linalg.det(vt.T @ u.T) < 0:
            vt[-1] *= -1
        turn = vt.T @ u.T * spread_to / spread
        missed = other[2] - one[2]
        before = missed if before is None else 0.2 * before + 0.8 * missed
        placed = (frame - middle) @ turn.T + middle_to + before
        box = np.array([75 * ratio, 100 * ratio])
        # A resize takes a box's edges to the square's.
        places.append((placed + 0.5) * side / box)
    return np.array(places)


def faces(n=40, seed=0):
    """(N, 3, 2) points of a face that moves, turns and comes nearer, with some noise."""
    rng, t = np.random.default_rng(seed), np.arange(n) / 25
    angle = np.radians(40 * np.sin(3 * t))
    scale = 3 + np.sin(t)
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    turn = np.stack([np.stack([c, -s], 1), np.stack([s, c], 1)], 1)
    face = np.array([[-20, -15], [21, -14], [1, 19.0]])
    moved = face @ turn.transpose(0, 2, 1) + np.stack([300 + 50 * t, 200 - 20 * t], 1)[:, None]
    return moved + rng.normal(0, 0.7, moved.shape)


@pytest.mark.parametrize("side", [256, 512])
def test_it_is_the_reader_s_own(side):
    points = faces()
    truth = spelled_out(points, side)
    for matrix, frame, expected in zip(affines(points, side), points, truth, strict=True):
        assert at_pixels(matrix, frame) == pytest.approx(expected, abs=1e-6)


def test_a_face_like_the_template_comes_to_its_place():
    """In a square of 256: 17, 20, ... of a box of 75 x 100, whose pixels' centres are counted."""
    (matrix,) = affines(TEMPLATE[None] * 2 + 30, 256)
    expected = (TEMPLATE * 2.8 + 0.5) / [210, 280] * 256
    assert at_pixels(matrix, TEMPLATE * 2 + 30) == pytest.approx(expected)
    # The picture is stretched: it was 210 pixels wide and 280 high.
    assert matrix[0, 0] / matrix[1, 1] == pytest.approx(280 / 210)


def test_a_turned_face_is_upright_again():
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    face = (TEMPLATE @ turn.T) * 4 + 200
    (matrix,) = affines(face[None], 512)
    left, right, nose = at_pixels(matrix, face)
    assert left[1] == pytest.approx(right[1], abs=1e-6)
    assert nose[0] == pytest.approx((left[0] + right[0]) / 2, abs=1e-6)


def test_a_map_and_the_one_back_are_nothing():
    points = faces(5)
    maps = affines(points, 512)
    for matrix, back, frame in zip(maps, inverse(maps), points, strict=True):
        assert at_pixels(back, at_pixels(matrix, frame)) == pytest.approx(frame)


def test_the_three_are_brows_and_nose():
    rng = np.random.default_rng(0)
    mesh, points68 = rng.normal(size=(2, 478, 3)), rng.normal(size=(2, 68, 2))
    left, right, nose = three_points(mesh, points68)[1]
    # 300-W from 0: 17-21 and 22-26 are the brows, 29 and 30 the lower half of the nose's ridge.
    assert left == pytest.approx(points68[1, [17, 18, 19, 20, 21]].mean(axis=0))
    assert right == pytest.approx(points68[1, [22, 23, 24, 25, 26]].mean(axis=0))
    wings = mesh[1, [129, 358], :2]
    assert nose == pytest.approx(np.array([*points68[1, [29, 30]], *wings]).mean(axis=0))


@pytest.mark.parametrize(
    ("present", "gap"),
    [("111", 0), ("101", 1), ("0011000", 3), ("000", 3), ("1", 0), ("0110010001", 3), ("", 0)],
)
def test_the_longest_gap(present, gap):
    assert longest_gap(np.array([c == "1" for c in present], bool)) == gap


def test_gaps_are_filled_from_both_sides():
    points = np.full((8, 3, 2), np.nan)
    points[2], points[5] = 10.0, 40.0
    points[5, 1] = [70, 100]
    filled = fill_gaps(points, np.array([0, 0, 1, 0, 0, 1, 0, 0], bool))
    assert (filled[:3] == 10).all()
    assert filled[3:5, 0].tolist() == [[20, 20], [30, 30]]
    assert filled[3:5, 1].tolist() == [[30, 40], [50, 70]]
    assert (filled[5:, 1] == [70, 100]).all()
    with pytest.raises(ValueError, match="no frame has a face"):
        fill_gaps(points, np.zeros(8, bool))
