from __future__ import annotations

import numpy as np
import pytest

from talkingface.shots.flashes import Shown, without_flashes


def shown(levels: list[int]) -> list[Shown]:
    """Frames of one colour each, numbered by their image."""
    return [
        Shown(np.full((4, 4, 3), number, np.uint8), np.full((2, 2, 3), level, np.uint8))
        for number, level in enumerate(levels)
    ]


def numbers(levels: list[int]) -> list[int]:
    return [int(frame.image[0, 0, 0]) for frame in without_flashes(shown(levels))]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_the_picture_before_stands_in_for_a_flash(length: int) -> None:
    levels = [80] * 5 + [240] * length + [82] * 5
    expected = [*range(5), *[4] * length, *range(5 + length, 10 + length)]
    assert numbers(levels) == expected


def test_a_flash_that_fades_is_one() -> None:
    assert numbers([80, 80, 250, 200, 120, 84, 80]) == [0, 1, 1, 1, 1, 5, 6]


@pytest.mark.parametrize(
    "levels",
    [
        [80] * 5 + [240] * 10,  # a cut to a bright picture
        [80] * 5 + [240] * 6 + [80] * 5,  # a shot of six frames
        [80] * 5 + [20] * 2 + [80] * 5,  # darker, and back
        [80] * 5 + [240, 240, 160, 160, 160, 160],  # by a flash to another picture
        [240, 80, 80],
        [80, 80, 240],
        [80, 240, 250, 245],
        [],
    ],
)
def test_what_is_no_flash_stays_as_it_is(levels: list[int]) -> None:
    assert numbers(levels) == list(range(len(levels)))


def test_frames_are_held_back_only_where_one_may_be_a_flash() -> None:
    seen = []

    def watched():
        for frame in shown([80, 80, 240, 80, 80]):
            seen.append(int(frame.image[0, 0, 0]))
            yield frame

    frames = without_flashes(watched())
    next(frames), next(frames)
    assert seen == [0, 1]
    next(frames)
    assert seen == [0, 1, 2, 3]
