"""Labels on the astronaut against places read off the picture and 300-W's points; and on the
sample against another project's landmarks."""

from itertools import islice

import cv2
import numpy as np
import pytest
import skimage.data

from helpers.paths import SAMPLES
from talkingface.faces.ibug68 import points68
from talkingface.faces.landmark_files import read_text
from talkingface.faces.landmarks import load as load_landmarker
from talkingface.faces.mesh import FaceMesh
from talkingface.pictures.parsing import mesh as mesh_backend
from talkingface.pictures.parsing.labels import (
    BACKGROUND,
    CLOTH,
    FACE,
    HAIR,
    L_BROW,
    L_EAR,
    L_EYE,
    L_LIP,
    MOUTH,
    NECK,
    NOSE,
    R_BROW,
    R_EAR,
    R_EYE,
    SKIN,
    U_LIP,
)
from talkingface.pictures.parsing.person import person_pixels

FACE_BOX = (177.0, 82.0, 92.0, 98.0)  # brow to chin, read off the picture
SAMPLE = SAMPLES / "FAzSK8PLmGI.mp4"
MIRRORED = {L_BROW: R_BROW, R_BROW: L_BROW, L_EYE: R_EYE, R_EYE: L_EYE, L_EAR: R_EAR, R_EAR: L_EAR}


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])


@pytest.fixture(scope="module")
def points(astronaut):
    with FaceMesh() as mesh:
        return mesh.follow(astronaut, FACE_BOX)


@pytest.fixture(scope="module")
def parser():
    with mesh_backend.MeshParser("both", threads=1) as loaded:
        yield loaded


@pytest.fixture(scope="module")
def labels(parser, astronaut, points):
    return parser.run([astronaut], points[None], np.array([True]))[0]


def inside(polygon, shape):
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon - 0.5).astype(np.int32)], 1)
    return mask > 0


@pytest.mark.parametrize(
    ("x", "y", "label"),
    [
        (225, 45, HAIR),
        (165, 85, HAIR),
        (285, 90, HAIR),
        (220, 88, SKIN),  # between the brows
        (192, 135, SKIN),
        (221, 172, SKIN),  # chin
        (224, 118, NOSE),
        (212, 182, NECK),
        (215, 200, CLOTH),  # a turtleneck
        (205, 330, CLOTH),
        (420, 420, CLOTH),
        (20, 100, BACKGROUND),
        (420, 60, BACKGROUND),
    ],
)
def test_places_read_off_the_picture(labels, x, y, label):
    assert labels[y, x] == label


def test_left_is_left_in_the_picture(labels, points):
    """CelebAMask-HQ's l_eye is left in the picture: 300-W's 36-41, the subject's right eye."""
    of_300w = points68(points[None])[0]
    for eye, brow, eye_label, brow_label in (
        (slice(36, 42), slice(17, 22), L_EYE, L_BROW),
        (slice(42, 48), slice(22, 27), R_EYE, R_BROW),
    ):
        x, y = of_300w[eye].mean(axis=0).astype(int)
        assert labels[y, x] == eye_label
        y, x = np.nonzero(labels == brow_label)
        assert np.hypot(*(of_300w[brow].mean(axis=0) - (x.mean(), y.mean()))) < 5
    assert np.nonzero(labels == L_EYE)[1].max() < np.nonzero(labels == R_EYE)[1].min()


def test_lips_lie_between_300w_s_contours(labels, points):
    of_300w = points68(points[None])[0]
    outer, inner = inside(of_300w[48:60], labels.shape), inside(of_300w[60:68], labels.shape)
    lips = np.isin(labels, (U_LIP, L_LIP))
    assert lips[outer & ~inner].mean() > 0.8
    assert (labels[inner] == MOUTH).mean() > 0.8
    assert np.isin(labels[~cv2.dilate(outer.astype(np.uint8), np.ones((7, 7))).astype(bool)],
                   (U_LIP, L_LIP, MOUTH)).sum() == 0  # fmt: skip
    assert np.nonzero(labels == U_LIP)[0].mean() < np.nonzero(labels == L_LIP)[0].mean()


