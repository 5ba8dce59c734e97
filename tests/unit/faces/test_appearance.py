"""Looks of faces that are drawn: whose they are is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from talkingface.faces.appearance import SIDE, changes, differences, look

THRESHOLD = 1.4
EVERY = 5  # frames from sample to sample


def portrait(seed: int, *, turn: float = 0.0, talks: float = 0.0) -> np.ndarray:
    """Somebody's look: skin, hair, eyes, mouth, clothes and wall, all of a person's own, (64, 64,
    3) uint8. `turn`: of the head, in pixels that its parts are off the middle."""
    rng = np.random.default_rng(seed)
    wall, clothes, hair = (tuple(map(int, rng.integers(0, 256, 3))) for _ in range(3))
    light = int(rng.integers(70, 230))
    skin = (int(0.6 * light), int(0.75 * light), light)
    width, height, fringe = int(rng.integers(12, 17)), int(rng.integers(15, 20)), rng.uniform(0, 8)
    picture = np.full((64, 64, 3), wall, np.uint8)
    cv2.rectangle(picture, (6, 50), (58, 64), clothes, -1)
    cv2.ellipse(picture, (32, 30), (width + 5, height + 5), 0, 0, 360, hair, -1)
    cv2.ellipse(picture, (32 + round(turn / 2), 34), (width, height - 3), 0, 0, 360, skin, -1)
    cv2.rectangle(picture, (18, 12), (46, 16 + round(fringe)), hair, -1)
    for eye in (-6, 6):
        cv2.circle(picture, (32 + eye + round(turn), 29), 2, (30, 30, 30), -1)
    size = (5, 1 + round(2 * talks))
    cv2.ellipse(picture, (32 + round(turn), 42), size, 0, 0, 360, (60, 40, 120), -1)
    return picture


def small(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def person(seed: int, count: int) -> list[np.ndarray]:
    """Who talks and sways, of a box that is a little off now and then."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        picture = portrait(seed, turn=rng.uniform(-2, 2), talks=rng.random())
        out.append(np.roll(picture, rng.integers(-2, 3, 2), (0, 1)))
    return out


def found(pictures: list[np.ndarray]) -> list[tuple[int, int]]:
    frames = list(range(100, 100 + EVERY * len(pictures), EVERY))
    return changes(frames, [small(picture) for picture in pictures], THRESHOLD)


@pytest.mark.parametrize("seed", range(6))
def test_another_person_at_once(seed: int) -> None:
    assert found(person(seed, 12) + person(50 + seed, 12)) == [(11, 12)]


@pytest.mark.parametrize("samples", [2, 5, 7])
def test_another_person_in_a_dissolve(samples: int) -> None:
    for seed in range(3):
        one, other = person(seed, 12 + samples), person(50 + seed, samples + 12)
        shares = (np.arange(samples) + 1) / (samples + 1)
        between = [
            ((1 - share) * a + share * b).astype(np.uint8)
            for share, a, b in zip(shares, one[12:], other, strict=False)
        ]
        [(last, first)] = found(one[:12] + between + other[samples:])
        # Neither side shows more of the other person than a third.
        assert 10 <= last <= 11 + samples / 3
        assert 12 + samples * 2 / 3 <= first + 1 and first <= 13 + samples


def test_the_same_person_all_the_time() -> None:
    for seed in range(10):
        assert found(person(seed, 40)) == []


def turning() -> list[np.ndarray]:
    return [portrait(3, turn=6 * np.clip((k - 15) / 3, 0, 1)) for k in range(30)]


def lit() -> list[np.ndarray]:
    return [cv2.convertScaleAbs(p, alpha=1 if k < 15 else 0.6) for k, p in enumerate(person(3, 30))]


def flashed() -> list[np.ndarray]:
    frames = person(3, 30)
    frames[15] = cv2.convertScaleAbs(frames[15], alpha=1.2, beta=140)
    return frames


def behind_a_hand() -> list[np.ndarray]:
    frames = person(3, 30)
    for k in range(12, 20):
        frames[k][34:50, 20:50] = (90, 120, 190)
    return frames


def before_a_lively_wall() -> list[np.ndarray]:
    """Somebody who walks: of all that is around the face nothing stays."""
    wall = np.random.default_rng(0).integers(0, 256, (16, 200, 3), np.uint8)
    wall = cv2.resize(wall, (1600, 64), interpolation=cv2.INTER_CUBIC)
    frames = []
    for k, picture in enumerate(person(3, 30)):
        around = wall[:, 40 * k : 40 * k + 64].copy()
        around[12:52, 14:50] = picture[12:52, 14:50]
        frames.append(around)
    return frames


@pytest.mark.parametrize("scene", [turning, lit, flashed, behind_a_hand, before_a_lively_wall])
def test_a_change_that_is_none(scene) -> None:
    assert found(scene()) == []


def test_the_more_a_face_may_change_the_less_is_found() -> None:
    pictures = [small(p) for p in person(1, 12) + person(51, 12)]
    frames = list(range(0, 120, EVERY))
    assert changes(frames, pictures, 1.4) == [(11, 12)]
    assert changes(frames, pictures, 50) == []


def test_samples_that_are_far_apart_are_not_compared() -> None:
    pictures = [small(p) for p in person(1, 4) + person(51, 4)]
    near, far = [0, 10, 20, 30, 40, 50, 60, 70], [0, 10, 20, 30, 80, 90, 100, 110]
    assert changes(near, pictures, THRESHOLD) == [(3, 4)]
    assert changes(far, pictures, THRESHOLD) == []
    # Samples of every frame say no more than those of every fifth.
    often = [p for picture in pictures for p in [picture] * 10]
    [(last, first)] = changes(list(range(80)), often, THRESHOLD)
    assert last <= 39 < 40 <= first and first - last <= 10
    assert changes([7], pictures[:1], THRESHOLD) == []


def test_a_look_has_the_face_in_its_middle_and_border_around_the_picture() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[:, 120:] = 200
    # 1.6 times the box's longer side: from 56 to 184, of which the left half is dark.
    seen = look(image, np.array([80.0, 20, 80, 60]))
    assert seen.shape == (SIDE, SIDE, 3) and seen.dtype == np.uint8
    assert (seen[:, :8] == 0).all() and (seen[:, 8:] == 200).all()
    for x, y, level in ((-500, -500, 0), (900, 20, 200), (190, 90, 200), (0, 0, 0)):
        assert (look(image, np.array([x, y, 10.0, 12])) == level).all()
    assert look(image, np.array([5.0, 5, 0.1, 0.1])).shape == (SIDE, SIDE, 3)
    assert look(image, np.array([-1e4, -1e4, 4e4, 4e4])).shape == (SIDE, SIDE, 3)


def test_differences_are_none_of_the_same_look_in_another_light() -> None:
    one = small(portrait(1))[None]
    darker = cv2.convertScaleAbs(one[0], alpha=0.7)[None]
    assert differences(one, one) == pytest.approx(0, abs=0.01)
    assert differences(one, darker) < 0.15
    assert differences(one, small(portrait(51))[None]) > THRESHOLD
