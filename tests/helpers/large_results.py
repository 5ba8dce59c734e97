"""A results folder of many clips, for what reads tables only: random measures in the right form.

No clip has a film, all share a few strips of pictures. What sites say of the videos is meant to
harm a page that takes text for markup.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from helpers.datasets import make_default_dataset
from talkingface.grid import clip_name
from talkingface.job.tables import table_of_columns, write_table
from talkingface.report.javascript import write_data
from talkingface.report.strip import PICTURES, SIDE
from talkingface.tables import (
    CLIPS,
    POSE,
    PREVIEW,
    QUALITY,
    SCENES,
    SEGMENTS,
    TRACKS,
    Table,
)

HOSTILE = "</script><script>document.title='harmed'</script><img src=x onerror=\"alert(1)\">"
IDENTITIES = ("Böb/../Ünal", "<b>bold</b>", "a&b=c#d?e", "")
# Stage, reason, column of SEGMENTS and range of a measure below the default threshold, and that.
REJECTIONS = (
    ("tracks", "small_face", "face_height", 20.0, 99.0, 100.0),
    ("proxy", "silent", "loudness", -90.0, -51.0, -50.0),
    ("speech", "no_speech", "speech_share", 0.0, 0.19, 0.2),
    ("sync", "other_speaks", "probability", 0.0, 0.34, 0.35),
)


def make_large_results(
    root: Path, videos: int, kept: int, rejected: int, *, seed: int = 0, details: bool = True
) -> list[dict[str, str]]:
    """Write `root`/results with `kept` and `rejected` candidates of each of `videos`; give the rows
    of videos.csv. details: whether there are curves of all candidates, each a file."""
    random, results = np.random.default_rng(seed), root / "results"
    rows = []
    for number in range(videos):
        video = f"video{number:05d}"
        rows.append(
            {
                "video_id": video,
                "source": f"https://example.org/watch?v={video}",
                "identity": IDENTITIES[number % len(IDENTITIES)],
                "split": "",
            }
        )
        names = _write_video(results, video, kept, rejected, random)
        _write_strips(results, video, names)
        _write_details(results, video, names if details else names[:1])
    make_default_dataset(rows, results)
    return rows


def _write_video(
    results: Path, video: str, kept: int, rejected: int, random: np.random.Generator
) -> list[str]:
    """Write a video's tables and its record; give the names of its candidates."""
    n = kept + rejected
    lengths = random.integers(75, 500, n)
    starts = np.cumsum(lengths) - lengths
    names = [clip_name(video, s, s + m, 0) for s, m in zip(starts, lengths, strict=True)]
    own: dict[str, Any] = {
        "clip_id": names, "video_id": video, "scene": 0, "track": 0,
        "start_frame": starts.astype(float), "end_frame": (starts + lengths).astype(float),
        "n_frames": lengths.astype(float),
    }  # fmt: skip
    measures = {
        "face_height": random.uniform(100, 600, n).round(1),
        "detected_share": random.uniform(0.7, 1, n).round(3),
        "other_face_share": random.uniform(0, 0.1, n).round(3),
        "loudness": random.uniform(-40, -10, n).round(1),
        "speech_share": random.uniform(0.2, 1, n).round(3),
        "offset": random.integers(-3, 4, n).astype(float),
        "trusted": 1.0,
        "confidence": random.uniform(0, 3, n).round(3),
        "probability": random.uniform(0.5, 1, n).round(3),
        "other_probability": 0.0,
        "mouth_motion": random.uniform(0.02, 0.2, n).round(4),
    }
    verdict: dict[str, Any] = {
        "verdict": np.array(["kept"] * n, object), "stage": np.array([""] * n, object),
        "reason": np.array([""] * n, object), "detail": "",
        "value": np.full(n, np.nan), "threshold": np.full(n, np.nan),
    }  # fmt: skip
    for row in range(kept, n):
        stage, reason, column, low, high, threshold = REJECTIONS[row % len(REJECTIONS)]
        measures[column][row] = value = round(random.uniform(low, high), 2)
        for name, cell in zip(
            ("verdict", "stage", "reason", "value", "threshold"),
            ("rejected", stage, reason, value, threshold),
            strict=True,
        ):
            verdict[name][row] = cell
    made = slice(0, kept)
    of_clip = {
        "clip_id": names[made], "video_id": video, "scene": 0, "track": 0,
        "start_frame": starts[made], "end_frame": (starts + lengths)[made],
        "n_frames": lengths[made], "width": 512, "height": 512, "crop": "fixed",
        "audio_shift": 0,
    }  # fmt: skip
    preview = {"clip_id": names, "n_frames": lengths, "pictures": PICTURES, "judged": 1, "alone": 1}
    for definition, cells in (
        (SEGMENTS, own | measures | verdict),
        (CLIPS, of_clip | {k: v[made] for k, v in measures.items() if np.ndim(v)}),
        (QUALITY, of_clip | _quality(kept, random)),
        (POSE, of_clip | _random(POSE, kept, random, -30, 30)),
        (PREVIEW, preview | measures),
        (SCENES, {"scene": [0], "start_frame": [0], "end_frame": [int(lengths.sum())]}),
        (TRACKS, {"track": [0], "frame": [0]}),
    ):
        _write(results, video, definition, cells)
    record = {
        "video_id": video, "status": "ok", "reason": None,
        "probe": {
            "duration": float(lengths.sum() / 25),
            "video": {"display_width": 1920, "display_height": 1080, "fps": 29.97},
        },
        "provenance": {
            "kind": "url", "title": f"{HOSTILE} {video}", "uploader": HOSTILE,
            "webpage_url": f"https://example.org/watch?v={video}", "sha256": video,
        },
    }  # fmt: skip
    path = results / f"videos/{video}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return names


