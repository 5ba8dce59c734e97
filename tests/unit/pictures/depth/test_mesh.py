"""The surface is drawn where it is, and what lies in front of it wins."""

import numpy as np
import pytest
import skimage.data
from scipy.spatial import Delaunay

from talkingface.faces.face_model import TRIANGLES
from talkingface.faces.landmarks import load as load_landmarker
from talkingface.pictures.depth import mesh
from talkingface.pictures.depth.mesh import rasterise

NOSE_TIP = 1


@pytest.fixture(scope="module")
def face():
    """Mesh of the portrait, (478, 3)."""
    image = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    with load_landmarker("mediapipe") as backend:
        return backend.run([image]).points[0]


def turned(points, degrees):
    """The face turned about an upright axis through its middle."""
    angle = np.radians(degrees)
    middle = np.append(points[:468, :2].mean(axis=0), 0)
    x, y, z = (points - middle).T
    x, z = x * np.cos(angle) + z * np.sin(angle), z * np.cos(angle) - x * np.sin(angle)
    return (np.stack([x, y, z], axis=1) + middle).astype(np.float32)


def traced(vertices, triangles, height, width):
    """The same picture by asking every pixel about every triangle, with barycentric weights."""
    y, x = np.mgrid[:height, :width] + 0.5
    depth = np.full((height, width), np.inf)
    for a, b, c in vertices[triangles].astype(float):
        area = (b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])
        if abs(area) < 1e-9:
            continue
        second = ((x - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (y - a[1])) / area
        third = ((b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1])) / area
        inside = (second >= 0) & (third >= 0) & (second + third <= 1)
        z = a[2] + second * (b[2] - a[2]) + third * (c[2] - a[2])
        depth[inside] = np.minimum(depth, z)[inside]
    depth[np.isinf(depth)] = np.nan
    return depth


def test_a_tilted_plane_is_its_formula():
    rng = np.random.default_rng(0)
    corners = [(3.2, 4.1), (90.7, 4.1), (90.7, 60.3), (3.2, 60.3)]
    xy = np.concatenate([corners, rng.uniform((3.2, 4.1), (90.7, 60.3), (300, 2))])
    triangles = Delaunay(xy).simplices
    z = 0.7 * xy[:, 0] - 1.3 * xy[:, 1] + 20
    depth = rasterise(np.column_stack([xy, z]), triangles, 70, 100)
    # The pixels whose centres lie in the rectangle, without a hole.
    rows, columns = slice(4, 60), slice(3, 91)
    assert np.isfinite(depth[rows, columns]).all()
    assert np.isfinite(depth).sum() == 56 * 88
    y, x = np.mgrid[:70, :100] + 0.5
    assert depth.dtype == np.float32
    np.testing.assert_allclose(
        depth[rows, columns], (0.7 * x - 1.3 * y + 20)[rows, columns], rtol=0, atol=1e-4
    )


def test_corners_and_edges_on_pixel_centres():
    """What lies on an edge belongs to the surface: neighbours leave no hole between them."""
    y, x = np.mgrid[2:9, 3:12] + 0.5
    xy = np.column_stack([x.ravel(), y.ravel()])
    depth = rasterise(np.column_stack([xy, xy @ [2, 3]]), Delaunay(xy).simplices, 12, 16)
    assert np.isfinite(depth).sum() == 7 * 9
    np.testing.assert_allclose(depth[2:9, 3:12], 2 * x + 3 * y, atol=1e-4)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_the_nearer_of_two_wins(order):
    near = [(10, 10, -5), (30, 10, -5), (10, 30, -5)]
    far = [(0, 0, 8), (60, 0, 8), (0, 60, 8)]
    triangles = np.array([[0, 1, 2], [3, 4, 5]])[order]
    depth = rasterise(np.array(near + far, np.float32), triangles, 64, 64)
    assert depth[12, 12] == -5 and depth[5, 5] == 8 and depth[25, 25] == 8
    assert np.isnan(depth[50, 50])


