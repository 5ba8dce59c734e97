"""The ledger: every candidate stretch of every face, kept or rejected, and why.

Nothing is measured on pictures here, so that thresholds can be changed and judged again in no
time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from talkingface.media.audio import read_wav
from talkingface.media.grid import SAMPLES_PER_FRAME, clip_name
from talkingface.proxy import Proxy

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


# By backend of sync: lowest confidence and largest offset where the config gives none. Those of
# syncnet are LatentSync's.
SYNC_GATES = {"motion": (2.0, 15), "syncnet": (3.0, 6)}


def thresholds_for(
    backend: str, *, min_confidence: float | None, max_offset: int | None, **others: Any
) -> Thresholds:
    """The thresholds, with those of the sync backend where they are None."""
    confidence, offset = SYNC_GATES.get(backend, SYNC_GATES["motion"])
    return Thresholds(
        min_confidence=confidence if min_confidence is None else min_confidence,
        max_offset=offset if max_offset is None else max_offset,
        **others,
    )


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
    scores = {
        number: rows.set_index("frame").score for number, rows in sync_frames.groupby("track")
    }
    rows = []
    for number, track in boxes.items():
        for start, end in _stretches(track, thresholds):
            measures = _measure(number, start, end, boxes, sound)
            if number in synced.index:
                measures["offset"] = synced.offset[number]
                measures["trusted"] = synced.trusted[number]
                # A face that is there for a part of the time counts for that part.
                sums = {n: float(s.loc[start : end - 1].sum()) for n, s in scores.items()}
                levels = {n: total / (end - start) for n, total in sums.items()}
                measures["confidence"] = round(levels.pop(number), 3)
                measures["other_confidence"] = round(max([*levels.values(), 0.0]), 3)
            rows.append(
                {
                    "clip_id": clip_name(video_id, start, end, number),
                    "video_id": video_id,
                    "scene": track.scene.iloc[0],
                    "track": number,
                    "start_frame": start,
                    "end_frame": end,
                    **_judge(measures, thresholds),
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


def _stretches(track: pd.DataFrame, thresholds: Thresholds) -> Iterator[tuple[int, int]]:
    """A track without its trimmed ends, in equal parts of at most `max_frames`.

    Where equal parts would be too short, they have `max_frames` each and the rest is left over.
    """
    start = int(track.index[0]) + thresholds.trim_frames
    end = int(track.index[-1]) + 1 - thresholds.trim_frames
    if end <= start:
        start, end = int(track.index[0]), int(track.index[-1]) + 1
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


def _centre_inside(own: pd.DataFrame, other: pd.DataFrame) -> np.ndarray:
    """For every frame of `own`, whether the other face's centre is in its neighbourhood."""
    other = other.reindex(own.index)
    reach = own[["w", "h"]].max(axis=1) * NEIGHBOURHOOD / 2
    across = ((other.x + other.w / 2) - (own.x + own.w / 2)).abs() < reach
    down = ((other.y + other.h / 2) - (own.y + own.h / 2)).abs() < reach
    return (across & down).to_numpy()


def _judge(measures: dict[str, Any], thresholds: Thresholds) -> dict[str, Any]:
    """Verdict, and for a rejection the first threshold that was missed."""
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
        if measures["confidence"] < measures["other_confidence"]:
            return _rejected(
                "sync", "other_speaks", measures["confidence"], measures["other_confidence"]
            )
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
