"""The ledger: every candidate stretch of every face, kept or rejected, and why.

Nothing is measured on pictures here, so that thresholds can be changed and judged again in no
time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talkingface.clips.verdict import KEPT, Verdict, rejected
from talkingface.grid import SAMPLES_PER_FRAME, clip_name
from talkingface.job.files import read_json
from talkingface.job.tables import read_table, table_of_rows, write_table
from talkingface.media.audio import read_wav
from talkingface.shots.proxy import Proxy, read_proxy
from talkingface.sync.comparison import rows_by_track
from talkingface.sync.speaking import speaking_stretches
from talkingface.tables import SEGMENTS, SPEECH, SYNC, SYNC_FRAMES, TRACKS

# Another face counts as inside when its centre is in the square that `clips` cuts by default.
NEIGHBOURHOOD = 1.6


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
    min_confidence: float
    max_offset: int
    cut: str
    speaking_score: float
    speaking_gap: int
    speaking_trim: int


# By backend of sync: what holds where the config gives nothing. Confidence and offset of syncnet
# are LatentSync's, its score is TalkingVideo's. With motion, 95 % of the two samples' frames score
# less than 0.9 with another voice, and three quarters more than 1 with their own.
SYNC_GATES: dict[str, dict[str, float]] = {
    "motion": {"min_confidence": 2.0, "max_offset": 15, "speaking_score": 1.0},
    "syncnet": {"min_confidence": 3.0, "max_offset": 6, "speaking_score": 2.1},
}


def sync_gate(key: str, given: float | None, backend: str) -> float:
    """The threshold `key` of the config: `given`, or where that is None the sync backend's."""
    return SYNC_GATES.get(backend, SYNC_GATES["motion"])[key] if given is None else given


def thresholds_for(backend: str, **settings: Any) -> SegmentThresholds:
    """The thresholds in `settings`, with those of the sync backend where they are None."""
    gates = {key: sync_gate(key, settings[key], backend) for key in SYNC_GATES["motion"]}
    return SegmentThresholds(**settings | gates)


class _Stretch(NamedTuple):
    """Frames of a track, end exclusive; `verdict` on what is no candidate."""

    start: int
    end: int
    verdict: Verdict | None = None


def make_segments(
    video_id: str,
    media_record: str | Path,
    proxy_record: str | Path,
    tracks: str | Path,
    speech: str | Path,
    sync: str | Path,
    sync_frames: str | Path,
    sound: str | Path,
    ledger: str | Path,
    *,
    thresholds: SegmentThresholds,
) -> None:
    """Judge the segments of one video and write its `ledger`, the table SEGMENTS.

    The other paths are those of what `judge_segments` takes.
    """
    judged = judge_segments(
        video_id,
        read_json(media_record),
        read_proxy(proxy_record),
        read_table(tracks, TRACKS),
        read_table(speech, SPEECH),
        read_table(sync, SYNC),
        read_table(sync_frames, SYNC_FRAMES),
        sound,
        thresholds,
    )
    write_table(judged, ledger, SEGMENTS)


