"""The mouth's shape on a head that is moved in space, and on drawn faces that are followed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talkingface.demo.face import Face, portrait_frames
from talkingface.faces.face_model import CANONICAL, MIRROR
from talkingface.faces.mesh import FaceMesh
from talkingface.job.tables import empty_table, table_of_rows
from talkingface.sync.mouth import (
    CHUNK,
    INNER_LIPS,
    RIGID,
    MouthShape,
    follow_mouths,
    mouth_opening,
)
from talkingface.tables import TRACKS

# Corner of the mouth, lower lip beside the middle, chin, and the lips' midline.
VERTICES = np.array([61, 87, 148, 152, *INNER_LIPS])
SHAPE = MouthShape(CANONICAL, VERTICES, MIRROR[VERTICES])


def seen(faces: np.ndarray) -> np.ndarray:
    """Faces (N, 468, 3) in cm, y up and z to the camera, as a mesh has them: y down, z away."""
    return faces * (1, -1, -1)


def speaking(frames: int) -> np.ndarray:
    """The mean face with lips and chin that move, (frames, 468, 3) in cm, each side by itself."""
    rng = np.random.default_rng(0)
    faces = np.tile(CANONICAL, (frames, 1, 1))
    moving = np.setdiff1d(np.r_[VERTICES, MIRROR[VERTICES]], RIGID)
    faces[:, moving] += rng.normal(0, 0.4, (frames, len(moving), 3))
    return faces


def test_a_shape_is_the_mean_of_both_sides_in_the_heads_frame() -> None:
    faces = speaking(8)
    right, left = faces[:, VERTICES], faces[:, MIRROR[VERTICES]] * (-1, 1, 1)
    expected = ((right + left) / 2).reshape(8, -1)
    assert SHAPE.size == expected.shape[1]
    np.testing.assert_allclose(SHAPE.of(seen(faces)), expected, atol=1e-9)
    # The irises of a finer mesh, and its number format, are no matter.
    finer = np.concatenate([seen(faces), np.full((8, 10, 3), np.nan)], axis=1)
    np.testing.assert_allclose(SHAPE.of(finer.astype(np.float32)), expected, atol=1e-5)


def test_where_the_head_is_and_looks_is_no_matter() -> None:
    faces = speaking(40)
    still = SHAPE.of(seen(faces))
    turns = Rotation.from_euler(
        "yxz", np.random.default_rng(1).uniform(-60, 60, (40, 3)), degrees=True
    ).as_matrix()
    moved = np.einsum("nvj,nij->nvi", seen(faces), turns)
    moved *= np.linspace(3, 30, 40)[:, None, None]
    moved += np.random.default_rng(2).uniform(-500, 500, (40, 1, 3))
    np.testing.assert_allclose(SHAPE.of(moved), still, atol=1e-9)
    # And not by having lost what the mouth does.
    assert still.std(axis=0).mean() > 0.2


def test_a_mirrored_picture_has_the_same_shapes() -> None:
    faces = speaking(10)
    picture = seen(faces) * 20 + (300, 200, 0)
    mirrored = picture[:, MIRROR] * (-1, 1, 1) + (640, 0, 0)
    np.testing.assert_allclose(SHAPE.of(mirrored), SHAPE.of(picture), atol=1e-9)
    assert set(MIRROR[list(RIGID)]) == set(RIGID)
    # A head is turned to the mean face's place, never turned inside out.
    hollow = SHAPE.of(picture * (1, 1, -1))
    assert abs(hollow - SHAPE.of(picture)).max() > 1


def test_frames_without_a_face_have_no_shape() -> None:
    points = seen(speaking(6))
    expected = SHAPE.of(points)
    points[2] = np.nan
    points[4, 152, 1] = np.nan
    shapes = SHAPE.of(points)
    assert np.isnan(shapes[[2, 4]]).all()
    np.testing.assert_array_equal(shapes[[0, 1, 3, 5]], expected[[0, 1, 3, 5]])
    assert np.isnan(SHAPE.of(np.full((3, 468, 3), np.nan))).all()
    # A point where all others are has no size to be scaled by, and is no error.
    assert np.isfinite(SHAPE.of(np.zeros((1, 468, 3)))).all()


def test_the_opening_is_in_lengths_of_the_nose() -> None:
    faces = np.tile(CANONICAL, (3, 1, 1))
    upper, lower = INNER_LIPS
    nose = np.linalg.norm(CANONICAL[168] - CANONICAL[2])
    for face, share in zip(faces, (0, 0.25, 0.5), strict=True):
        face[lower] = face[upper] + (0, -share * nose, 0)
    turn = Rotation.from_euler("yxz", (40, -15, 20), degrees=True).as_matrix()
    for points in (seen(faces), 37 * seen(faces) @ turn + 5):
        np.testing.assert_allclose(mouth_opening(points), [0, 0.25, 0.5], atol=1e-9)
    faces[1] = np.nan
    np.testing.assert_array_equal(np.isnan(mouth_opening(seen(faces))), [False, True, False])


def everything(points: np.ndarray) -> np.ndarray:
    return points.reshape(len(points), -1)


_OPENING = np.abs(np.sin(np.arange(2000) / 40))
LEFT = Face("ann", _OPENING, centre=(130.0, 150.0), height=120.0)
RIGHT = Face("ben", _OPENING, centre=(420.0, 160.0), height=140.0)
LEFT_FRAMES, RIGHT_FRAMES = range(5, 5 + CHUNK + 21), range(30, 80)
# Nobody is there.
BLANK = range(50, 60)


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    """Two drawn faces for 95 frames; none in the blank ones."""
    pictures = list(portrait_frames([LEFT, RIGHT], np.arange(95) / 25, size=(560, 320)))
    for k in BLANK:
        pictures[k] = np.full_like(pictures[k], 90)
    return pictures


def same_size(frame: int) -> float:
    return 1.0


def tracks(scale: float) -> np.recarray:
    rows = [
        (number, 0, k, *(scale * v for v in face.box(k / 25)), 1.0, 1)
        for number, face, frames in ((4, RIGHT, RIGHT_FRAMES), (2, LEFT, LEFT_FRAMES))
        for k in frames
    ]
    return table_of_rows(TRACKS, rows)


@pytest.fixture(scope="module")
def followed(film: list[np.ndarray]) -> dict[int, np.ndarray]:
    return follow_mouths(film, tracks(1.0), same_size, 1, everything)


def test_every_face_is_followed_where_it_is(
    film: list[np.ndarray], followed: dict[int, np.ndarray]
) -> None:
    assert list(followed) == [2, 4]
    with FaceMesh(refine=False) as mesh:
        for number, face, frames in ((2, LEFT, LEFT_FRAMES), (4, RIGHT, RIGHT_FRAMES)):
            assert followed[number].shape == (len(frames), 468 * 3)
            assert followed[number].dtype == np.float32
            points = followed[number].reshape(-1, 468, 3)
            absent = np.isnan(points).all(axis=(1, 2))
            assert [k for k, gone in zip(frames, absent, strict=True) if gone] == list(BLANK)
            assert np.isfinite(points[~absent]).all()
            # In the whole picture, not in a crop of it, every frame by itself.
            for k in (frames[0], frames[15], frames[-1]):
                mesh.reset()
                alone = mesh.follow(film[k], face.box(k / 25))
                apart = np.linalg.norm(points[k - frames[0], :, :2] - alone[:, :2], axis=1)
                assert apart.mean() < 0.02 * face.height


def test_threads_change_nothing(film: list[np.ndarray], followed: dict[int, np.ndarray]) -> None:
    two = follow_mouths(iter(film), tracks(1.0), same_size, 2, everything)
    assert list(two) == list(followed)
    for number, points in followed.items():
        np.testing.assert_array_equal(two[number], points)


def test_boxes_are_in_the_sources_pixels(
    film: list[np.ndarray], followed: dict[int, np.ndarray]
) -> None:
    doubled = follow_mouths(film, tracks(2.0), lambda frame: 2.0, 2, everything)
    for number, points in followed.items():
        np.testing.assert_allclose(doubled[number], points, atol=0.5)


def test_what_is_measured_is_kept(film: list[np.ndarray], followed: dict[int, np.ndarray]) -> None:
    parts: list[int] = []

    def opening(points: np.ndarray) -> np.ndarray:
        parts.append(len(points))
        return np.column_stack([mouth_opening(points), np.arange(len(points))])

    found = follow_mouths(film, tracks(1.0), same_size, 2, opening)
    for number, points in followed.items():
        expected = mouth_opening(points.reshape(-1, 468, 3))
        np.testing.assert_allclose(found[number][:, 0], expected, rtol=1e-5)
    assert sorted(parts) == sorted([CHUNK, 21, 50])
    assert list(found[2][:, 1]) == [*range(CHUNK), *range(21)]


def test_frames_that_end_early_are_an_error(film: list[np.ndarray]) -> None:
    for count in (20, 79, 89):
        with pytest.raises(ValueError, match="end before frame 89 of the last track"):
            follow_mouths(film[:count], tracks(1.0), same_size, 1, everything)
    assert follow_mouths(film[:3], empty_table(TRACKS), same_size, 1, everything) == {}
