"""Who speaks when: a probability for every face in every frame, turn by turn.

At any time one of the faces in the picture speaks, or nobody who is seen does. Who it is changes
now and then, so a frame is judged by what is before and after it, as far as its turn goes: the
forward-backward algorithm of a hidden Markov model (Rabiner 1989, doi 10.1109/5.18626).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Frames that are one step of the model: a fifth of a second.
STEP = 5
# Mean length of a turn: between a backchannel's second and a monologue's minute.
TURN_FRAMES = 100
# What a frame of silence says against everybody who is seen, in the evidence's logarithm. Chosen
# so that pauses of up to 1.7 s are part of a turn, and longer ones are between two.
SILENCE = 0.1


def turn_evidence(lips: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """What every frame says for its face as the one that speaks, (N,), the evidence of
    `speaking_probabilities`.

    lips: (N,) the evidence of lips and sound, if somebody is heard; NaN counts as 0. heard: (N,)
    how likely that is, from 0 to 1; NaN where it is not known, and then the frame says nothing.
    """
    evidence = np.nan_to_num(lips) * heard - SILENCE * (1 - heard)
    return np.nan_to_num(evidence)


def speaking_probabilities(
    frames: Mapping[int, np.ndarray], evidence: Mapping[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """How likely it is each of several faces that speaks, in every frame, (N,) float64 from 0 to 1.

    `frames` are the frame numbers of faces, (N,) int and rising, that are seen in one shot;
    `evidence` the logarithm of how many times likelier what is seen and heard in each frame is
    where that face speaks than where nobody who is seen does, (N,), 0 where a frame says nothing.
    The probabilities of a frame add up to 1 at most; the rest is that of nobody who is seen.

    The model: in a step of STEP frames the speaker, or nobody, stays with a probability of
    1 - STEP / TURN_FRAMES, else any other who is there takes over, all alike; where the speaker is
    not there any more, anybody who is, or nobody.
    """
    if not frames:
        return {}
    first = min(int(numbers[0]) for numbers in frames.values())
    spans, sums = {}, {}
    for face, numbers in frames.items():
        steps = (numbers - first) // STEP
        spans[face] = (int(steps[0]), int(steps[-1]) + 1)
        sums[face] = np.bincount(steps - steps[0], evidence[face])
    stretches = _stretches(spans, sums)
    _forward_backward(stretches, STEP / TURN_FRAMES)
    found = {face: np.empty(stop - start) for face, (start, stop) in spans.items()}
    for stretch in stretches:
        for state, face in enumerate(stretch.faces, 1):
            begin = stretch.start - spans[face][0]
            found[face][begin : begin + len(stretch.chances)] = stretch.chances[:, state]
    return {
        face: found[face][(numbers - first) // STEP - spans[face][0]]
        for face, numbers in frames.items()
    }


@dataclass
class _Stretch:
    """T steps from `start` on in which the same faces are there: state 0 is nobody, the others are
    the faces in order. `chances` (T, S) are at first how likely each state makes what is observed,
    up to a factor, and at last how likely each state is."""

    start: int
    faces: tuple[int, ...]
    chances: np.ndarray


def _stretches(
    spans: Mapping[int, tuple[int, int]], sums: Mapping[int, np.ndarray]
) -> list[_Stretch]:
    """The steps from the first to the last, parted where a face comes or goes."""
    cuts = sorted({cut for span in spans.values() for cut in span})
    coming: dict[int, list[int]] = {cut: [] for cut in cuts}
    for face, (start, _) in spans.items():
        coming[start].append(face)
    stretches, there = [], list[int]()
    for start, stop in pairwise(cuts):
        there = [face for face in there if spans[face][1] > start] + coming[start]
        levels = np.zeros((stop - start, len(there) + 1))
        for state, face in enumerate(there, 1):
            begin = spans[face][0]
            levels[:, state] = sums[face][start - begin : stop - begin]
        # Relative to the likeliest, as evidence of a long turn exceeds what numbers can hold.
        likely = np.exp(levels - levels.max(axis=1, keepdims=True))
        stretches.append(_Stretch(start, tuple(there), likely))
    return stretches


def _forward_backward(stretches: Sequence[_Stretch], change: float) -> None:
    """Put into every stretch's `chances` how likely each state is, given all that is observed.

    From step to step the state changes with the probability `change`.
    """
    # What is before is carried along; what comes after has to wait for it.
    later = list(_messages(stretches, change))[::-1]
    belief = np.zeros(0)
    for i, (stretch, messages) in enumerate(zip(stretches, later, strict=True)):
        chances = stretch.chances
        stay, other = _rates(chances.shape[1], change)
        for t in range(len(chances)):
            if t:
                belief = stay * belief + other
            elif i:
                belief = _handed_on(stretches[i - 1], stretch, belief, change)
            else:
                belief = np.full(chances.shape[1], 1 / chances.shape[1])
            belief = belief * chances[t]
            belief /= belief.sum()
            chances[t] = belief
        chances *= messages
        chances /= chances.sum(axis=1, keepdims=True)


def _messages(stretches: Sequence[_Stretch], change: float) -> Iterator[np.ndarray]:
    """For every stretch from the last to the first, how likely all that comes after a step is
    where each state is the step's, up to a factor, (T, S)."""
    message = np.ones(stretches[-1].chances.shape[1])
    for i in range(len(stretches) - 1, -1, -1):
        chances = stretches[i].chances
        if i < len(stretches) - 1:
            old, new = _staying(stretches[i], stretches[i + 1])
            # Who is gone has handed over to anybody alike.
            handed = np.full(chances.shape[1], 1 / len(message))
            handed[old] = message[new]
            message = handed
        stay, other = _rates(chances.shape[1], change)
        messages = np.empty_like(chances)
        for t in range(len(chances) - 1, -1, -1):
            messages[t] = message
            message = message * chances[t]
            message = stay * (message / message.sum()) + other
        yield messages


def _handed_on(old: _Stretch, new: _Stretch, belief: np.ndarray, change: float) -> np.ndarray:
    """How likely each state of a stretch is at first, by the `belief` at the end of the one before
    alone."""
    here = np.zeros(new.chances.shape[1])
    before, now = _staying(old, new)
    here[now] = belief[before]
    total = here.sum()
    stay, other = _rates(len(here), change)
    return stay * here + other * total + max(0.0, 1 - total) / len(here)


def _rates(states: int, change: float) -> tuple[float, float]:
    """Of the step from one of `states` to the next: what goes from each to every one, and what
    stays with it beyond that, which is first."""
    if states == 1:
        return 1.0, 0.0
    other = change / (states - 1)
    return 1 - change - other, other


def _staying(old: _Stretch, new: _Stretch) -> tuple[list[int], list[int]]:
    """The states of two stretches that are the same, by their numbers in either."""
    numbers = {face: state for state, face in enumerate(new.faces, 1)}
    both = [(i, numbers[face]) for i, face in enumerate(old.faces, 1) if face in numbers]
    return [0, *(i for i, _ in both)], [0, *(j for _, j in both)]