def test_surfaces_that_cross():
    """Neither of the two is in front everywhere."""
    left_near = [(0, 0, 0), (40, 0, 40), (0, 40, 0), (40, 40, 40)]
    right_near = [(0, 0, 30), (40, 0, -10), (0, 40, 30), (40, 40, -10)]
    triangles = np.array([[0, 1, 2], [1, 2, 3], [4, 5, 6], [5, 6, 7]])
    depth = rasterise(np.array(left_near + right_near, float), triangles, 40, 40)
    x = np.arange(40) + 0.5
    np.testing.assert_allclose(depth, np.tile(np.minimum(x, 30 - x), (40, 1)), atol=1e-4)


def test_triangles_without_order_against_every_pixel_asked():
    rng = np.random.default_rng(1)
    vertices = rng.uniform((-10, -10, -50), (60, 50, 50), (120, 3)).astype(np.float32)
    triangles = rng.integers(0, 120, (60, 3))
    depth, expected = rasterise(vertices, triangles, 40, 50), traced(vertices, triangles, 40, 50)
    assert 0.1 < np.isnan(rasterise(vertices, triangles[:5], 40, 50)).mean() < 0.9
    np.testing.assert_allclose(depth, expected, atol=1e-3)


@pytest.mark.parametrize("degrees", [-60, 0, 35])
def test_a_face_against_every_pixel_asked(face, degrees):
    small = turned(face, degrees) - np.array([170, 60, 0], np.float32)
    depth, expected = rasterise(small, TRIANGLES, 130, 110), traced(small, TRIANGLES, 130, 110)
    assert np.isfinite(expected).sum() > 2000
    np.testing.assert_allclose(depth, expected, atol=1e-3)


def test_the_nose_hides_the_far_cheek(face):
    points = turned(face, 70)
    tip = points[NOSE_TIP]
    depth = rasterise(points, TRIANGLES, 512, 512)
    # Points of the skin that are on the nose's own pixel lines, and whose place shows the nose.
    column, row = points[:468, 0].astype(int), points[:468, 1].astype(int)
    behind = (points[:468, 2] > depth[row, column] + 15) & (abs(points[:468, 1] - tip[1]) < 15)
    assert behind.sum() >= 3
    # The tip's surface is in front of all, but for what one pixel's slope makes.
    assert abs(depth[int(tip[1]), int(tip[0])] - tip[2]) < 4
    # Which side is drawn does not depend on how the triangles are turned.
    np.testing.assert_array_equal(depth, rasterise(points, TRIANGLES[:, ::-1], 512, 512))


def test_beyond_the_frame_is_cut_off(face):
    whole = rasterise(face, TRIANGLES, 512, 512)
    moved = face - np.array([220, 120, 0], np.float32)
    assert (moved[:, :2] < 0).any(axis=0).all() and (moved[:, :2] > 30).any(axis=0).all()
    np.testing.assert_allclose(
        rasterise(moved, TRIANGLES, 30, 20), whole[120:150, 220:240], atol=1e-3
    )
    assert np.isnan(rasterise(face + np.float32(600), TRIANGLES, 512, 512)).all()


def test_triangles_without_area():
    """A line and a point cover at most the centres on them, and give no impossible depth."""
    vertices = np.array([(5, 5, 1), (20, 5, 2), (12, 5, 3), (7.5, 2, 4), (7.5, 30, 9)], float)
    triangles = np.array([[0, 1, 2], [0, 0, 0], [3, 4, 3], [1, 1, 4]])
    depth = rasterise(vertices, triangles, 40, 40)
    seen = depth[np.isfinite(depth)]
    assert ((seen >= 1) & (seen <= 9)).all()
    assert len(seen) <= 28 + 25


def test_only_frames_with_a_face_are_drawn(face):
    backend = mesh.MeshDepth()
    points = np.stack([face, np.full_like(face, np.nan), face])
    present = np.array([True, False, True])
    frames = np.broadcast_to(np.uint8(0), (3, 512, 512, 3))
    depth = backend.run(frames, points, present)
    assert depth.shape == (3, 512, 512) and depth.dtype == np.float32
    assert np.isfinite(depth).any(axis=(1, 2)).tolist() == [True, False, True]
    low, high = backend.limits(points, present)
    assert low <= np.nanmin(depth) and np.nanmax(depth) <= high
    assert np.nanmin(depth) - low < 1  # the nose's tip, but for its place between the centres
    assert backend.limits(points[1:2], present[1:2]) is None