def _quality(n: int, random: np.random.Generator) -> dict[str, Any]:
    """Measures of `quality`, of which about one in ten clips misses a default threshold."""
    return _random(QUALITY, n, random, 0, 40) | {
        "face_height": random.uniform(100, 600, n),
        "present_share": random.uniform(0.89, 1, n),
        "border_share": random.uniform(0, 0.21, n),
        "hand_share": random.uniform(0, 0.2, n),
        "brightness": random.uniform(24, 230, n),
        "sharpness": random.uniform(15, 400, n),
        "residual_offset": random.uniform(-2, 2, n),
        "residual_certainty": random.uniform(0, 1, n),
        "speech_quality": random.uniform(1, 5, n),
    }


def _random(
    definition: Table, n: int, random: np.random.Generator, low: float, high: float
) -> dict[str, Any]:
    names = [column.name for column in definition.columns if column.kind == "float"]
    return {name: random.uniform(low, high, n) for name in names}


def _write(results: Path, video: str, definition: Table, cells: Mapping[str, Any]) -> None:
    """Write a table; columns that are not given are 0, or empty where they may be."""
    empty = {"text": "", "int": 0, "float": np.nan, "optional int": np.nan}
    columns = {c.name: cells.get(c.name, empty[c.kind]) for c in definition.columns}
    path = results / definition.path.format(video=video)
    write_table(table_of_columns(definition, columns), path, definition)


def _write_strips(results: Path, video: str, names: list[str]) -> None:
    """Strips of one and the same picture."""
    strip = results / "preview/strip.jpg"
    if not strip.exists():
        strip.parent.mkdir(parents=True, exist_ok=True)
        across = np.linspace(0, 255, PICTURES * SIDE, dtype=np.uint8)
        picture = np.repeat(np.tile(across, (SIDE, 1))[..., None], 3, axis=2)
        picture[:, ::SIDE] = (0, 160, 255)
        cv2.imwrite(str(strip), picture)
    folder = results / "preview" / video
    folder.mkdir()
    for name in names:
        os.link(strip, folder / f"{name}.jpg")


def _write_details(results: Path, video: str, names: list[str]) -> None:
    """Curves that are the same in every frame, of 75 frames, the shortest of stretches."""
    curve = [0.5] * 75
    detail = {
        "n_frames": 75, "width": 512, "height": 512, "speech": curve,
        "opening": curve, "score": curve, "probability": curve, "yaw": curve, "pitch": curve,
        "roll": curve, "sound": None, "points68": None, "boxes": None,
    }  # fmt: skip
    for name in names:
        path = results / f"preview/{video}/{name}.js"
        write_data(name, {"clip_id": name} | detail, path)
