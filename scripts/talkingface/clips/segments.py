"""The ledger: every candidate stretch of every face, kept or rejected, and why.

Nothing is measured on pictures here, so that thresholds can be changed and judged again in no
time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
from math import ceil, isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talkingface.clips.beside import centre_inside, is_alone
from talkingface.clips.judgement import SegmentThresholds, judge
from talkingface.clips.verdict import BETWEEN_SPEECH, Verdict, decided, rejected
from talkingface.clips.voice import judged_faces, measure_voice, rows_between
from talkingface.grid import SAMPLES_PER_FRAME, clip_name
from talkingface.job.files import read_json
from talkingface.job.tables import read_table, table_of_rows, write_table
from talkingface.media.audio import read_wav
from talkingface.settings.decisions import KEEP
from talkingface.shots.proxy import Proxy, read_proxy
from talkingface.shots.timeline import Gap
from talkingface.sync.comparison import rows_by_track
from talkingface.sync.speaking import speaking_stretches
from talkingface.tables import SEGMENTS, SPEECH, SYNC, SYNC_FRAMES, TRACKS


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
    by_hand: Mapping[str, str] | None = None,
) -> None:
    """Judge the segments of one video and write its `ledger`, the table SEGMENTS.

    The other paths are those of what `judge_segments` takes, and so is `by_hand`.
    """
    judged = judge_segments(
        video_id,
        read_json(media_record, "status", "reason"),
        read_proxy(proxy_record),
        read_table(tracks, TRACKS),
        read_table(speech, SPEECH),
        read_table(sync, SYNC),
        read_table(sync_frames, SYNC_FRAMES),
        sound,
        thresholds,
        by_hand,
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
    by_hand: Mapping[str, str] | None = None,
) -> np.recarray:
    """Cut tracks into candidate segments and judge each; gives the ledger, a table SEGMENTS.

    `media_record` is the video's record by download, `tracks` a table TRACKS, `speech` a table
    SPEECH, `sync` a table SYNC, `sync_frames` a table SYNC_FRAMES, `sound` the grid's wav. A video
    with no candidate at all has one row without clip_id that says why; so have gaps of its picture,
    at their frames. `reason` names the first
    threshold missed (or the status of a video that cannot be used, with `detail` in words), `stage`
    the stage that measured it, `value` what was measured.

    With `cut` speaking the candidates are the stretches in which a face speaks, by `probability` or
    `score` of `sync_frames` (see `speaking`). The rest of its track is rejected: `not_speaking` by
    its median, or `too_short` by the longest speech in it where that is high enough.

    `by_hand` has the candidates, by their clip_ids, that a person wants kept, each with a note. One
    that would be rejected is kept at stage `decisions`, for the reason `by hand`, with the note as
    `detail`, and with the value and the threshold that it would be rejected for.
    """
    by_hand = by_hand or {}
    gaps = [_gap_row(video_id, gap) for gap in proxy.gaps]
    unusable = _judge_video(media_record, proxy, len(tracks), thresholds)
    if unusable:
        return table_of_rows(SEGMENTS, [{"video_id": video_id, **unusable._asdict()}, *gaps])
    boxes, frames = rows_by_track(tracks), rows_by_track(sync_frames)
    faces = judged_faces(sync, sync_frames)
    heard = speech.probability
    is_speech = heard >= thresholds.speech_threshold
    rows = []
    for number, track in boxes.items():
        for start, end, verdict in _stretches(track, frames.get(number), thresholds):
            measures = _measure(number, start, end, boxes, is_speech, sound)
            voice = None
            if number in faces:
                voice = measure_voice(number, start, end, faces, heard, thresholds.speech_threshold)
            if verdict is None:
                verdict = judge(measures, voice, is_alone(number, start, end, boxes), thresholds)
                if verdict.reason == "silent":
                    verdict = verdict._replace(detail=_other_sounds(media_record, proxy))
            clip_id = clip_name(video_id, start, end, number)
            if clip_id in by_hand:
                verdict = decided(verdict, KEEP, by_hand[clip_id])
            rows.append(
                {
                    "clip_id": clip_id,
                    "video_id": video_id,
                    "scene": track.scene[0],
                    "track": number,
                    "start_frame": start,
                    "end_frame": end,
                    **verdict._asdict(),
                    **measures,
                    **(voice.columns() if voice else {}),
                }
            )
    rows.sort(key=lambda row: (row["start_frame"], row["track"]))
    rows = sorted([*rows, *gaps], key=lambda row: row["start_frame"])
    return table_of_rows(SEGMENTS, rows)


def _gap_row(video_id: str, gap: Gap) -> dict[str, Any]:
    """The row of the ledger on what a video does not show."""
    verdict = rejected("proxy", gap.reason, gap.seconds, gap.threshold, detail=gap.detail)
    return {
        "video_id": video_id,
        "start_frame": gap.start,
        "end_frame": gap.end,
        "n_frames": gap.end - gap.start,
        **verdict._asdict(),
    }


def _judge_video(
    media_record: Mapping[str, Any], proxy: Proxy, n_boxes: int, thresholds: SegmentThresholds
) -> Verdict | None:
    """The verdict on a whole video that has no candidates; None where there are some."""
    if media_record["status"] != "ok":
        # Records of earlier versions have no value and threshold.
        measured = media_record.get("value"), media_record.get("threshold")
        detail = media_record["reason"] or ""
        return rejected("download", media_record["status"], *measured, detail=detail)
    if proxy.status != "ok":
        return rejected(
            "proxy", proxy.status, proxy.value, proxy.threshold, detail=proxy.reason or ""
        )
    if n_boxes:
        return None
    if proxy.n_frames < thresholds.min_frames:
        return rejected("proxy", "too_short", proxy.n_frames, thresholds.min_frames)
    return rejected("tracks", "no_face")


def _other_sounds(media_record: Mapping[str, Any], proxy: Proxy) -> str:
    """Which of the file's audio streams was read, and which others there are; "" of a single one.

    `media_record` is the video's record by download.
    """
    probe = media_record.get("probe") or {}
    # Records that were made before streams were numbered say nothing of it.
    numbered = [
        s for s in [probe.get("audio"), *probe.get("other_audio", [])] if s and "number" in s
    ]
    read = [s["number"] for s in numbered if s["index"] == proxy.reading.audio_stream]
    others = [
        f"{s['number']} ({', '.join(filter(None, (s['language'], s['codec'], s['layout'])))})"
        for s in sorted(numbered, key=lambda s: s["number"])
        if s["number"] not in read
    ]
    if not (read and others):
        return ""
    return f"audio stream {read[0]} was read; there are also {', '.join(others)}"


def _stretches(
    track: np.recarray, frames: np.recarray | None, thresholds: SegmentThresholds
) -> Iterator[_Stretch]:
    """A track without its trimmed ends, cut into candidates and what is left over."""
    start = int(track.frame[0]) + thresholds.trim_frames
    end = int(track.frame[-1]) + 1 - thresholds.trim_frames
    if end <= start:
        start, end = int(track.frame[0]), int(track.frame[-1]) + 1
    if thresholds.cut == "track" or frames is None:
        yield from (_Stretch(*part) for part in _parts(start, end, thresholds))
        return
    levels, least = _speaking_levels(rows_between(frames, start, end), thresholds)
    found = speaking_stretches(
        levels, threshold=least, max_gap=thresholds.speaking_gap, trim=thresholds.speaking_trim
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
                level = float(np.median(levels[begin - start : stop - start]))
                longest = max((min(b, stop) - max(a, begin) for a, b in speech), default=0)
                verdict = _between_speech(level, least, max(longest, 0), thresholds.min_frames)
                yield _Stretch(begin, stop, verdict)


def _speaking_levels(
    frames: np.recarray, thresholds: SegmentThresholds
) -> tuple[np.ndarray, float]:
    """What says of every frame of a stretch whether its face speaks, and above which value.

    Frames of which the backend says nothing are lowest.
    """
    if thresholds.speaking_score is None:
        return frames.probability, thresholds.speaking_probability
    scores = np.where(np.isnan(frames.score), -np.inf, frames.score)
    return scores, thresholds.speaking_score


def _between_speech(level: float, least: float, longest: int, min_frames: int) -> Verdict:
    """The verdict on a stretch between those in which a face speaks.

    `level` is its median of what is above `least` where it speaks, `longest` the frames of the
    longest speech in it.
    """
    detail = f"{BETWEEN_SPEECH} {longest} frames"
    if not level > least:
        value = round(level, 3) if isfinite(level) else None
        return rejected("sync", "not_speaking", value, least, detail=detail)
    return rejected("tracks", "too_short", longest, min_frames, detail=detail)


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
    rows = rows_between(boxes[number], start, end)
    beside = np.zeros(len(rows), bool)
    for other, track in boxes.items():
        if other != number:
            beside |= centre_inside(rows, rows_between(track, start, end))
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