def test_a_mirrored_picture_has_mirrored_labels(parser, astronaut, points, labels):
    flipped = np.ascontiguousarray(astronaut[:, ::-1])
    with FaceMesh() as mesh:
        x, y, w, h = FACE_BOX
        found = mesh.follow(flipped, (512 - x - w, y, w, h))
    back = parser.run([flipped], found[None], np.array([True]))[0][:, ::-1]
    table = np.arange(256, dtype=np.uint8)
    for label, other in MIRRORED.items():
        table[label] = other
    # the face and around it; far off the networks differ
    face = np.s_[20:260, 130:330]
    assert (table[back] == labels)[face].mean() > 0.95


def test_without_a_face_the_person_is_cloth(parser, astronaut, points, labels):
    nothing = np.full_like(points, np.nan)
    found = parser.run([astronaut], nothing[None], np.array([False]))[0]
    assert set(np.unique(found)) == {BACKGROUND, CLOTH}
    # background or not is the same, but for what the mesh adds
    assert ((found > 0) == (labels > 0)).mean() > 0.99


def test_nobody(parser):
    grey = np.full((120, 160, 3), 128, np.uint8)
    nothing = np.full((1, 478, 3), np.nan, np.float32)
    assert not parser.run([grey], nothing, np.array([False])).any()


def test_shut_mouth_and_eye_have_no_inside(astronaut, points, parser):
    shut = points.copy()
    for ring in (mesh_backend.MOUTH_INSIDE, mesh_backend.RIGHT_EYE):
        half = len(ring) // 2
        for upper, lower in zip(ring[1:half], ring[:half:-1], strict=True):
            shut[lower] = shut[upper]
    found = parser.run([astronaut], shut[None], np.array([True]))[0]
    assert not np.isin(found, (MOUTH, L_EYE)).any()
    assert (found == R_EYE).any() and (found == U_LIP).any()


def test_a_face_at_the_frames_edge(astronaut, points, parser):
    """Half the face is outside: labels stay on what is there."""
    part = astronaut[100:300, 215:415]
    found = parser.run([part], (points - (215, 100, 0))[None], np.array([True]))[0]
    assert found.shape == (200, 200)
    x, y = (points68(points[None])[0, 42:48].mean(axis=0) - (215, 100)).astype(int)
    assert found[y, x] == R_EYE and not (found == L_EYE).any()


def test_frames_do_not_see_each_other(parser, astronaut, points, labels):
    moved = np.roll(astronaut, 40, axis=1)
    nothing = np.full_like(points, np.nan)
    batch = np.stack([points + np.float32([40, 0, 0]), nothing, points])
    flags = np.array([True, False, True])
    found = parser.run([moved, astronaut, astronaut], batch, flags)
    assert np.array_equal(found[2], labels)
    with mesh_backend.MeshParser("both", threads=2) as other:
        assert np.array_equal(other.run([moved, astronaut, astronaut], batch, flags), found)


def test_a_batch_must_fit(parser, astronaut, points):
    with pytest.raises(ValueError, match="2 frames, 1 meshes"):
        parser.run([astronaut] * 2, points[None], np.array([True, True]))


@pytest.mark.footage
def test_published_landmarks_of_the_sample(parser):
    """Lips, eyes and chin where PIPNet, of another project, has them."""
    from talkingface.media.video import bgr_frames

    published, _ = read_text(SAMPLE.with_suffix(".landmarks.txt"))
    frames = [image for _, image in islice(bgr_frames(SAMPLE), 60)][59:]
    with load_landmarker("mediapipe") as landmarker:
        found = landmarker.run(frames)
    labels = parser.run(frames, found.points, found.present)[0]
    # ffmpeg has repeated the first frame
    theirs = min(published[58:63], key=lambda p: np.abs(p - found.points68[0]).mean())
    lips = inside(theirs[48:60], labels.shape)
    assert np.isin(labels[lips], (U_LIP, L_LIP, MOUTH)).mean() > 0.85
    for eye, label in ((theirs[36:42], L_EYE), (theirs[42:48], R_EYE)):
        x, y = eye.mean(axis=0).astype(int)
        assert labels[y, x] == label
    x, y = theirs[8].astype(int)
    assert np.isin(labels[y - 12, x], FACE) and labels[y + 12, x] == NECK
    person = labels > 0
    assert person_pixels(person.astype(np.float32))[int(theirs[30, 1]), int(theirs[30, 0])]
