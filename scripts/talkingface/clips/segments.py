"""The ledger: every candidate stretch of every face, kept or rejected, and why.

Nothing is measured on pictures here, so that thresholds can be changed and judged again in no
time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from talkingface.grid import SAMPLES_PER_FRAME, clip_name
from talkingface.media.audio import read_wav
from talkingface.shots.proxy import Proxy
from talkingface.sync.speaking import speaking_stretches

COLUMNS = [
    "clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "verdict", "stage",
    "reason", "detail", "value", "threshold", "n_frames", "face_height", "detected_share",
    "other_face_share", "loudness", "offset", "trusted", "confidence", "other_confidence",
]  # fmt: skip

# Another face counts as inside when its centre is in the square that `clips` cuts by default.
NEIGHBOURHOOD = 1.6


@dataclass(frozen=True)
class Thresholds:
    """What a segment must reach; described key by key in the schema of config.yaml."""

    min_frames: int = 75
    max_frames: int = 500
    trim_frames: int = 0
    min_face_height: float = 100
    min_detected_share: float = 0.7
    max_other_face_share: float = 0.1
    min_loudness: float = -50
    min_confidence: float = 2
    max_offset: int = 15
    cut: str = "track"
    speaking_score: float = 1
    speaking_gap: int = 15
    speaking_trim: int = 5


# By backend of sync: what holds where the config gives nothing. Confidence and offset of syncnet
# are LatentSync's, its score is TalkingVideo's. With motion, 95 % of the two samples' frames score
# less than 0.9 with another voice, and three quarters more than 1 with their own.
SYNC_GATES: dict[str, dict[str, Any]] = {
    "motion": {"min_confidence": 2.0, "max_offset": 15, "speaking_score": 1.0},
    "syncnet": {"min_confidence": 3.0, "max_offset": 6, "speaking_score": 2.1},
}


def thresholds_for(backend: str, **settings: Any) -> Thresholds:
    """The thresholds in `settings`, with those of the sync backend where they are None."""
    own = SYNC_GATES.get(backend, SYNC_GATES["motion"])
    given = {key: value for key, value in settings.items() if value is not None}
    return Thresholds(**own | given)


class _Piece(NamedTuple):
    """A part of a track; `left_over`: the verdict on what is no candidate."""

    start: int
    end: int
    left_over: dict[str, Any] | None = None


def judge_segments(
    video_id: str,
    record: dict[str, Any],
    proxy: Proxy,
    tracks: pd.DataFrame,
    sync: pd.DataFrame,
    sync_frames: pd.DataFrame,
    sound: str | Path,
    thresholds: Thresholds,
) -> pd.DataFrame:
    """Cut tracks into candidate segments and judge each; gives the ledger, COLUMNS.

    `record` is the video's record by download, `tracks` one row a frame and face, `sync` one row
    a track, `sync_frames` one a frame and track, `sound` the grid's wav. A video with no candidate
    at all has one row without clip_id that says why. `reason` names the first threshold missed
    (or the status of a video that cannot be used, with `detail` in words), `stage` the stage that
    measured it, `value` what was measured.

    With `cut` speaking the candidates are the stretches in which a face speaks, by `local_score` of
    `sync_frames` (see `speaking`). The rest of its track is rejected: `not_speaking` by its median
    local score, or `too_short` by the longest speech in it where that is high enough. Who speaks of
    several faces is told by the mean of their local scores then.
    """
    if record["status"] != "ok":
        return _whole_video(video_id, "download", record["status"], detail=record["reason"])
    if proxy.status != "ok":
        return _whole_video(video_id, "proxy", proxy.status, detail=proxy.reason)
    if tracks.empty and proxy.n_frames < thresholds.min_frames:
        least = thresholds.min_frames
        return _whole_video(video_id, "proxy", "too_short", proxy.n_frames, least)
    if tracks.empty:
        return _whole_video(video_id, "tracks", "no_face")
    boxes = {number: rows.set_index("frame") for number, rows in tracks.groupby("track")}
    synced = sync.set_index("track")
    by_track = {n: rows.set_index("frame") for n, rows in sync_frames.groupby("track")}
    rows = []
    for number, track in boxes.items():
        for start, end, left_over in _pieces(track, by_track.get(number), thresholds):
            measures = _measure(number, start, end, boxes, sound)
            rivals = (0.0, 0.0)
            if number in synced.index:
                measures["offset"] = synced.offset[number]
                measures["trusted"] = synced.trusted[number]
                rivals = _levels(by_track, number, start, end, "score")
                measures |= dict(zip(COLUMNS[-2:], rivals, strict=True))
                if thresholds.cut == "speaking":  # scores over 10 s do not tell short turns apart
                    rivals = _levels(by_track, number, start, end, "local_score")
            rows.append(
                {
                    "clip_id": clip_name(video_id, start, end, number),
                    "video_id": video_id,
                    "scene": track.scene.iloc[0],
                    "track": number,
                    "start_frame": start,
                    "end_frame": end,
                    **(left_over or _judge(measures, thresholds, *rivals)),
                    **measures,
                }
            )
    ledger = pd.DataFrame(rows, columns=COLUMNS)
    return ledger.sort_values(["start_frame", "track"], ignore_index=True)


def kept(ledger: pd.DataFrame) -> pd.DataFrame:
    """The ledger's rows with verdict kept."""
    return ledger[ledger.verdict == "kept"]


