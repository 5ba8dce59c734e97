"""Heads drawn in known colours around a real mesh: every pixel's region is known."""

import cv2
import numpy as np
import pytest
import skimage.data

from talkingface.faces.face_frame import face_outline
from talkingface.faces.ibug68 import points68
from talkingface.faces.mesh import FaceMesh
from talkingface.pictures.parsing.labels import CLOTH, HAIR, NECK, SKIN
from talkingface.pictures.parsing.regions import find_regions

SIZE = 360
SKIN_COLOUR, SHADE = (120, 150, 205), (48, 60, 82)  # the neck is the skin in less light


@pytest.fixture(scope="module")
def points():
    """The astronaut's mesh, face 130 pixels high, in the middle of the upper half."""
    portrait = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    with FaceMesh() as mesh:
        found = mesh.follow(portrait, (177.0, 82.0, 92.0, 98.0))[:, :2].astype(np.float64)
    scale = 130 / np.linalg.norm(found[152] - found[10])
    return (found - found[1]) * scale + (180, 150)


def draw(points, hair, cloth, bangs=False):
    """A head in flat colours with noise, and its regions; 0 where no person is."""
    truth = np.zeros((SIZE, SIZE), np.uint8)
    top, chin = points[10], points[152]
    middle = tuple(np.round((top + chin) / 2).astype(int))
    if hair is None:  # bald: skin up to the crown
        cv2.ellipse(truth, middle, (62, 105), 0, 180, 360, SKIN, -1)
    else:
        cv2.ellipse(truth, middle, (85, 112), 0, 150, 390, HAIR, -1)
    jaw = points68(points[None])[0, :17].astype(np.float64)
    x, y = int(chin[0]), int(chin[1])
    cv2.rectangle(truth, (x - 38, y - 40), (x + 38, y + 45), NECK, -1)
    cv2.ellipse(truth, (x, SIZE), (150, 125), 0, 180, 360, CLOTH, -1)
    truth[face_outline(points, jaw, truth.shape)] = SKIN
    if bangs:
        band = np.zeros_like(truth)
        cv2.rectangle(band, (0, 0), (SIZE, int(top[1]) + 12), 1, -1)
        truth[(band > 0) & (truth == SKIN)] = HAIR
    colours = {0: (200, 190, 60), SKIN: SKIN_COLOUR, HAIR: hair or 0, NECK: SHADE, CLOTH: cloth}
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    for label, colour in colours.items():
        picture[truth == label] = colour
    picture = cv2.GaussianBlur(picture, (0, 0), 0.8)
    picture += np.random.default_rng(0).normal(0, 5, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), truth, jaw


def found_regions(picture, truth, points, jaw):
    person = (truth > 0).astype(np.float32)
    return np.where(truth > 0, find_regions(picture, person, points, jaw, []), 0)


def score(found, truth, label):
    """Intersection over union of one region."""
    a, b = found == label, truth == label
    return (a & b).sum() / (a | b).sum()


BROWN, BLACK, BLOND = (35, 50, 75), (25, 22, 22), (110, 170, 190)
BLUE, WHITE, DARK = (150, 90, 50), (235, 235, 235), (40, 40, 40)


@pytest.mark.parametrize("hair", [BROWN, BLACK, BLOND])
@pytest.mark.parametrize("cloth", [BLUE, WHITE, DARK])
def test_regions_are_found(points, hair, cloth):
    picture, truth, jaw = draw(points, hair, cloth)
    found = found_regions(picture, truth, points, jaw)
    scores = [score(found, truth, label) for label in (SKIN, HAIR, NECK, CLOTH)]
    assert min(scores) > 0.9, dict(zip(("skin", "hair", "neck", "cloth"), scores, strict=True))


def test_bangs_inside_the_mesh_are_hair(points):
    picture, truth, jaw = draw(points, BROWN, BLUE, bangs=True)
    found = found_regions(picture, truth, points, jaw)
    assert score(found, truth, HAIR) > 0.92
    assert score(found, truth, SKIN) > 0.9


