"""A small workspace that looks finished: list, results of all stages, dataset, card, export, and
what Snakemake notes of them. Its content is made up, its form right."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.datasets import make_default_dataset
from helpers.finished_results import HEIGHT, N_FRAMES, WIDTH, finish_video
from helpers.settings import CONFIG
from talkingface.dataset.card import make_card
from talkingface.exports.export import make_export
from talkingface.job.checksums import checksummed
from talkingface.job.tables import table_of_rows, write_table
from talkingface.settings.published import published_settings
from talkingface.stages import stages_made
from talkingface.tables import CLIPS, LANDMARKS, PARSING, QUALITY, SEGMENTS

EXPORT = "talking_face_preprocessing"


def add_video(
    root: Path,
    video: str,
    *,
    clips: int = 1,
    provenance: Mapping[str, Any] | None = None,
    source: str | None = None,
    files: bool = True,
) -> list[str]:
    """What all stages make of a video, or without `files` what the dataset reads of it; the names
    of its clips."""
    results = root / "results"
    names = [f"{video}_{k:06d}_{k + N_FRAMES:06d}_00" for k in range(clips)]
    results.mkdir(parents=True, exist_ok=True)
    if files:
        assert finish_video(results, video, clips) == names
    rows = [
        {
            "clip_id": name, "video_id": video, "scene": 0, "track": 0, "start_frame": k,
            "end_frame": k + N_FRAMES, "n_frames": N_FRAMES, "width": WIDTH, "height": HEIGHT,
            "crop": "fixed", "audio_shift": 0, "speech_share": 0.5,
        }
        for k, name in enumerate(names)
    ]  # fmt: skip
    good = {"face_height": 200 + len(video), "present_share": 1, "brightness": 120, "sharpness": 99}
    zeros = {column.name: 0 for column in QUALITY.columns if column.kind == "float"}
    ledger = [row | {"verdict": "kept"} for row in rows]
    lost = {"video_id": video, "verdict": "rejected", "stage": "tracks", "reason": "no_face"}
    for definition, content in (
        (CLIPS, rows),
        (SEGMENTS, ledger or [lost]),
        (QUALITY, [zeros | good | row for row in rows]),
        (LANDMARKS, [row | {"present_share": 1, "backend": "dlib"} for row in rows]),
        (PARSING, [row | {"backend": "bisenet", "sha256": "cd" * 32} for row in rows]),
    ):
        path = results / definition.path.format(video=video)
        write_table(table_of_rows(definition, content), path, definition)
    record = {
        "video_id": video,
        "source": source or str(root / f"{video}.mp4"),
        "status": "ok",
        "probe": {
            "duration": 2.0,
            "video": {"display_width": 640, "display_height": 480, "fps": 30.0},
        },
        "provenance": provenance
        or {"kind": "local", "path": str(root / f"{video}.mp4"), "sha256": f"of {video}"},
    }
    (results / "videos").mkdir(exist_ok=True)
    (results / f"videos/{video}.json").write_text(json.dumps(record))
    for folder, suffix in (("logs", "log"), ("benchmarks", "tsv")):
        for stage in ("download", "clips"):
            path = results / folder / stage / f"{video}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"of {video}")
    return names


def finish(root: Path, rows: Sequence[Mapping[str, str]], export: bool = True) -> None:
    """Make the dataset of `rows` of the list, its card and an export, and write the list."""
    results = root / "results"
    folder = results / "dataset"
    lines = [",".join(row.get(name) or "" for name in _COLUMNS) for row in rows]
    (root / "videos.csv").write_text("\n".join([",".join(_COLUMNS), *lines, ""]))
    outputs = [folder / n for n in ("clips.csv", "train.csv", "eval.csv", "rejected.csv")]
    with checksummed([*outputs, folder / "summary.json"]):
        make_default_dataset(rows, results, thresholds={})
    with checksummed([folder / "settings.json", folder / "README.md"]):
        make_card(results, **card_values())
    if export:
        make_export(EXPORT, results, results / "exports" / EXPORT, {})


_COLUMNS = ("video_id", "source", "identity", "split")


def card_values(**card: Any) -> dict[str, Any]:
    """What `make_card` takes beside the results, with some of the section `card`."""
    return {
        "settings": published_settings(CONFIG),
        "versions": dict.fromkeys(stages_made(CONFIG["features"]), 1),
        "models": {},
        "card": CONFIG["card"] | card,
    }


def record_path(root: Path, output: str, kind: str = "metadata") -> Path:
    """Where Snakemake notes what it knows of an output."""
    name = base64.urlsafe_b64encode(output.encode()).decode()
    return root / ".snakemake" / kind / name


def note(root: Path, output: str, inputs: Sequence[str] = (), params: Sequence[str] = ()) -> Path:
    """Note an output as Snakemake does."""
    path = record_path(root, output)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"rule": "of it", "input": list(inputs), "params": list(params), "incomplete": False}
    path.write_text(json.dumps(record | {"input_checksums": dict.fromkeys(inputs, "sha256:0")}))
    return path
