"""Who speaks when, against every possible course of short talks, and in long drawn ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from talkingface.sync.speakers import (
    SILENCE,
    STEP,
    TURN_FRAMES,
    speaking_probabilities,
    turn_evidence,
)

CHANGE = STEP / TURN_FRAMES


def all_courses(
    spans: dict[int, tuple[int, int]], levels: dict[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """The probability of every face in every step, by adding up all courses of a talk, as the
    model's text says. `spans` are the steps in which a face is there, from 0 on without a gap."""
    count = max(stop for _, stop in spans.values())
    there = [
        [0, *(face for face, (start, stop) in spans.items() if start <= t < stop)]
        for t in range(count)
    ]
    total, found = 0.0, {face: np.zeros(count) for face in spans}
    for course in product(*there):
        chance = 1 / len(there[0])
        for t in range(count):
            if t:
                now, before = course[t], course[t - 1]
                if before not in there[t]:
                    chance *= 1 / len(there[t])
                elif len(there[t]) > 1:
                    others = len(there[t]) - 1
                    chance *= 1 - CHANGE if now == before else CHANGE / others
            if course[t]:
                chance *= np.exp(levels[course[t]][t - spans[course[t]][0]])
        total += chance
        for t, face in enumerate(course):
            if face:
                found[face][t] += chance
    return {face: found[face][start:stop] / total for face, (start, stop) in spans.items()}


@pytest.mark.parametrize(
    "spans",
    [
        {3: (0, 7)},
        {1: (0, 6), 2: (0, 6)},
        {1: (0, 3), 2: (3, 7)},  # one after the other
        {1: (0, 2), 2: (4, 7)},  # nobody between
        {5: (0, 4), 2: (1, 6), 9: (2, 3)},
        {1: (0, 5), 2: (2, 3), 3: (2, 6), 4: (4, 6)},
    ],
)
@pytest.mark.parametrize("strength", [0.3, 3.0])
def test_probabilities_are_those_of_all_courses(
    spans: dict[int, tuple[int, int]], strength: float
) -> None:
    rng = np.random.default_rng(len(spans))
    start = 1234
    frames, evidence, levels = {}, {}, {}
    for face, (first, stop) in spans.items():
        # A face is there from some frame of its first step to some frame of its last.
        low = STEP * first + (int(rng.integers(STEP)) if first else 0)
        frames[face] = np.arange(start + low, start + STEP * stop - int(rng.integers(STEP)))
        evidence[face] = rng.normal(0, strength, len(frames[face]))
        steps = (frames[face] - start) // STEP
        levels[face] = np.array([evidence[face][steps == t].sum() for t in range(first, stop)])
    found = speaking_probabilities(frames, evidence)
    expected = all_courses(spans, levels)
    assert list(found) == list(spans)
    for face, (first, _) in spans.items():
        steps = (frames[face] - start) // STEP - first
        np.testing.assert_allclose(found[face], expected[face][steps], atol=1e-9)


def test_no_face_and_no_evidence() -> None:
    assert speaking_probabilities({}, {}) == {}
    frames = np.arange(40)
    alone = speaking_probabilities({7: frames}, {7: np.zeros(40)})
    np.testing.assert_allclose(alone[7], 0.5)
    three = speaking_probabilities(
        dict.fromkeys((1, 2, 3), frames), dict.fromkeys((1, 2, 3), np.zeros(40))
    )
    for chances in three.values():
        np.testing.assert_allclose(chances, 0.25)
    one_frame = speaking_probabilities({0: np.array([17])}, {0: np.array([np.log(3)])})
    np.testing.assert_allclose(one_frame[0], [0.75])


def evidence_of(speaks: np.ndarray, seed: int, spread: float = 2.0) -> np.ndarray:
    """The evidence of noisy scores, 1 in the mean where somebody speaks and 0 where not."""
    scores = np.random.default_rng(seed).normal(speaks.astype(float), spread)
    return (scores - 0.5) / spread**2


def test_turns_of_four_seconds_come_apart() -> None:
    """Though by a frame alone it would be told in 60 of 100."""
    frames = np.arange(2000)
    first = frames // 100 % 2 == 0
    evidence = {1: evidence_of(first, 1), 2: evidence_of(~first, 2)}
    found = speaking_probabilities({1: frames, 2: frames}, evidence)
    assert ((evidence[1] > 0) == first).mean() < 0.65
    assert ((found[1] > 0.5) == first).mean() > 0.93
    assert ((found[2] > 0.5) == ~first).mean() > 0.93
    middles = np.arange(50, 2000, 100)
    right = np.where(first, found[1], found[2])[middles]
    wrong = np.where(first, found[2], found[1])[middles]
    assert np.median(right) > 0.95 and np.median(wrong) < 0.02
    assert (found[1] + found[2] <= 1 + 1e-9).all()