def judge_segments(
    video_id: str,
    media_record: Mapping[str, Any],
    proxy: Proxy,
    tracks: np.recarray,
    speech: np.recarray,
    sync: np.recarray,
    sync_frames: np.recarray,
    sound: str | Path,
    thresholds: SegmentThresholds,
) -> np.recarray:
    """Cut tracks into candidate segments and judge each; gives the ledger, a table SEGMENTS.

    `media_record` is the video's record by download, `tracks` a table TRACKS, `speech` a table
    SPEECH, `sync` a table SYNC, `sync_frames` a table SYNC_FRAMES, `sound` the grid's wav. A video
    with no candidate at all has one row without clip_id that says why. `reason` names the first
    threshold missed (or the status of a video that cannot be used, with `detail` in words), `stage`
    the stage that measured it, `value` what was measured.

    With `cut` speaking the candidates are the stretches in which a face speaks, by `local_score` of
    `sync_frames` (see `speaking`). The rest of its track is rejected: `not_speaking` by its median
    local score, or `too_short` by the longest speech in it where that is high enough. Who speaks of
    several faces is told by the mean of their local scores then.
    """
    unusable = _judge_video(media_record, proxy, len(tracks), thresholds)
    if unusable:
        return table_of_rows(SEGMENTS, [{"video_id": video_id, **unusable._asdict()}])
    boxes, scores = rows_by_track(tracks), rows_by_track(sync_frames)
    offsets = {row.track: row for row in sync}
    is_speech = speech.probability >= thresholds.speech_threshold
    rows = []
    for number, track in boxes.items():
        for start, end, verdict in _stretches(track, scores.get(number), thresholds):
            measures = _measure(number, start, end, boxes, is_speech, sound)
            levels = 0.0, 0.0
            if number in offsets:
                measures["offset"] = offsets[number].offset
                measures["trusted"] = offsets[number].trusted
                levels = _levels(scores, number, start, end, "score")
                measures["confidence"], measures["other_confidence"] = levels
                if thresholds.cut == "speaking":  # scores over 10 s do not tell short turns apart
                    levels = _levels(scores, number, start, end, "local_score")
            rows.append(
                {
                    "clip_id": clip_name(video_id, start, end, number),
                    "video_id": video_id,
                    "scene": track.scene[0],
                    "track": number,
                    "start_frame": start,
                    "end_frame": end,
                    **(verdict or _judge(measures, thresholds, *levels))._asdict(),
                    **measures,
                }
            )
    rows.sort(key=lambda row: (row["start_frame"], row["track"]))
    return table_of_rows(SEGMENTS, rows)


def _judge_video(
    media_record: Mapping[str, Any], proxy: Proxy, n_boxes: int, thresholds: SegmentThresholds
) -> Verdict | None:
    """The verdict on a whole video that has no candidates; None where there are some."""
    if media_record["status"] != "ok":
        reason = media_record["reason"] or ""
        return rejected("download", media_record["status"], detail=reason)
    if proxy.status != "ok":
        return rejected("proxy", proxy.status, detail=proxy.reason or "")
    if n_boxes:
        return None
    if proxy.n_frames < thresholds.min_frames:
        return rejected("proxy", "too_short", proxy.n_frames, thresholds.min_frames)
    return rejected("tracks", "no_face")


def _between(rows: np.recarray, start: int, end: int) -> np.recarray:
    """Those of a track's rows whose frames are in a stretch."""
    first, last = np.searchsorted(rows.frame, (start, end))
    return rows[first:last]


def _stretches(
    track: np.recarray, scores: np.recarray | None, thresholds: SegmentThresholds
) -> Iterator[_Stretch]:
    """A track without its trimmed ends, cut into candidates and what is left over."""
    start = int(track.frame[0]) + thresholds.trim_frames
    end = int(track.frame[-1]) + 1 - thresholds.trim_frames
    if end <= start:
        start, end = int(track.frame[0]), int(track.frame[-1]) + 1
    if thresholds.cut == "track" or scores is None:
        yield from (_Stretch(*part) for part in _parts(start, end, thresholds))
        return
    local = _between(scores, start, end).local_score
    found = speaking_stretches(
        local,
        threshold=thresholds.speaking_score,
        max_gap=thresholds.speaking_gap,
        trim=thresholds.speaking_trim,
    )
    speech = [(start + first, start + last) for first, last in found]
    long = [(first, last) for first, last in speech if last - first >= thresholds.min_frames]
    for first, last in long:
        yield from (_Stretch(*part) for part in _parts(first, last, thresholds))
    edges = [start, *chain(*long), end]
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        # What is trimmed off at the track's own ends is no stretch, as with trim_frames.
        if last > first and not (long and last - first <= thresholds.speaking_trim):
            for begin, stop in _parts(first, last, thresholds):
                score = round(float(np.median(local[begin - start : stop - start])), 3)
                lengths = [min(b, stop) - max(a, begin) for a, b in speech]
                yield _Stretch(begin, stop, _between_speech(score, max([*lengths, 0]), thresholds))


