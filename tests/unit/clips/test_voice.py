"""Whose voice is heard in a stretch, on tracks whose scores and speech are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from helpers.calibration import ScoreIsLogOdds
from talkingface.clips.voice import (
    FaceSync,
    Voice,
    competing,
    measure_voice,
    mouth_motion,
    rows_between,
    speech_at_lips,
)
from talkingface.job.tables import table_of_columns, table_of_rows
from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.tables import SYNC, SYNC_FRAMES

NAN = float("nan")
HEARD = np.ones(400)


class FramesAreOdds:
    """A calibration by which the frames of speech are the odds, whatever the score."""

    def log_odds(self, score: float, frames: float) -> float:
        return float(np.log(frames))


@pytest.fixture(autouse=True)
def plain_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALIBRATIONS, "mesh", ScoreIsLogOdds())


def face(
    start: int,
    scores: Any,
    *,
    probability: Any = 0.5,
    opening: Any = 0.1,
    offset: int = 0,
    backend: str = "mesh",
) -> FaceSync:
    """A track with these scores from frame `start` on; the others are constant or of its length."""
    scores = np.asarray(scores, float)
    columns = {
        "track": 0,
        "frame": np.arange(start, start + len(scores)),
        "score": scores,
        "probability": probability,
        "opening": opening,
    }
    row = {"track": 0, "offset": offset, "confidence": 0.0, "probability": 0.5, "trusted": 1}
    of_track = table_of_rows(SYNC, [row | {"backend": backend, "distance": NAN, "drift": NAN}])
    return FaceSync(of_track[0], table_of_columns(SYNC_FRAMES, columns))


def measured(*faces: FaceSync, start: int = 0, end: int = 100, speech: np.ndarray = HEARD) -> Voice:
    """Of the first of several faces."""
    return measure_voice(0, start, end, dict(enumerate(faces)), speech, 0.5)


def test_the_score_counts_while_somebody_is_heard() -> None:
    speech = np.repeat([0.0, 1.0, 0.25], [40, 40, 320])
    scores = np.repeat([100.0, 2.0, 7.0], [40, 40, 120])
    voice = measured(face(0, scores), speech=speech)
    # 40 frames of 2 at full weight, 20 of 7 at a quarter: (80 + 35) / 45.
    assert voice.confidence == pytest.approx(115 / 45)
    assert voice.probability == pytest.approx(1 / (1 + np.exp(-115 / 45)))
    # Only the stretch counts, wherever its track began.
    voice = measured(face(0, scores), start=40, end=80, speech=speech)
    assert voice.confidence == pytest.approx(2)


def test_frames_without_a_score_do_not_count() -> None:
    scores = np.repeat([3.0, NAN], [30, 70])
    assert measured(face(0, scores)).confidence == pytest.approx(3)


def test_the_evidence_is_as_long_as_the_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALIBRATIONS, "mesh", FramesAreOdds())
    speech = np.repeat([1.0, 0.5, 0.0], [10, 40, 350])
    scores = np.ones(100)
    assert measured(face(0, scores), speech=speech).probability == pytest.approx(30 / 31)
    scores[:10] = NAN
    assert measured(face(0, scores), speech=speech).probability == pytest.approx(20 / 21)


@pytest.mark.parametrize("offset", [10, -10, 0])
def test_lips_are_judged_while_their_own_sound_is_heard(offset: int) -> None:
    """Lips that move in frames 30 to 60; sound that leads by 10 frames is heard from 20 on."""
    speech = np.zeros(100)
    speech[30 - offset : 60 - offset] = 1
    scores, opening = np.zeros(100), np.zeros(100)
    scores[30:60] = 4
    opening[30:60:2] = 0.2
    voice = measured(face(0, scores, opening=opening, offset=offset), speech=speech)
    assert voice.confidence == pytest.approx(4)
    assert voice.offset == offset and voice.trusted == 1
    # Half of them 0.2 away from the others: half of that is the standard deviation.
    assert voice.mouth_motion == pytest.approx(0.1)


def test_beyond_the_videos_ends_nobody_is_heard() -> None:
    speech = np.array([0.1, 0.2, 0.3, 0.4])
    assert speech_at_lips(speech, 1, 5, 2).tolist() == [0, 0.1, 0.2, 0.3]
    assert speech_at_lips(speech, 1, 4, -2).tolist() == [0.4, 0, 0]
    assert speech_at_lips(np.empty(0), 0, 2, 0).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("scores", "speech"), [(np.full(100, NAN), HEARD), (np.full(100, 9.0), np.zeros(400))]
)
def test_without_lips_or_voice_nothing_is_known(scores: np.ndarray, speech: np.ndarray) -> None:
    voice = measured(face(0, scores), face(0, np.full(100, -30.0)), speech=speech)
    assert np.isnan(voice.confidence) and np.isnan(voice.probability)


def test_faces_compete() -> None:
    """Odds of 3, 2 and 1/2 against nobody who is seen."""
    first, second, third = (face(0, np.full(100, np.log(odds))) for odds in (3, 2, 0.5))
    voice = measured(first, second, third)
    assert voice.probability == pytest.approx(3 / 6.5)
    assert (voice.other_probability, voice.other_track) == (pytest.approx(2 / 6.5), 1)
    voice = measured(third, second, first)
    assert voice.probability == pytest.approx(0.5 / 6.5)
    assert (voice.other_probability, voice.other_track) == (pytest.approx(3 / 6.5), 2)
    alone = measured(first)
    assert alone.probability == pytest.approx(3 / 4)
    assert (alone.other_probability, alone.other_track) == (0, None)


def test_odds_of_any_size_compete() -> None:
    assert competing([800.0, 0.0]) == [1, pytest.approx(0, abs=1e-300)]
    assert competing([800.0, 800.0]) == [0.5, 0.5]
    assert competing([-800.0]) == [pytest.approx(0, abs=1e-300)]
    assert competing([]) == []


def test_a_face_that_is_there_for_a_part_counts_for_that_part() -> None:
    """Ten of a hundred frames at 5 are 0.5 over all of them; beside the stretch nothing counts."""
    whole = face(0, np.zeros(200))
    voice = measured(whole, face(90, np.full(60, 5.0)))
    odds = np.exp(0.5)
    assert voice.other_probability == pytest.approx(odds / (2 + odds))
    assert voice.probability == pytest.approx(1 / (2 + odds))
    voice = measured(whole, face(100, np.full(60, 5.0)))
    assert (voice.other_probability, voice.probability) == (0, 0.5)


def test_every_face_is_judged_at_its_own_offset() -> None:
    speech = np.zeros(100)
    speech[20:50] = 1
    scores = np.zeros(100)
    scores[30:60] = 3
    voice = measured(face(0, np.zeros(100)), face(0, scores, offset=10), speech=speech)
    assert voice.other_probability == pytest.approx(np.exp(3) / (2 + np.exp(3)))


def test_who_speaks_frame_by_frame() -> None:
    chances = np.repeat([0.8, 0.2], 50)
    own = face(0, np.zeros(100), probability=chances)
    # Of the other's fifty frames 25 are in the stretch, at 1.
    voice = measured(own, face(75, np.zeros(50), probability=1.0))
    assert voice.speaking == pytest.approx(0.5)
    assert (voice.other_speaking, voice.other_speaker) == (pytest.approx(0.25), 1)
    assert (measured(own).other_speaking, measured(own).other_speaker) == (0, None)


def test_motion_of_the_mouth() -> None:
    rng = np.random.default_rng(0)
    speech = np.arange(100) < 60
    opening = np.where(speech, rng.normal(0.2, 0.05, 100), 0.1)
    assert mouth_motion(opening, speech) == pytest.approx(np.std(opening[:60]))
    # Too little of speech, or of it too little seen: all frames.
    assert mouth_motion(opening, np.arange(100) < 9) == pytest.approx(np.std(opening))
    opening[9:60] = NAN
    assert mouth_motion(opening, speech) == pytest.approx(np.nanstd(opening))
    assert np.isnan(mouth_motion(np.full(100, NAN), speech))
    still = face(0, np.zeros(100), opening=0.3)
    assert measured(still).mouth_motion == pytest.approx(0)


@pytest.mark.parametrize(("threshold", "motion"), [(0.5, 0.1), (0.7, 0)])
def test_what_counts_as_speech_is_a_setting(threshold: float, motion: float) -> None:
    speech = np.repeat([0.6, 0.9], 50)
    opening = np.zeros(100)
    opening[:50] = 0.2
    faces = {0: face(0, np.zeros(100), opening=opening)}
    voice = measure_voice(0, 0, 100, faces, speech, threshold)
    assert voice.mouth_motion == pytest.approx(motion)


def test_numbers_in_the_ledger_are_rounded() -> None:
    voice = measured(face(0, np.full(100, 1 / 3), opening=np.arange(100) / 7))
    columns = voice.columns()
    assert (columns["confidence"], columns["probability"]) == (0.333, 0.583)
    assert columns["mouth_motion"] == round(np.std(np.arange(100)) / 7, 4)
    assert (columns["offset"], columns["trusted"], columns["other_probability"]) == (0, 1, 0)


def test_rows_of_a_stretch() -> None:
    rows = face(5, np.arange(10)).frames
    assert rows_between(rows, 3, 8).frame.tolist() == [5, 6, 7]
    assert rows_between(rows, 8, 40).frame.tolist() == [*range(8, 15)]
    assert len(rows_between(rows, 15, 40)) == len(rows_between(rows, 0, 5)) == 0


def test_every_backend_tells_its_own_voice_from_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds as its calibration says that voices and chance are."""
    monkeypatch.undo()
    for backend, calibration in CALIBRATIONS.items():
        speaks = measured(face(0, np.full(250, calibration.speaks), backend=backend), end=250)
        # The offset is where the score is highest, which lifts that of another's voice.
        peak = calibration.chance_peak * calibration.frame_spread / np.sqrt(250)
        other = np.full(250, calibration.chance + peak)
        silent = measured(face(0, other, backend=backend), end=250)
        assert speaks.probability > 0.9 and silent.probability < 0.2, backend


@pytest.mark.parametrize("backend", CALIBRATIONS)
def test_of_two_that_are_certain_one_speaks(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone either would be; a minute at the score of speech, and a bit less of it."""
    monkeypatch.undo()
    speaks = CALIBRATIONS[backend].speaks
    both = [face(0, np.full(1500, score), backend=backend) for score in (speaks, 0.97 * speaks)]
    heard = np.ones(1500)
    assert all(measured(one, end=1500, speech=heard).probability > 0.999 for one in both)
    voice = measured(*both, end=1500, speech=heard)
    assert voice.probability > voice.other_probability + 0.01
