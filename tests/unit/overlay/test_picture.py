"""Everything is drawn where it belongs, and with the signs of the modules it comes from."""

import cv2
import numpy as np
import pytest

from talkingface.overlay import picture
from talkingface.pictures.parsing.labels import PALETTE

NOSE = np.array([100.0, 110.0])
X, Y, Z = picture.AXES


def blank(height=200, width=200, level=0):
    return np.full((height, width, 3), level, np.uint8)


def tip(image, colour):
    """The pixel of a colour that is farthest from the nose, as x, y from it."""
    rows, columns = np.where((image == colour).all(axis=2))
    away = np.stack([columns, rows], axis=1) + 0.5 - NOSE
    return away[np.linalg.norm(away, axis=1).argmax()]


@pytest.mark.parametrize(
    "angles, axis, direction",
    [
        # a positive yaw: the nose goes left in the picture; pitch: down; roll: counter-clockwise
        ((40, 0, 0), Z, (-1, 0)),
        ((-40, 0, 0), Z, (1, 0)),
        ((0, 40, 0), Z, (0, 1)),
        ((0, -40, 0), Z, (0, -1)),
        ((0, 0, 30), X, (np.cos(np.pi / 6), -np.sin(np.pi / 6))),
        ((0, 0, 30), Y, (-np.sin(np.pi / 6), -np.cos(np.pi / 6))),
        ((0, 0, 0), X, (1, 0)),
        ((0, 0, 0), Y, (0, -1)),
    ],
)
def test_axes_point_where_the_angles_say(angles, axis, direction):
    image = blank()
    picture.draw_axes(image, NOSE, np.array(angles, float), 60)
    found = tip(image, axis)
    length = 60 * np.sin(np.radians(40)) if axis == Z else 60
    np.testing.assert_allclose(found, length * np.array(direction), atol=2.5)


def test_a_point_is_drawn_where_the_mesh_has_it():
    """The centre of the top left pixel is 0.5, 0.5."""
    points = np.full((478, 3), 150.5)
    points[0, :2] = 20.5, 30.5
    points68 = np.full((68, 2), 150.5)
    image = blank()
    picture.draw_landmarks(image, points, points68)
    assert image[30, 20].min() > 150
    image[30, 20] = 0
    assert not image[:100, :100].any()


def test_half_a_pixel_is_spread_over_two():
    points = np.full((478, 3), 150.5)
    points[0, :2] = 21.0, 30.5
    image = blank()
    picture.draw_landmarks(image, points, np.full((68, 2), 150.5))
    assert image[30, 20].tolist() == image[30, 21].tolist()
    assert 80 < image[30, 20, 0] < 130


def test_lines_of_the_68_points():
    points68 = np.full((68, 2), 180.5)
    points68[36:42] = [(20, 50), (30, 40), (50, 40), (60, 50), (50, 60), (30, 60)]
    points68[36:42] += 0.5
    image = blank()
    picture.draw_landmarks(image, np.full((478, 3), 180.5), points68)
    for x, y in [(40, 40), (40, 60), (25, 55)]:  # above, below, and the side that closes it
        assert image[y, x].max() > 100
    assert not image[50, 40].any()


def test_what_leaves_the_picture_does_no_harm():
    image = blank()
    rng = np.random.default_rng(0)
    picture.draw_landmarks(image, rng.uniform(-500, 700, (478, 3)), rng.uniform(-500, 700, (68, 2)))
    picture.draw_box(image, np.array([-50.0, -60.0, 400.0, 500.0]))
    picture.draw_axes(image, np.array([-5.0, 500.0]), np.array([10.0, 20.0, 30.0]), 80)


def test_a_box_has_its_corners_marked():
    image = blank()
    picture.draw_box(image, np.array([40.5, 50.5, 100.0, 80.0]))
    for x in (40, 140):
        for y in (50, 130):
            assert image[y, x].min() > 200
    assert not image[50, 90].any() and not image[90, 90].any()


def test_tint():
    labels = np.zeros((100, 100), np.uint8)
    labels[:, 50:] = 17
    image = blank(level=100)
    image[..., 2] = 200  # reddish, so that grey shows
    result = picture.tinted(image, labels)
    assert result.shape == (200, 200, 3)
    grey = cv2.cvtColor(image[:1, :1], cv2.COLOR_BGR2GRAY)[0, 0]
    for column, label in ((20, 0), (180, 17)):
        expected = 0.45 * grey + 0.55 * PALETTE[label].astype(float)
        np.testing.assert_allclose(result[100, column], expected, atol=2)
    border = (result[100] == PALETTE[17]).all(axis=1)
    assert border.sum() <= 2 and border[98:102].any()


def test_near_is_bright_and_no_depth_is_not_far():
    depth = np.zeros((60, 300), np.uint16)
    depth[:, 100:200] = 1
    depth[:, 200:] = np.linspace(1, 65535, 100)
    result = picture.coloured(depth, (300, 60))
    light = result.astype(int).sum(axis=2)[30]
    nothing, far = result[30, 50], result[30, 150]
    assert abs(nothing.astype(int) - far.astype(int)).max() > 20
    assert (np.diff(light[200::10]) > 0).all() and light[299] > 500


def test_flags_are_lit_where_they_hold():
    image = blank(height=100, width=400)
    words = [("right eye shut", True), ("mouth open", False), ("left eye shut", True)]
    picture.draw_flags(image, words)
    lit = (abs(image.astype(int) - picture.ACTIVE).max(axis=2) < 30).any(axis=0)
    assert lit[20:110].any() and not lit[140:260].any() and lit[290:380].any()


@pytest.mark.parametrize("size", [(64, 48), (200, 200), (400, 300)])
def test_fitted_is_a_copy_of_the_asked_size(size):
    image = blank(level=90)
    result = picture.fitted(image, size)
    assert result.shape == (size[1], size[0], 3)
    result[:] = 0
    assert (image == 90).all()
