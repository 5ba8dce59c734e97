from __future__ import annotations

import numpy as np

from talkingface.sync.speaking import speaking_stretches as stretches

# TalkingVideo's numbers.
RULE = {"threshold": 2.1, "max_gap": 15, "trim": 5}


def speaking_stretches(scores: np.ndarray, **others: int) -> list[tuple[int, int]]:
    return stretches(scores, **RULE | others)


def runs(*ends: tuple[int, int], high: float = 2.2) -> np.ndarray:
    """400 scores at TalkingVideo's threshold, above it from the first to the last frame of each."""
    scores = np.full(400, 2.1)
    for first, last in ends:
        scores[first : last + 1] = high
    return scores


def test_stretches_by_talkingvideos_numbers() -> None:
    """Of what it keeps, 75 from the first frame to the last, 66 are left when five are taken off
    both ends."""
    assert speaking_stretches(runs((10, 84))) == [(15, 15 + 65)]
    assert speaking_stretches(runs((10, 85))) == [(15, 15 + 66)]


def test_what_is_at_the_threshold_does_not_speak() -> None:
    assert speaking_stretches(runs((10, 200), high=2.1)) == []
    assert speaking_stretches(np.full(100, np.nan)) == []
    assert speaking_stretches(np.zeros(0)) == []


def test_gaps() -> None:
    # 15 from the last frame of one to the first of the next is one stretch, 16 are two.
    assert speaking_stretches(runs((0, 100), (115, 215))) == [(5, 211)]
    assert speaking_stretches(runs((0, 100), (116, 216))) == [(5, 96), (121, 212)]
    assert speaking_stretches(runs((0, 100), (116, 216)), max_gap=16) == [(5, 212)]
    # Short runs count once merged.
    assert speaking_stretches(runs((0, 6), (10, 16), (300, 399))) == [(5, 12), (305, 395)]


def test_trimming_leaves_nothing_of_the_shortest() -> None:
    assert speaking_stretches(runs((50, 59))) == []
    assert speaking_stretches(runs((50, 60))) == [(55, 56)]
    assert speaking_stretches(runs((0, 399)), trim=0) == [(0, 400)]
