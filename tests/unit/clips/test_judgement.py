"""The verdict on what was measured: every reason, at its threshold and beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from helpers.settings import default_settings
from talkingface.clips.judgement import SegmentThresholds, judge, thresholds_for
from talkingface.clips.verdict import KEPT, Verdict
from talkingface.clips.voice import Voice

NAN = float("nan")
THRESHOLDS = SegmentThresholds(
    min_frames=75,
    max_frames=500,
    trim_frames=0,
    min_face_height=100,
    min_detected_share=0.7,
    max_other_face_share=0.1,
    min_loudness=-50,
    speech_threshold=0.5,
    min_speech_share=0.2,
    min_mouth_motion=0.01,
    min_probability=0.5,
    unsure_probability=0.35,
    keep_unsure=True,
    min_confidence=None,
    max_offset=15,
    cut="track",
    speaking_probability=0.5,
    speaking_score=None,
    speaking_gap=15,
    speaking_trim=5,
)
GOOD = {
    "n_frames": 75, "face_height": 100.0, "detected_share": 0.7, "other_face_share": 0.1,
    "loudness": -50.0, "speech_share": 0.2,
}  # fmt: skip
SPEAKER = Voice(
    offset=0,
    trusted=0,
    confidence=1.0,
    probability=0.9,
    other_probability=0.0,
    other_track=None,
    mouth_motion=0.1,
    speaking=0.9,
    other_speaking=0.0,
    other_speaker=None,
)
MOVES_OTHERWISE = "lips move, but not as the voice heard: somebody off screen, or dubbed"


def of_voice(
    *, alone: bool = True, settings: dict[str, Any] | None = None, **voice: Any
) -> Verdict:
    return judge(GOOD, replace(SPEAKER, **voice), alone, replace(THRESHOLDS, **(settings or {})))


def says(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.verdict, verdict.stage, verdict.reason, verdict.value, verdict.threshold


@pytest.mark.parametrize(
    ("stage", "reason", "measure", "missed", "threshold"),
    [
        ("tracks", "too_short", "n_frames", 74, 75),
        ("tracks", "small_face", "face_height", 99.9, 100),
        ("tracks", "face_lost", "detected_share", 0.69, 0.7),
        ("tracks", "other_face", "other_face_share", 0.11, 0.1),
        ("proxy", "silent", "loudness", -50.1, -50),
        ("speech", "no_speech", "speech_share", 0.19, 0.2),
    ],
)
def test_a_measure_of_the_face_or_the_sound(
    stage: str, reason: str, measure: str, missed: float, threshold: float
) -> None:
    """A measure at its threshold is enough, and none of these asks who speaks."""
    assert judge(GOOD, SPEAKER, True, THRESHOLDS) == KEPT
    silent = replace(SPEAKER, mouth_motion=0.0, probability=0.0)
    verdict = judge(GOOD | {measure: missed}, silent, True, THRESHOLDS)
    assert says(verdict) == ("rejected", stage, reason, missed, threshold)


def test_without_sync_nobody_is_asked_who_speaks() -> None:
    assert judge(GOOD, None, False, THRESHOLDS) == KEPT


def test_still_lips() -> None:
    """Whatever else speaks for the face: it does not move its lips."""
    verdict = of_voice(mouth_motion=0.0099, probability=0.99)
    assert says(verdict) == ("rejected", "sync", "not_speaking", 0.0099, 0.01)
    assert verdict.detail == "the lips are still while a voice is heard"
    assert of_voice(mouth_motion=0.01) == KEPT
    assert of_voice(mouth_motion=NAN) == KEPT
    assert of_voice(mouth_motion=0.0, settings={"min_mouth_motion": 0}) == KEPT


def test_the_backends_own_confidence_is_asked_for_only_where_the_config_does() -> None:
    assert of_voice(confidence=-5.0) == KEPT
    settings = {"min_confidence": 3}
    verdict = of_voice(confidence=2.99, settings=settings)
    assert says(verdict) == ("rejected", "sync", "not_speaking", 2.99, 3)
    assert of_voice(confidence=3.0, settings=settings) == KEPT
    assert of_voice(confidence=NAN, settings=settings).reason == "not_speaking"


def test_its_own_voice_is_as_likely_as_not() -> None:
    assert of_voice(probability=0.5) == KEPT
    assert of_voice(probability=0.4999).reason == "unsure"
    assert of_voice(probability=0.3, settings={"min_probability": 0.3}) == KEPT
    assert of_voice(probability=0.1, settings={"min_probability": 0}) == KEPT


def test_of_two_likely_faces_the_likelier_one() -> None:
    settings = {"min_probability": 0.3}
    likelier = {"other_probability": 0.4, "other_track": 7, "alone": False}
    verdict = of_voice(probability=0.35, settings=settings, **likelier)
    assert says(verdict) == ("rejected", "sync", "other_speaks", 0.35, 0.4)
    assert verdict.detail == "the voice is rather that of track 7"
    assert of_voice(probability=0.45, settings=settings, **likelier) == KEPT


def test_another_face_speaks() -> None:
    other = {"other_probability": 0.5, "other_track": 2, "alone": False}
    # That it is unlikely, too, is the weaker reason.
    for own in (0.4, 0.1):
        verdict = of_voice(probability=own, **other)
        assert says(verdict) == ("rejected", "sync", "other_speaks", own, 0.5)
        assert verdict.detail == "the voice is rather that of track 2"
    verdict = of_voice(probability=NAN, **other)
    assert (verdict.reason, verdict.threshold) == ("other_speaks", 0.5)


def test_somebody_who_is_not_seen_speaks() -> None:
    for other in ({}, {"other_probability": 0.45, "other_track": 2, "alone": False}):
        verdict = of_voice(probability=0.3499, **other)
        assert says(verdict) == ("rejected", "sync", "other_speaks", 0.3499, 0.35)
        assert verdict.detail == MOVES_OTHERWISE
    # Whether the lips move is not known.
    verdict = of_voice(probability=0.1, mouth_motion=NAN)
    assert says(verdict) == ("rejected", "sync", "not_speaking", 0.1, 0.35)
    assert verdict.detail == "lips and voice do not go together"


@pytest.mark.parametrize("own", [0.35, 0.4, NAN])
def test_too_little_evidence(own: float) -> None:
    """Kept, and said so, where nobody else is seen; NaN: no frame shows lips and has a voice."""
    verdict = of_voice(probability=own)
    assert verdict[:3] == ("kept", "sync", "unsure") and verdict.threshold == 0.5
    assert verdict.value == pytest.approx(own, nan_ok=True)
    assert verdict.detail == "too little evidence; the only face, and its mouth moves"
    unseen = of_voice(probability=own, mouth_motion=NAN)
    assert unseen.detail == "too little evidence; the only face"
    other = {"alone": False, "other_probability": 0.1, "other_track": 2}
    for rejected in (
        of_voice(probability=own, **other),
        of_voice(probability=own, settings={"keep_unsure": False}),
        # Of another face sync knows nothing, but it is there.
        of_voice(probability=own, alone=False),
    ):
        assert rejected[:3] == ("rejected", "sync", "unsure") and rejected.threshold == 0.5


def test_an_offset_too_large_is_no_matter_where_it_is_unsure() -> None:
    settings = {"max_offset": 7}
    for offset in (8, -8):
        verdict = of_voice(offset=offset, settings=settings)
        assert says(verdict) == ("rejected", "sync", "offset", offset, 7)
    assert of_voice(offset=-7, settings=settings) == KEPT
    assert of_voice(offset=8, probability=0.4, settings=settings).verdict == "kept"


def test_what_was_cut_out_by_its_frames_is_not_asked_for_its_mean() -> None:
    cut = {"cut": "speaking"}
    others = {"alone": False, "other_probability": 0.9, "other_track": 2}
    assert of_voice(probability=0.01, settings=cut, **others) == KEPT
    assert of_voice(probability=NAN, settings=cut) == KEPT
    asked = {"min_confidence": 3, "min_probability": 0.9, "unsure_probability": 0.8}
    never = cut | asked | {"keep_unsure": False}
    assert of_voice(confidence=2.1, probability=0.01, settings=never, **others) == KEPT
    # Unless by its frames another face speaks rather.
    speaks = {"speaking": 0.3, "other_speaking": 0.6, "other_speaker": 4, "alone": False}
    verdict = of_voice(settings=cut, **speaks)
    assert says(verdict) == ("rejected", "sync", "other_speaks", 0.3, 0.6)
    assert verdict.detail == "mean over the frames; it is rather track 4 that speaks"
    assert of_voice(settings=cut, **speaks | {"other_speaking": 0.3}) == KEPT
    # The gates before and after hold.
    assert of_voice(mouth_motion=0.009, settings=cut).reason == "not_speaking"
    assert of_voice(offset=16, settings=cut).reason == "offset"


def test_what_the_config_leaves_open_is_the_backends() -> None:
    defaults = default_settings("segments")
    found = {name: thresholds_for(name, **defaults) for name in ("mesh", "syncnet", "none")}
    assert found["mesh"] == THRESHOLDS
    assert found["syncnet"] == replace(THRESHOLDS, max_offset=6)
    # Without a backend nothing is judged by it.
    assert found["none"] == THRESHOLDS
    given = {"max_offset": 0, "min_confidence": 3, "speaking_score": 2.1}
    assert thresholds_for("syncnet", **defaults | given) == replace(THRESHOLDS, **given)