def _whole_video(
    video_id: str,
    stage: str,
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
    *,
    detail: str | None = None,
) -> pd.DataFrame:
    row = {
        "clip_id": "",
        "video_id": video_id,
        "verdict": "rejected",
        "stage": stage,
        "reason": reason,
        "detail": detail,
        "value": value,
        "threshold": threshold,
    }
    return pd.DataFrame([row], columns=COLUMNS)


def _pieces(
    track: pd.DataFrame, scores: pd.DataFrame | None, thresholds: Thresholds
) -> Iterator[_Piece]:
    """A track without its trimmed ends, cut into candidates and what is left over."""
    start = int(track.index[0]) + thresholds.trim_frames
    end = int(track.index[-1]) + 1 - thresholds.trim_frames
    if end <= start:
        start, end = int(track.index[0]), int(track.index[-1]) + 1
    if thresholds.cut == "track" or scores is None:
        yield from (_Piece(*part) for part in _parts(start, end, thresholds))
        return
    local = scores.local_score.loc[start : end - 1].to_numpy()
    found = speaking_stretches(
        local,
        threshold=thresholds.speaking_score,
        max_gap=thresholds.speaking_gap,
        trim=thresholds.speaking_trim,
    )
    speech = [(start + first, start + last) for first, last in found]
    long = [(first, last) for first, last in speech if last - first >= thresholds.min_frames]
    for first, last in long:
        yield from (_Piece(*part) for part in _parts(first, last, thresholds))
    edges = [start, *chain(*long), end]
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        # What is trimmed off at the track's own ends is no stretch, as with trim_frames.
        if last > first and not (long and last - first <= thresholds.speaking_trim):
            for begin, stop in _parts(first, last, thresholds):
                score = round(float(np.median(local[begin - start : stop - start])), 3)
                lengths = [min(b, stop) - max(a, begin) for a, b in speech]
                yield _Piece(begin, stop, _not_cut(score, max([*lengths, 0]), thresholds))


def _not_cut(score: float, longest: int, thresholds: Thresholds) -> dict[str, Any]:
    """The verdict on a stretch between those in which a face speaks."""
    if not score > thresholds.speaking_score:
        verdict = _rejected("sync", "not_speaking", score, thresholds.speaking_score)
    else:
        verdict = _rejected("tracks", "too_short", longest, thresholds.min_frames)
    return verdict | {"detail": f"cut: speaking; longest speech here {longest} frames"}


