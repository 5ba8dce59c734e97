"""A portrait cut out by hand, before other backgrounds: the mask is the cut."""

import cv2
import numpy as np
import pytest
import skimage.data

from talkingface.demo.portrait import _OUTLINE
from talkingface.pictures.parsing.person import MODELS, PersonMask, person_pixels

# Window of the portrait that a clip would show: face and some of all around.
X, Y, SIDE = 125, 10, 220


@pytest.fixture(scope="module")
def cut():
    """Portrait (BGR) and the person's outline in it, (H, W) bool."""
    portrait = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    outline = np.zeros(portrait.shape[:2], np.uint8)
    cv2.fillPoly(outline, [np.array(_OUTLINE).reshape(-1, 2)], 1)
    window = np.s_[Y : Y + SIDE, X : X + SIDE]
    size = (512, 512)
    return (
        cv2.resize(portrait[window], size, interpolation=cv2.INTER_CUBIC),
        cv2.resize(outline[window] * 255, size, interpolation=cv2.INTER_LINEAR) > 127,
    )


@pytest.fixture(scope="module")
def scenes(cut):
    """The person before three pictures."""
    portrait, person = cut
    made = []
    for picture in (skimage.data.coffee(), skimage.data.rocket(), skimage.data.chelsea()):
        behind = cv2.GaussianBlur(cv2.resize(picture[..., ::-1], (512, 512)), (0, 0), 3)
        made.append(np.where(person[..., None], portrait, behind))
    return made


@pytest.fixture(scope="module")
def both():
    with PersonMask("both") as mask:
        yield mask


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union."""
    return (a & b).sum() / (a | b).sum()


def test_the_person_is_found(cut, scenes, both):
    masks = both.run(scenes)
    assert masks.shape == (3, 512, 512) and masks.dtype == np.float32
    assert masks.min() >= 0 and masks.max() <= 1
    for mask in masks:
        assert agreement(person_pixels(mask), cut[1]) > 0.95


def test_the_edge_is_sharper_than_the_network(cut, scenes, both):
    """Within 8 pixels of the outline, fewer pixels are wrong than in the enlarged network's."""
    _, person = cut
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17))
    band = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_GRADIENT, disc) > 0
    sharp = both.run(scenes) > 0.5
    small = [cv2.resize(scene, (256, 256), interpolation=cv2.INTER_AREA) for scene in scenes]
    coarse = [cv2.resize(both._coarse(picture), (512, 512)) > 0.5 for picture in small]
    wrong = [(found != person)[:, band].mean() for found in (sharp, np.array(coarse))]
    assert wrong[0] < 0.95 * wrong[1]


def test_frames_do_not_see_each_other(scenes, both):
    forth, back = both.run(scenes), both.run(scenes[::-1])[::-1]
    assert np.array_equal(forth, back)
    assert np.array_equal(both.run(scenes[1:2])[0], forth[1])


@pytest.mark.parametrize("model", MODELS)
def test_every_model_at_other_sizes(scenes, cut, model):
    with PersonMask(model) as mask:
        for size in ((301, 301), (640, 360), (90, 160)):
            found = mask.run([cv2.resize(scenes[1], size)])[0]
            person = cv2.resize(cut[1].astype(np.uint8), size) > 0
            assert found.shape == size[::-1]
            assert agreement(found > 0.5, person) > 0.9


def test_nobody():
    with PersonMask("both") as mask:
        grey = np.full((200, 200, 3), 120, np.uint8)
        assert not person_pixels(mask.run([grey])[0]).any()


def test_a_closed_one_and_an_unknown_model():
    mask = PersonMask("landscape")
    mask.close()
    mask.close()
    with pytest.raises(ValueError, match="closed"):
        mask.run([np.zeros((8, 8, 3), np.uint8)])
    with pytest.raises(ValueError, match="general, landscape, both"):
        PersonMask("pose")


def test_doubts_and_holes():
    mask = np.zeros((400, 400), np.float32)
    mask[100:300, 100:300] = 1  # a person
    mask[150:160, 150:160] = 0  # a speck in it
    mask[200:260, 200:260] = 0  # between arm and body
    mask[20:60, 20:60] = 0.7  # a doubt
    mask[320:360, 320:360] = 0.95  # somebody else
    mask[120:122, 300:330] = 1  # a strand
    found = person_pixels(mask)
    assert found[155, 155] and not found[230, 230]
    assert not found[:90, :90].any()
    assert found[340, 340]
    assert not found[:300, 301:].any()