def test_a_bald_head_is_skin(points):
    picture, truth, jaw = draw(points, None, BLUE)
    found = found_regions(picture, truth, points, jaw)
    assert score(found, truth, SKIN) > 0.95
    assert (found == HAIR).sum() < 0.01 * (truth > 0).sum()


def test_a_turtleneck_has_no_neck(points):
    picture, truth, jaw = draw(points, BROWN, BLUE)
    neck = truth == NECK
    picture[neck], truth[neck] = BLUE, CLOTH
    found = found_regions(picture, truth, points, jaw)
    assert score(found, truth, CLOTH) > 0.95


def test_a_speck_is_no_region(points):
    """Of hair's colour on the forehead, of skin's in the hair and on the chest."""
    picture, truth, jaw = draw(points, BROWN, BLUE)
    chin, top = points[152], points[10]
    cv2.circle(picture, (int(chin[0]) + 40, int(chin[1]) + 75), 5, SKIN_COLOUR, -1)
    cv2.circle(picture, (int(top[0]), int(top[1]) - 30), 4, SKIN_COLOUR, -1)
    cv2.circle(picture, (int(top[0]), int(top[1]) + 20), 3, BROWN, -1)
    found = found_regions(picture, truth, points, jaw)
    for label in (SKIN, HAIR, CLOTH):
        count, _, stats, _ = cv2.connectedComponentsWithStats((found == label).astype(np.uint8))
        areas = stats[1:count, cv2.CC_STAT_AREA]
        # hair may be in two parts, left and right; nothing small
        assert (areas > 200).all(), (label, areas)


def test_small_and_large_pictures(points):
    """A face of 65 and of 260 pixels: the same regions."""
    picture, truth, jaw = draw(points, BROWN, BLUE)
    usual = found_regions(picture, truth, points, jaw)
    for scale in (0.5, 2):
        size = round(SIZE * scale), round(SIZE * scale)
        other = found_regions(
            cv2.resize(picture, size, interpolation=cv2.INTER_AREA),
            cv2.resize(truth, size, interpolation=cv2.INTER_NEAREST),
            points * scale,
            jaw * scale,
        )
        back = cv2.resize(other, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST)
        assert (back == usual)[truth > 0].mean() > 0.96


def test_a_rolled_head(points):
    picture, truth, jaw = draw(points, BROWN, BLUE)
    turn = cv2.getRotationMatrix2D((SIZE / 2 - 0.5, SIZE / 2 - 0.5), 25, 0.8)
    picture = cv2.warpAffine(picture, turn, (SIZE, SIZE), borderValue=(200, 190, 60))
    truth = cv2.warpAffine(truth, turn, (SIZE, SIZE), flags=cv2.INTER_NEAREST)

    def turned(xy):
        return (xy - 0.5) @ turn[:, :2].T + turn[:, 2] + 0.5

    found = found_regions(picture, truth, turned(points), turned(jaw))
    assert min(score(found, truth, label) for label in (SKIN, HAIR, NECK, CLOTH)) > 0.88


def test_a_picture_that_ends_below_the_chin(points):
    """A tight crop: cloth only in the last rows."""
    picture, truth, jaw = draw(points, BROWN, BLUE)
    chin = int(points[152, 1])
    picture, truth = picture[: chin + 18], truth[: chin + 18]  # v = 1.14
    picture[chin + 7 :, 60:300], truth[chin + 7 :, 60:300] = BLUE, CLOTH
    found = found_regions(picture, truth, points, jaw)
    assert score(found, truth, CLOTH) > 0.9 and score(found, truth, NECK) > 0.7


def test_a_picture_that_is_all_face(points):
    """No hair, no cloth, no neck in sight: nothing to learn from, and no error."""
    x, y = points[1].astype(int)
    part = np.s_[y - 20 : y + 20, x - 20 : x + 20]
    picture, truth, jaw = draw(points, BROWN, BLUE)
    corner = (x - 20, y - 20)
    found = found_regions(picture[part], truth[part], points - corner, jaw - corner)
    assert (found == SKIN).all()
