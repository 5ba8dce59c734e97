"""The small results with all that their report reads: ledgers, records, previews.

Beside the three kept clips talk1 has two stretches that were rejected and a gap, and a third video
could not be had.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers.datasets import make_default_dataset
from helpers.small_results import CLIPS, SIZE, SmallClip, make_small_results, row_of
from helpers.synthetic import number_picture
from talkingface import tables
from talkingface.faces.ibug68 import points68
from talkingface.job.tables import table_of_rows, write_table
from talkingface.report.javascript import write_data
from talkingface.report.strip import PICTURES, SIDE
from talkingface.table import Table

FEATURES = ("landmarks", "pose", "expression", "depth", "parsing", "background", "torso")
VIDEOS = [
    {"video_id": "talk1", "source": "/videos/talk1.mp4", "identity": "alice", "split": "train"},
    {
        "video_id": "talk2",
        "source": "/videos/talk2.mp4",
        "identity": "Böb/../Ünal",
        "split": "eval",
    },
    {"video_id": "gone", "source": "https://example.org/gone", "identity": "", "split": ""},
]
TITLES = {"talk1": "<script>document.title='harmed'</script>", "talk2": 'A "talk" & more'}
# Names, first and last frame, and the verdicts on what talk1 has beside its clips.
REJECTED = {
    "talk1_000200_000300_01": ("tracks", "small_face", 62.0, 100.0, "face_height"),
    "talk1_000300_000400_01": ("sync", "other_speaks", 0.21, 0.35, "probability"),
}


def make_small_report_results(root: Path) -> Path:
    """Write `root`/results, and give it; the report itself is for who asks to make."""
    results = make_small_results(root / "results")
    for row in VIDEOS:
        _write_video(results, row)
    make_default_dataset(VIDEOS, results, features=FEATURES, thresholds={})
    return results


def _write_video(results: Path, row: dict[str, str]) -> None:
    video = row["video_id"]
    clips = [clip for clip in CLIPS if clip.video == video]
    kept = [row_of(clip) | {"scene": 0, "track": 0, "verdict": "kept"} for clip in clips]
    rejected = [_rejected(name) for name in REJECTED if name.startswith(f"{video}_")]
    others: list[dict[str, Any]] = []
    if video == "talk1":
        others = [_whole(video, "proxy", "gap") | {"start_frame": 400, "end_frame": 450}]
        others[0] |= {
            "n_frames": 50,
            "value": 2.0,
            "threshold": 0.5,
            "detail": "<i>stood</i> still",
        }
    if video == "gone":
        others = [_whole(video, "download", "unavailable") | {"detail": "removed by <uploader>"}]
    candidates = [*kept, *rejected]
    measures = {
        "pictures": PICTURES, "judged": 1, "alone": 1, "probability": 0.9, "mouth_motion": 0.1,
        "confidence": 1.0, "other_probability": 0.0, "speaking": 0.9, "other_speaking": 0.0,
    }  # fmt: skip
    _write(results, video, tables.SEGMENTS, [*candidates, *others])
    # There is no strip of what was rejected, but the picture that shows why.
    no_strip = {"pictures": 0, "cause_frame": 250.0}
    previews = [measures | row for row in kept] + [measures | row | no_strip for row in rejected]
    _write(results, video, tables.PREVIEW, previews)
    quality = {"sharpness": 200.0, "brightness": 120.0, "border_share": 0.0, "hand_share": 0.0}
    quality |= dict.fromkeys(("max_abs_yaw", "max_abs_pitch", "max_abs_roll"), 10.0)
    _write(results, video, tables.QUALITY, [quality | row for row in kept])
    if not clips:
        for definition in (tables.CLIPS, tables.POSE):
            _write(results, video, definition, [])
    shots = [{"scene": 0, "start_frame": 0, "end_frame": 400}] if clips else []
    _write(results, video, tables.SCENES, shots)
    _write(results, video, tables.TRACKS, [{"track": 0, "frame": k} for k in range(300) if clips])
    _write_record(results, row)
    folder = results / "preview" / video
    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        _write_strip(folder / f"{clip.clip_id}.jpg", clip)
        write_data(clip.clip_id, detail_of(clip), folder / f"{clip.clip_id}.js")
    for name in REJECTED if video == "talk1" else ():
        picture = np.full((270, 480, 3), (40, 40, 160), np.uint8)
        cv2.imwrite(str(folder / f"{name}.why.jpg"), picture)
        write_data(name, _detail_of_rejected(name), folder / f"{name}.js")


def detail_of(clip: SmallClip) -> dict[str, Any]:
    """The curves of a clip as the report's page reads them: a click in every tenth frame's sound,
    a mouth that opens from 0 to 1, the head as `clip` turns it, and its 68 points."""
    n = clip.n_frames
    ramp = np.linspace(0, 1, n).round(4).tolist()
    angles = clip.angles.round(2)
    sound = (clip.samples.reshape(4 * n, 160) // 256).astype(np.int8)
    envelope = np.stack([sound.min(axis=1), sound.max(axis=1)], axis=1)
    points = (points68(clip.points) * 8).round().astype("<u2")
    xy = clip.points[..., :2]
    box = np.concatenate([xy.min(axis=1), np.ptp(xy, axis=1)], axis=1)
    return {
        "clip_id": clip.clip_id, "n_frames": n, "width": SIZE, "height": SIZE,
        "speech": ramp, "opening": ramp, "score": ramp, "probability": ramp,
        "yaw": angles[:, 0].tolist(), "pitch": angles[:, 1].tolist(),
        "roll": angles[:, 2].tolist(), "sound": _base64(envelope), "points68": _base64(points),
        "boxes": _base64((box * 8).round().astype("<i2")),
    }  # fmt: skip


def _detail_of_rejected(name: str) -> dict[str, Any]:
    """The curves of a stretch of which no clip was cut: nothing but that somebody is heard."""
    start, end = (int(frame) for frame in name.split("_")[1:3])
    nothing = dict.fromkeys(
        ("opening", "score", "probability", "yaw", "pitch", "roll", "sound", "points68", "boxes")
    )
    n = end - start
    known = {"clip_id": name, "n_frames": n, "width": 0, "height": 0, "speech": [0.5] * n}
    return nothing | known


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _rejected(name: str) -> dict[str, Any]:
    stage, reason, value, threshold, column = REJECTED[name]
    video, start, end, track = name.rsplit("_", 3)
    return {
        "clip_id": name, "video_id": video, "scene": 0, "track": int(track),
        "start_frame": int(start), "end_frame": int(end), "n_frames": int(end) - int(start),
        "verdict": "rejected", "stage": stage, "reason": reason, "value": value,
        "threshold": threshold, "face_height": 150.0, "probability": 0.8, column: value,
    }  # fmt: skip


def _whole(video: str, stage: str, reason: str) -> dict[str, Any]:
    return {"video_id": video, "verdict": "rejected", "stage": stage, "reason": reason}


def _write(results: Path, video: str, definition: Table, rows: list[dict[str, Any]]) -> None:
    zeros = {column.name: 0 for column in definition.columns if column.kind == "int"}
    known = [{n: c for n, c in row.items() if n in definition.names} for row in rows]
    table = table_of_rows(definition, [zeros | row for row in known])
    path = results / definition.path.format(video=video)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(table, path, definition)


def _write_record(results: Path, row: dict[str, str]) -> None:
    video, there = row["video_id"], row["video_id"] in TITLES
    picture = {"display_width": 1280, "display_height": 720, "fps": 29.97}
    record = {
        "video_id": video, "source": row["source"],
        "status": "ok" if there else "unavailable",
        "reason": None if there else "removed by <uploader>",
        "probe": {"duration": 18.0, "video": picture} if there else None,
        "provenance": {
            "kind": "local" if there else "url", "title": TITLES.get(video),
            "uploader": "<u>someone</u>", "licence": None, "sha256": f"of {video}",
            "webpage_url": None if there else "javascript:alert(1)",
        },
    }  # fmt: skip
    path = results / f"videos/{video}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))


def _write_strip(path: Path, clip: SmallClip) -> None:
    frames = np.linspace(0, clip.n_frames - 1, PICTURES).round().astype(int)
    squares = [number_picture(clip.start + int(k), (SIDE, SIDE)) for k in frames]
    cv2.imwrite(str(path), np.concatenate(squares, axis=1))
