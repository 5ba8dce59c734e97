"""The verdict on a stretch of a face, by what was measured of it and the thresholds of the config.

One threshold after the other is asked for, and the first that is missed gives the reason. Who
speaks is asked last, and there are three answers to it: this face, somebody else, and that too
little speaks for either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

from talkingface.clips.verdict import (
    KEPT,
    LIPS_APART,
    LIPS_STILL,
    OTHER_IN_TURN,
    OTHER_LIKELIER,
    Verdict,
    rejected,
)
from talkingface.clips.voice import Voice

# By backend of sync: the largest offset where the config gives none; syncnet's is LatentSync's.
MAX_OFFSETS = {"mesh": 15, "syncnet": 6}


@dataclass(frozen=True)
class SegmentThresholds:
    """What a segment must reach; described key by key in the schema of config.yaml."""

    min_frames: int
    max_frames: int
    trim_frames: int
    min_face_height: float
    min_detected_share: float
    max_other_face_share: float
    min_loudness: float
    speech_threshold: float
    min_speech_share: float
    min_mouth_motion: float
    min_probability: float
    unsure_probability: float
    keep_unsure: bool
    min_confidence: float | None
    max_offset: int
    cut: str
    speaking_probability: float
    speaking_score: float | None
    speaking_gap: int
    speaking_trim: int


def thresholds_for(backend: str, **settings: Any) -> SegmentThresholds:
    """The thresholds in `settings`; where `max_offset` is None, with that of the sync backend."""
    if settings["max_offset"] is None:
        # Without a backend nothing is judged by it.
        settings["max_offset"] = MAX_OFFSETS.get(backend, max(MAX_OFFSETS.values()))
    return SegmentThresholds(**settings)


def judge(
    measures: Mapping[str, Any], voice: Voice | None, alone: bool, thresholds: SegmentThresholds
) -> Verdict:
    """Kept, or rejected for the first threshold that was missed.

    `measures` are columns of the table SEGMENTS, `voice` None where `sync` did not judge the face,
    `alone`: whether no other face is seen in the stretch.
    """
    missed = _judge_face(measures, thresholds)
    if missed is None and voice is not None:
        missed = _judge_voice(voice, alone, thresholds)
    return missed or KEPT


def _judge_face(measures: Mapping[str, Any], thresholds: SegmentThresholds) -> Verdict | None:
    """What is missed without knowing who speaks; None where nothing is."""
    at_least = [
        ("tracks", "too_short", "n_frames", thresholds.min_frames),
        ("tracks", "small_face", "face_height", thresholds.min_face_height),
        ("tracks", "face_lost", "detected_share", thresholds.min_detected_share),
    ]
    for stage, reason, name, least in at_least:
        if measures[name] < least:
            return rejected(stage, reason, measures[name], least)
    beside, most = measures["other_face_share"], thresholds.max_other_face_share
    if beside > most:
        return rejected("tracks", "other_face", beside, most)
    if measures["loudness"] < thresholds.min_loudness:
        return rejected("proxy", "silent", measures["loudness"], thresholds.min_loudness)
    if measures["speech_share"] < thresholds.min_speech_share:
        share = measures["speech_share"]
        return rejected("speech", "no_speech", share, thresholds.min_speech_share)
    return None


def _judge_voice(voice: Voice, alone: bool, thresholds: SegmentThresholds) -> Verdict | None:
    """The verdict by what `sync` says; None where nothing is missed or in doubt."""
    # What is not measured (NaN) is less than nothing.
    if voice.mouth_motion < thresholds.min_mouth_motion:
        return _by_sync(
            "not_speaking", voice.mouth_motion, thresholds.min_mouth_motion, detail=LIPS_STILL
        )
    if thresholds.cut == "speaking":
        verdict = _judge_turn(voice)
    else:
        verdict = _judge_speaker(voice, alone, thresholds)
    if verdict is not None:
        return verdict
    if abs(voice.offset) > thresholds.max_offset:
        return _by_sync("offset", voice.offset, thresholds.max_offset)
    return None


def _judge_turn(voice: Voice) -> Verdict | None:
    """The verdict on a stretch that was cut out because its face speaks in it, frame by frame.

    That is not asked again of the stretch as a whole, neither as a probability nor as a confidence:
    the mean of frames that are all above a threshold may well be below another. Only another face
    may speak in it rather.
    """
    if not voice.speaking < voice.other_speaking:
        return None
    detail = f"{OTHER_IN_TURN} {voice.other_speaker} that speaks"
    return _by_sync("other_speaks", voice.speaking, voice.other_speaking, detail=detail)


def _judge_speaker(voice: Voice, alone: bool, thresholds: SegmentThresholds) -> Verdict | None:
    """The verdict by how likely it is this face that speaks, or another."""
    lowest = thresholds.min_confidence
    if lowest is not None and not voice.confidence >= lowest:
        return _by_sync("not_speaking", voice.confidence, lowest)
    own, other, least = voice.probability, voice.other_probability, thresholds.min_probability
    if own >= least and own >= other:
        return None
    # Where nothing is known of this face (NaN), something may be known of another.
    if voice.other_track is not None and other >= least and not own >= other:
        detail = f"{OTHER_LIKELIER} {voice.other_track}"
        return _by_sync("other_speaks", own, other, detail=detail)
    if own < thresholds.unsure_probability:
        if isnan(voice.mouth_motion):
            return _by_sync("not_speaking", own, thresholds.unsure_probability, detail=LIPS_APART)
        detail = "lips move, but not as the voice heard: somebody off screen, or dubbed"
        return _by_sync("other_speaks", own, thresholds.unsure_probability, detail=detail)
    if not (alone and thresholds.keep_unsure):
        return _by_sync("unsure", own, least, detail="too little evidence")
    moves = "" if isnan(voice.mouth_motion) else ", and its mouth moves"
    detail = f"too little evidence; the only face{moves}"
    return _by_sync("unsure", own, least, detail=detail)._replace(verdict=KEPT.verdict)


def _by_sync(reason: str, value: float, threshold: float, *, detail: str = "") -> Verdict:
    """What is rejected by what `sync` says; numbers as they stand in the ledger."""
    return rejected("sync", reason, round(value, 4), round(threshold, 4), detail=detail)