def test_somebody_off_screen_speaks() -> None:
    frames, nobody = np.arange(1000), np.zeros(1000, bool)
    found = speaking_probabilities(
        {1: frames, 2: frames}, {1: evidence_of(nobody, 3), 2: evidence_of(nobody, 4)}
    )
    for chances in found.values():
        assert chances.mean() < 0.1 and (chances > 0.5).mean() < 0.05


def test_a_face_that_comes_and_one_that_goes() -> None:
    """What a face that is gone or not there yet says of others: nothing."""
    frames = np.arange(1000)
    first = evidence_of(frames < 500, 5)
    frames_of = {1: frames[:500], 2: frames[300:]}
    found = speaking_probabilities(
        frames_of, {1: first[:500], 2: evidence_of(frames >= 500, 6)[300:]}
    )
    assert [len(chances) for chances in found.values()] == [500, 700]
    assert np.median(found[1]) > 0.95
    assert np.median(found[2][:150]) < 0.05 and np.median(found[2][250:]) > 0.95
    # Many tracks elsewhere in the shot change nothing.
    alone = speaking_probabilities({1: frames[:500]}, {1: first[:500]})[1]
    more = {100 + k: np.arange(600 + 10 * k, 605 + 10 * k) for k in range(30)}
    crowded = speaking_probabilities(
        {1: frames[:500]} | more, {1: first[:500]} | {n: np.zeros(5) for n in more}
    )
    np.testing.assert_allclose(crowded[1], alone, atol=1e-9)


def test_evidence_without_end_is_held() -> None:
    """Beyond what exp() of a number can be, in a step and over all, and against all else."""
    frames = np.arange(5000)
    speaks = frames // 1000 % 2 == 0
    huge = np.where(speaks, 1e5, -1e5)
    found = speaking_probabilities({1: frames, 2: frames}, {1: huge, 2: -huge})
    np.testing.assert_allclose(found[1], speaks, atol=1e-9)
    np.testing.assert_allclose(found[2], ~speaks, atol=1e-9)
    one = speaking_probabilities({1: frames, 2: frames}, {1: np.full(5000, 800.0), 2: huge})
    assert np.isfinite(one[1]).all() and (one[1] + one[2] <= 1 + 1e-9).all()
    np.testing.assert_allclose(one[2], speaks, atol=1e-9)
    # A face that goes while it surely speaks, and one that comes.
    parts = speaking_probabilities(
        {1: frames[:700], 2: frames[700:]}, {1: huge[:700], 2: huge[700:]}
    )
    np.testing.assert_allclose(np.concatenate([parts[1], parts[2]]), speaks, atol=1e-9)


def test_hours_of_faces() -> None:
    rng = np.random.default_rng(0)
    count = 200_000
    frames = {1: np.arange(count), 2: np.arange(50_000, count)}
    for n in range(3, 200):
        start = int(rng.integers(count - 500))
        frames[n] = np.arange(start, start + 500)
    evidence = {n: rng.normal(0, 0.3, len(part)) for n, part in frames.items()}
    found = speaking_probabilities(frames, evidence)
    total = np.zeros(count)
    for n, part in frames.items():
        assert found[n].shape == part.shape and found[n].min() >= 0
        total[part] += found[n]
    assert total.max() <= 1 + 1e-9


def test_frames_in_which_nobody_is_heard() -> None:
    lips = np.array([2.0, 2, 2, np.nan, np.nan, 2])
    heard = np.array([1, 0.25, 0, 1, 0.5, np.nan])
    expected = [2, 0.5 - 0.75 * SILENCE, -SILENCE, 0, -0.5 * SILENCE, 0]
    np.testing.assert_allclose(turn_evidence(lips, heard), expected)


@pytest.mark.parametrize(("pause", "ends"), [(15, False), (30, False), (75, True), (500, True)])
def test_a_long_silence_is_between_turns(pause: int, ends: bool) -> None:
    heard = np.ones(600 + pause)
    heard[300 : 300 + pause] = 0
    evidence = turn_evidence(np.ones(len(heard)), heard)
    chances = speaking_probabilities({0: np.arange(len(heard))}, {0: evidence})[0]
    assert (chances[300 + pause // 2] < 0.5) == ends
    assert chances[:290].min() > 0.95 and chances[310 + pause :].min() > 0.95
