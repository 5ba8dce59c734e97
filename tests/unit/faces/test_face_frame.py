"""Places in a face's own frame, and outlines that hold what they must."""

import cv2
import numpy as np
import pytest
import skimage.data

from talkingface.faces.face_frame import FaceFrame, face_outline, fill_polygon
from talkingface.faces.ibug68 import points68
from talkingface.faces.mesh import FaceMesh


@pytest.fixture(scope="module")
def points():
    """The astronaut's mesh, (478, 2)."""
    portrait = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    with FaceMesh() as mesh:
        return mesh.follow(portrait, (177.0, 82.0, 92.0, 98.0))[:, :2].astype(np.float64)


def test_places(points):
    frame = FaceFrame.of(points)
    u, v = frame.places(points[:468, 0], points[:468, 1])
    assert abs(v[10]) < 1e-6 and v[152] == pytest.approx(1, abs=1e-6)
    assert u.min() == pytest.approx(-1, abs=1e-5) and u.max() == pytest.approx(1, abs=1e-5)
    assert u[33] < 0 < u[263]  # the subject's right eye is left in the picture
    for k in (1, 61, 454):
        assert np.allclose(frame.position(u[k], v[k]), points[k], atol=1e-3)


def test_places_turn_and_grow_with_the_head(points):
    u, v = FaceFrame.of(points).places(points[:, 0], points[:, 1])
    for angle, scale in ((30, 0.5), (-75, 3.0)):
        turn = cv2.getRotationMatrix2D((200, 100), angle, scale)
        moved = points @ turn[:, :2].T + turn[:, 2]
        others = FaceFrame.of(moved).places(moved[:, 0], moved[:, 1])
        assert np.allclose(others, (u, v), atol=1e-4)


def test_the_outline_holds_mesh_and_jaw(points):
    jaw = points68(points[None])[0, :17]
    mask = face_outline(points, jaw, (512, 512))
    assert mask.dtype == bool and mask.shape == (512, 512)
    wider = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8))
    for x, y in np.concatenate([points[:468], jaw]):
        assert wider[int(y), int(x)]
    x, y = jaw[8]
    assert not mask[int(y) + 3, int(x)] and not mask[100, 160]


def test_polygons_count_pixels_from_their_corners():
    """The square from (2, 2) to (5, 5) covers the pixels 2, 3 and 4."""
    image = np.zeros((8, 8), np.uint8)
    fill_polygon(image, np.array([(2.0, 2), (5, 2), (5, 5), (2, 5)]) * 0.999 + 0.0035, 7)
    y, x = np.nonzero(image)
    assert set(image[y, x]) == {7}
    assert image[2:5, 2:5].all() and (x.min(), y.min()) >= (1, 1) and (x.max(), y.max()) <= (5, 5)
    # its middle is the square's
    assert x.mean() == pytest.approx(3, abs=0.5) and y.mean() == pytest.approx(3, abs=0.5)