def _parts(start: int, end: int, thresholds: Thresholds) -> Iterator[tuple[int, int]]:
    """A stretch in equal parts of at most `max_frames`.

    Where equal parts would be too short, they have `max_frames` each and the rest is left over.
    """
    parts = ceil((end - start) / thresholds.max_frames)
    edges = [start + (end - start) * i // parts for i in range(parts + 1)]
    if parts > 1 and (end - start) // parts < thresholds.min_frames:
        edges = [*range(start, end, thresholds.max_frames), end]
    yield from pairwise(edges)


def _measure(
    number: int, start: int, end: int, boxes: dict[int, pd.DataFrame], sound: str | Path
) -> dict[str, Any]:
    own = boxes[number].loc[start : end - 1]
    inside = np.zeros(len(own), bool)
    for other, track in boxes.items():
        if other != number:
            inside |= _centre_inside(own, track)
    samples = read_wav(sound, start * SAMPLES_PER_FRAME, end * SAMPLES_PER_FRAME) / 32768.0
    loudness = 10 * np.log10(max(float(np.mean(samples**2)), 1e-10)) if len(samples) else -100.0
    return {
        "n_frames": end - start,
        "face_height": round(float(own.h.median()), 1),
        "detected_share": round(float(own.detected.mean()), 3),
        "other_face_share": round(float(inside.mean()), 3),
        "loudness": round(loudness, 1),
    }


def _levels(
    scores: dict[int, pd.DataFrame], number: int, start: int, end: int, column: str
) -> tuple[float, float]:
    """A face's mean score in a stretch, and the highest of the others, at least 0."""
    # A face that is there for a part of the time counts for that part.
    sums = {n: float(rows[column].loc[start : end - 1].sum()) for n, rows in scores.items()}
    own = round(sums.pop(number) / (end - start), 3)
    return own, round(max([*sums.values(), 0.0]) / (end - start), 3)


def _centre_inside(own: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """For every frame of `own`, whether the other face's centre is in its neighbourhood."""
    other = other.reindex(own.index)
    reach = own[["w", "h"]].max(axis=1) * NEIGHBOURHOOD / 2
    across = ((other.x + other.w / 2) - (own.x + own.w / 2)).abs() < reach
    down = ((other.y + other.h / 2) - (own.y + own.h / 2)).abs() < reach
    return (across & down).to_numpy()


def _judge(
    measures: dict[str, Any], thresholds: Thresholds, own: float, other: float
) -> dict[str, Any]:
    """Verdict, and for a rejection the first threshold that was missed.

    `own` and `other`: how clearly this face speaks, and that of the others which does most.
    """
    at_least = [
        ("tracks", "too_short", "n_frames", thresholds.min_frames),
        ("tracks", "small_face", "face_height", thresholds.min_face_height),
        ("tracks", "face_lost", "detected_share", thresholds.min_detected_share),
    ]
    for stage, reason, name, least in at_least:
        if measures[name] < least:
            return _rejected(stage, reason, measures[name], least)
    if measures["other_face_share"] > thresholds.max_other_face_share:
        return _rejected(
            "tracks", "other_face", measures["other_face_share"], thresholds.max_other_face_share
        )
    if measures["loudness"] < thresholds.min_loudness:
        return _rejected("proxy", "silent", measures["loudness"], thresholds.min_loudness)
    if "confidence" in measures:
        if measures["confidence"] < thresholds.min_confidence:
            return _rejected(
                "sync", "not_speaking", measures["confidence"], thresholds.min_confidence
            )
        if own < other:
            return _rejected("sync", "other_speaks", own, other)
        if abs(measures["offset"]) > thresholds.max_offset:
            return _rejected("sync", "offset", measures["offset"], thresholds.max_offset)
    return {"verdict": "kept", "stage": "", "reason": "", "value": None, "threshold": None}


def _rejected(stage: str, reason: str, value: float, threshold: float) -> dict[str, Any]:
    return {
        "verdict": "rejected",
        "stage": stage,
        "reason": reason,
        "value": value,
        "threshold": threshold,
    }
