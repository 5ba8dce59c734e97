"""Hands are found where we drew them, and none in a face."""

import numpy as np
import pytest
import skimage.data

from helpers.drawn_hands import lay_hand
from helpers.paths import SAMPLES
from talkingface.faces.hands import N_POINTS, HandFinder
from talkingface.media.video import bgr_frames

# Upper forehead to chin and cheek to cheek of skimage's astronaut, see pasted_faces.
FACE = np.array([(178.1, 69.0), (273.1, 176.8)])
TIPS = [4, 8, 12, 16, 20]  # thumb to little finger, in mediapipe's order

SAMPLE = SAMPLES / "seated_woman.mp4"


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])


@pytest.fixture(scope="module")
def finder():
    with HandFinder() as loaded:
        yield loaded


def test_a_portrait_has_no_hands(astronaut, finder):
    assert finder.run(astronaut, FACE) == []
    for margin in (10, 30, 60):  # crops, as clips are
        low, high = (FACE[0] - margin).astype(int), (FACE[1] + margin).astype(int)
        crop = np.ascontiguousarray(astronaut[low[1] : high[1], low[0] : high[0]])
        assert finder.run(crop, FACE - low) == []


@pytest.mark.parametrize(
    "centre, side, turn",
    [
        ((225, 150), 110, 0),  # over the mouth
        ((260, 170), 110, 30),  # on the chin
        ((180, 130), 90, -50),  # on the right cheek
        ((330, 250), 120, 0),  # beside the face
    ],
)
def test_finger_tips_are_where_they_were_drawn(astronaut, finder, centre, side, turn):
    frame, _, tips = lay_hand(astronaut, centre, side, turn)
    (hand,) = finder.run(frame, FACE)
    assert hand.shape == (N_POINTS, 2) and hand.dtype == np.float32
    away = np.linalg.norm(hand[TIPS] - tips, axis=1)
    assert away.max() < 0.1 * side, away


def test_a_crop_moves_the_points_along(astronaut, finder):
    """A clip that ends at the hand's rim: frame pixels stay frame pixels."""
    frame, _, tips = lay_hand(astronaut, (225, 150), 110)
    corner = np.array([150, 40])
    crop = np.ascontiguousarray(frame[40:206, 150:316])
    (hand,) = finder.run(crop, FACE - corner)
    assert np.linalg.norm(hand[TIPS] + corner - tips, axis=1).max() < 11


def test_two_hands(astronaut, finder):
    frame, _, left = lay_hand(astronaut, (150, 150), 100, -10)
    frame, _, right = lay_hand(frame, (300, 150), 100, 10)
    hands = sorted(finder.run(frame, FACE), key=lambda hand: hand[:, 0].mean())
    assert len(hands) == 2
    for hand, tips in zip(hands, (left, right), strict=True):
        assert np.linalg.norm(hand[TIPS] - tips, axis=1).max() < 10


def test_a_face_outside_the_frame_is_no_error(astronaut, finder):
    assert finder.run(astronaut, FACE + 5000) == []


@pytest.mark.footage
def test_hands_of_a_person(finder):
    """Her hands lie folded in her lap: read off the picture, x 480 to 690, y 1410 to 1600."""
    _, frame = next(bgr_frames(SAMPLE))
    around = np.array([(480, 1410), (690, 1600)])
    hands = finder.run(frame, around)
    assert hands
    for hand in hands:
        assert (hand > around[0] - 20).all() and (hand < around[1] + 20).all()
        assert np.ptp(hand, axis=0).min() > 50
    face = np.array([(517, 640), (694, 850)])
    assert finder.run(frame, face) == []


def test_quiet_and_closed(astronaut, capfd):
    finder = HandFinder()
    finder.close()
    finder.close()
    assert capfd.readouterr().err == ""
    with pytest.raises(ValueError, match="closed"):
        finder.run(astronaut, FACE)