def _between_speech(score: float, longest: int, thresholds: SegmentThresholds) -> Verdict:
    """The verdict on a stretch between those in which a face speaks.

    `score` is its median local score, `longest` the frames of the longest speech in it.
    """
    detail = f"cut: speaking; longest speech here {longest} frames"
    if not score > thresholds.speaking_score:
        return rejected("sync", "not_speaking", score, thresholds.speaking_score, detail=detail)
    return rejected("tracks", "too_short", longest, thresholds.min_frames, detail=detail)


def _parts(start: int, end: int, thresholds: SegmentThresholds) -> Iterator[tuple[int, int]]:
    """A stretch in equal parts of at most `max_frames`.

    Where equal parts would be too short, they have `max_frames` each and the rest is left over.
    """
    parts = ceil((end - start) / thresholds.max_frames)
    edges = [start + (end - start) * i // parts for i in range(parts + 1)]
    if parts > 1 and (end - start) // parts < thresholds.min_frames:
        edges = [*range(start, end, thresholds.max_frames), end]
    yield from pairwise(edges)


def _measure(
    number: int,
    start: int,
    end: int,
    boxes: Mapping[int, np.recarray],
    is_speech: np.ndarray,
    sound: str | Path,
) -> dict[str, Any]:
    """What is measured of a stretch of track `number` without knowing who speaks.

    `is_speech`: bool, of every frame of the grid, whether somebody is heard to speak.
    """
    rows = _between(boxes[number], start, end)
    beside = np.zeros(len(rows), bool)
    for other, track in boxes.items():
        if other != number:
            beside |= _centre_inside(rows, _between(track, start, end))
    samples = read_wav(sound, start * SAMPLES_PER_FRAME, end * SAMPLES_PER_FRAME) / 32768.0
    loudness = 10 * np.log10(max(float(np.mean(samples**2)), 1e-10)) if len(samples) else -100.0
    return {
        "n_frames": end - start,
        "face_height": round(float(np.median(rows.h)), 1),
        "detected_share": round(float(rows.detected.mean()), 3),
        "other_face_share": round(float(beside.mean()), 3),
        "loudness": round(loudness, 1),
        "speech_share": round(float(is_speech[start:end].mean()), 3),
    }


def _levels(
    scores: Mapping[int, np.recarray], number: int, start: int, end: int, column: str
) -> tuple[float, float]:
    """Mean score of face `number` in a stretch, and the highest of the others, at least 0."""
    # A face that is there for a part of the time counts for that part.
    sums = {n: float(_between(rows, start, end)[column].sum()) for n, rows in scores.items()}
    level = round(sums.pop(number) / (end - start), 3)
    return level, round(max([*sums.values(), 0.0]) / (end - start), 3)


def _centre_inside(face: np.recarray, other: np.recarray) -> np.ndarray:
    """(N,) bool: for every row of `face`, whether the other face's centre is near it then."""
    inside = np.zeros(len(face), bool)
    _, at, at_other = np.intersect1d(face.frame, other.frame, True, return_indices=True)
    near, other = face[at], other[at_other]
    reach = np.maximum(near.w, near.h) * NEIGHBOURHOOD / 2
    across = abs((other.x + other.w / 2) - (near.x + near.w / 2)) < reach
    down = abs((other.y + other.h / 2) - (near.y + near.h / 2)) < reach
    inside[at] = across & down
    return inside


def _judge(
    measures: Mapping[str, Any], thresholds: SegmentThresholds, level: float, other_level: float
) -> Verdict:
    """Kept, or rejected for the first threshold that was missed.

    `level`: how clearly this face speaks, `other_level`: the one of the others which does most.
    """
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
    if "confidence" in measures:
        if measures["confidence"] < thresholds.min_confidence:
            confidence = measures["confidence"]
            return rejected("sync", "not_speaking", confidence, thresholds.min_confidence)
        if level < other_level:
            return rejected("sync", "other_speaks", level, other_level)
        if abs(measures["offset"]) > thresholds.max_offset:
            return rejected("sync", "offset", measures["offset"], thresholds.max_offset)
    return KEPT
