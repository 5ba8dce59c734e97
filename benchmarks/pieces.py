"""Pieces of talkers' videos, as `lip_sync.py` judges them: with their own sound or another's.

Every piece is seen as the workflow would see it, as a whole video.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from talkers import Face

from talkingface.clips.voice import mouth_motion
from talkingface.settings.load import check_config
from talkingface.sync import mesh
from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.sync.comparison import TrackComparison
from talkingface.sync.log_mel import log_mel
from talkingface.sync.probability import at_lags, lag_curve, mean_score
from talkingface.sync.speakers import speaking_probabilities, turn_evidence
from talkingface.sync.sync import judge_track

# Offsets that are tried, and searched, in frames.
MOVED, SEARCHED = 8, 15
# Pieces in which nobody is heard for as much of the time say nothing.
LEAST_SPEECH = 0.4
SEGMENTS = check_config({})["segments"]
# Frames of a turn in a dialogue.
TURN = 100
# Pieces with another's sound for each with its own.
OTHERS = 3


@dataclass
class Seen:
    """A face ready to be cut: the components of its shapes, how far its mouth is open, and the
    networks that judge it."""

    face: Face
    components: np.ndarray
    opening: np.ndarray
    network: mesh.LipSyncNetwork

    @property
    def person(self) -> str:
        return self.face.video.person


@dataclass
class Piece:
    """A piece of somebody's face with a sound. kind: `own`, or whose or what else it is. truth: the
    offset of its own sound, in frames. offset, probability, certainty: what the workflow says, of
    the mean score over so many frames of speech and the likeness at every lag (`curve`)."""

    person: str
    kind: str
    truth: float
    offset: int
    probability: float
    certainty: float
    mean: float
    frames: float
    curve: np.ndarray
    motion: float

    @property
    def kept(self) -> bool:
        """Whether the ledger keeps it, where it is the only face."""
        moves = self.motion >= SEGMENTS["min_mouth_motion"]
        return moves and self.probability >= SEGMENTS["unsure_probability"]

    @property
    def score(self) -> float:
        """What the probability is made of, without its limits."""
        return float(CALIBRATIONS["mesh"].log_odds(self.mean, self.frames))


def piece(
    seen: Seen, start: int, other: Face, at: int, length: int, kind: str, truth: float = 0.0
) -> Piece:
    """What the workflow says of frames of a face from `start` with those of another face's sound
    from `at`, as if they were a video."""
    sound, speech = other.sound[640 * at : 640 * (at + length)], other.speech[at : at + length]
    lips = seen.network.lips(seen.components[start : start + length])
    table = mesh.likeness(lips, seen.network.sounds(log_mel(sound)), 0, SEARCHED)
    sync = judge_track(TrackComparison(table, np.zeros(length)), speech, CALIBRATIONS["mesh"])
    heard = np.nan_to_num(at_lags(speech, SEARCHED)[:, SEARCHED - sync.offset])
    return Piece(
        seen.person,
        kind,
        truth,
        sync.offset,
        sync.probability,
        sync.certainty,
        *mean_score(sync.scores, heard),
        lag_curve(table, speech),
        mouth_motion(seen.opening[start : start + length], speech > SEGMENTS["speech_threshold"]),
    )


def heard_enough(face: Face, at: int, length: int) -> bool:
    return at + length <= len(face.speech) and bool(
        face.speech[at : at + length].mean() >= LEAST_SPEECH
    )


def pieces(seen: list[Seen], voices: list[Face], seconds: int, kind: str) -> Iterator[Piece]:
    """Every face's pieces, with its own sound moved (kind `own`), and with others' (any other)."""
    length = 25 * seconds
    for face in seen:
        random = np.random.default_rng(zlib.crc32(face.face.video.sha256.encode()))
        for start in range(0, len(face.components) - length + 1, 25):
            if np.isnan(face.components[start : start + length]).any(axis=1).mean() > 0.3:
                continue
            if kind == "own":
                moved = int(random.integers(-MOVED, MOVED + 1))
                at = start + moved
                if at < 0 or at + length > len(face.face.speech):
                    at, moved = start - moved, -moved
                if at < 0 or at + length > len(face.face.speech):
                    at, moved = start, 0
                if heard_enough(face.face, at, length):
                    truth = face.face.video.offset + moved
                    yield piece(face, start, face.face, at, length, kind, truth)
                continue
            others = [
                v for v in voices if v.video.person != face.person and len(v.speech) >= length
            ]
            for number in random.permutation(len(others))[:OTHERS]:
                other = others[number]
                at = int(random.integers(0, len(other.speech) - length + 1))
                if heard_enough(other, at, length):
                    yield piece(face, start, other, at, length, kind)


def two_faces(seen: list[Seen], seconds: int) -> Iterator[tuple[str, bool]]:
    """Of two people who both talk, whether he whose voice is heard is the likelier speaker."""
    length = 25 * seconds
    for face in seen:
        random = np.random.default_rng(zlib.crc32(face.face.video.sha256.encode()) + 1)
        others = [o for o in seen if o.person != face.person and len(o.components) >= length]
        for start in range(0, len(face.components) - length + 1, 25):
            if not others or not heard_enough(face.face, start, length):
                continue
            other = others[random.integers(len(others))]
            at = int(random.integers(0, len(other.components) - length + 1))
            right = piece(face, start, face.face, start, length, "own")
            wrong = piece(other, at, face.face, start, length, "other")
            yield face.person, bool(right.probability > wrong.probability)


def turns(seen: list[Seen]) -> Iterator[tuple[str, bool]]:
    """Of everybody in a dialogue with another and a third who is not seen, turn by turn of TURN
    frames, whether the right one is the likeliest to speak; the first is named."""
    long = [face for face in seen if len(face.components) >= 6 * TURN]
    for number, first in enumerate(long):
        others = [face for face in long if face.person != first.person]
        if len(others) < 2:
            return
        second, third = others[number % len(others)], others[(number + 1) % len(others)]
        if second.person == third.person:
            continue
        faces = [first, second]
        count = min(len(face.components) for face in (first, second, third)) // TURN
        # The two change places with each other and with the third.
        order = [turn % 3 for turn in range(min(count, 12))]
        heard = [[first, second, third][who].face for who in order]
        parts = [slice(TURN * turn, TURN * (turn + 1)) for turn in range(len(order))]
        sound = np.concatenate(
            [f.sound[640 * p.start : 640 * p.stop] for f, p in zip(heard, parts, strict=True)]
        )
        speech = np.concatenate([f.speech[p] for f, p in zip(heard, parts, strict=True)])
        frames, evidence = {}, {}
        for place, face in enumerate(faces):
            lips = face.network.lips(face.components[: len(speech)])
            table = mesh.likeness(lips, face.network.sounds(log_mel(sound)), 0, SEARCHED)
            sync = judge_track(TrackComparison(table, lips[:, 0]), speech, CALIBRATIONS["mesh"])
            frames[place] = np.arange(len(speech))
            lips_say = CALIBRATIONS["mesh"].frame_evidence(sync.scores)
            evidence[place] = turn_evidence(lips_say, sync.heard)
        chances = speaking_probabilities(frames, evidence)
        for who, part in zip(order, parts, strict=True):
            levels = [float(chances[place][part].mean()) for place in (0, 1)]
            levels.append(1 - sum(levels))
            yield first.person, int(np.argmax(levels)) == who
