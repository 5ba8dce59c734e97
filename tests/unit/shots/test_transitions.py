"""Transitions made by arithmetic between pictures that are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from talkingface.shots.transitions import TransitionFinder, find_transitions, small_picture

SIZE = 320, 180  # width and height


def scenery(seed: int, width: int = SIZE[0], height: int = SIZE[1]) -> np.ndarray:
    """A picture with large and small things in it, float, 0 to 255."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells, weight in ((4, 0.5), (12, 0.35), (40, 0.15)):
        noise = rng.uniform(0, 255, (cells, cells * width // height, 3)).astype(np.float32)
        picture += weight * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(1.6 * (picture - 128) + 128, 0, 255)


def talker(seed: int, count: int) -> list[np.ndarray]:
    """Somebody before a wall: a head that sways, mouth and hands that move."""
    wall, head = scenery(seed), scenery(100 + seed, 80, 100)
    rng = np.random.default_rng(seed)
    frames = []
    for k in range(count):
        frame = wall.copy()
        x, y = 120 + round(6 * np.sin(k / 9 + seed)), 40 + round(3 * np.sin(k / 7))
        frame[y : y + 100, x : x + 80] = head
        frame[y + 70 : y + 80, x + 25 : x + 55] *= 0.4 + 0.6 * rng.random()
        frame[140:, 60 + k % 30 : 100 + k % 30] = 90
        frames.append(frame)
    return frames


def mixed(one: np.ndarray, other: np.ndarray, share: float, kind: str) -> np.ndarray:
    """What a transition shows when `share` of it is over."""
    height, width = one.shape[:2]
    column, row = round(share * width), round(share * height)
    if kind == "dissolve":
        return (1 - share) * one + share * other
    if kind == "fade":
        return one * max(0, 1 - 2 * share) + other * max(0, 2 * share - 1)
    if kind == "wipe":
        return np.concatenate([other[:, :column], one[:, column:]], 1)
    if kind == "slide":
        return np.concatenate([one[:, column:], other[:, :column]], 1)
    assert kind == "push up"
    return np.concatenate([one[row:], other[:row]], 0)


def joined(kind: str, length: int, before: int = 60, after: int = 60) -> list[np.ndarray]:
    """One talker for `before` frames, a transition of `length`, another for `after`."""
    one, other = talker(1, before + length), talker(2, length + after)
    between = [
        mixed(one[before + k], other[k], (k + 1) / (length + 1), kind) for k in range(length)
    ]
    return one[:before] + between + other[length:]


def small(frames: list[np.ndarray]) -> np.ndarray:
    return np.array([small_picture(np.clip(frame, 0, 255).astype(np.uint8)) for frame in frames])


@pytest.mark.parametrize("length", [3, 5, 12, 25, 37])
@pytest.mark.parametrize("kind", ["dissolve", "fade", "wipe", "slide", "push up"])
def test_the_frames_of_a_transition_are_found(kind: str, length: int) -> None:
    found = find_transitions(small(joined(kind, length)))
    # A fade is two: to black, and from black.
    assert 1 <= len(found) <= (2 if kind == "fade" else 1)
    first, last = found[0][0], found[-1][1]
    # At its ends it is seen from a tenth on, and no more is taken than an eighth and a little.
    slow = round(length / 10)
    assert 60 - length / 4 - 4 <= first <= 60 + slow
    assert 60 + length - slow <= last <= 60 + length + length / 4 + 4


@pytest.mark.parametrize("kind", ["a cut", "from black"])
def test_what_is_sudden_takes_no_frames(kind: str) -> None:
    one, other = talker(1, 50), talker(2, 50)
    if kind == "from black":
        one = [np.zeros_like(frame) for frame in one]
    assert find_transitions(small(one + other)) == [(50, 50)]


def moved(picture: np.ndarray, zoom: float, x: float, y: float) -> np.ndarray:
    """What a camera sees of a large picture, its middle at x and y."""
    matrix = np.array([[zoom, 0, 160 - zoom * x], [0, zoom, 90 - zoom * y]], float)
    return cv2.warpAffine(picture, matrix, SIZE, flags=cv2.INTER_AREA)


def camera(kind: str) -> list[np.ndarray]:
    """120 frames in which nothing but the camera, the light or somebody before it moves."""
    wide = scenery(5, 960, 540)
    rng = np.random.default_rng(0)
    shake = cv2.GaussianBlur(rng.normal(0, 60, (120, 2)), (1, 15), 3)
    frames = []
    for k in range(120):
        quick, slow = np.clip((k - 50) / 10, 0, 1), np.clip((k - 30) / 40, 0, 1)
        frame = {
            "a pan": lambda k=k: moved(wide, 1, 200 + 4 * k, 270),
            "a quick pan": lambda s=quick: moved(wide, 1, 400 + 110 * s, 270),
            "a zoom": lambda s=slow: moved(wide, 1 + 0.5 * s, 480, 270),
            "a quick zoom": lambda s=quick: moved(wide, 1 + 0.5 * s, 480, 270),
            "by hand": lambda k=k: moved(wide, 1, 480 + shake[k, 0], 270 + shake[k, 1]),
            "less light": lambda s=slow: (1 - 0.45 * s) * moved(wide, 1, 480, 270),
            "the light off": lambda k=k: (0.6 if k > 60 else 1) * moved(wide, 1, 480, 270),
        }[kind]()  # fmt: skip
        frames.append(frame)
    return frames


@pytest.mark.parametrize(
    "kind",
    ["a pan", "a quick pan", "a zoom", "a quick zoom", "by hand", "less light", "the light off"],
)
def test_a_camera_that_moves_and_a_change_of_light_are_none(kind: str) -> None:
    assert find_transitions(small(camera(kind))) == []


def test_somebody_who_talks_or_walks_by_is_none() -> None:
    frames = talker(3, 120)
    assert find_transitions(small(frames)) == []
    for k in range(40):
        frames[40 + k][20:, max(0, 8 * k - 80) : 8 * k] = 40
    assert find_transitions(small(frames)) == []


def test_a_long_video_is_searched_in_parts() -> None:
    """Wherever a transition lies in the blocks, it is found once, and at the same frames."""
    pictures = small(joined("dissolve", 12, 100, 100))
    still, last = pictures[:1], pictures[-1:]
    for before in (10, 880, 905, 950, 995, 1700):
        finder = TransitionFinder()
        video = [still.repeat(before, 0), pictures, last.repeat(1300, 0)]
        for picture in np.concatenate(video):
            finder.add(picture)
        [(start, end)] = finder.finish()
        assert [(start - before, end - before)] == find_transitions(pictures)


def test_little_or_nothing_to_see() -> None:
    assert TransitionFinder().finish() == []
    finder = TransitionFinder()
    for picture in small(talker(1, 3)):
        finder.add(picture)
    assert finder.finish() == []
    for height, width in ((2, 400), (400, 2), (1, 1)):
        assert small_picture(np.zeros((height, width, 3), np.uint8)).size
    assert find_transitions(np.zeros((100, 2, 32, 3), np.uint8)) == []
