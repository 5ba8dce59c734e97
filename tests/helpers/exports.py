"""What tests of exports share: stages, exports and lost faces of the small results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from helpers.small_results import CLIPS, SmallClip
from talkingface.dataset.clip_table import read_clip_table
from talkingface.exports.export import make_export
from talkingface.faces.landmark_files import Landmarks, read_landmarks, write_landmarks
from talkingface.job.tables import table_of_columns, table_of_rows, write_table
from talkingface.media.clip_files import Clip, read_clips
from talkingface.stages import STAGES
from talkingface.tables import dataset_clips, tables_by_path

VIDEOS = tuple(dict.fromkeys(clip.video for clip in CLIPS))


def clips_of(results: Path, video: str) -> list[Clip]:
    return read_clips(results / f"clips/{video}", results / f"clips/{video}.csv")


def make_stage(
    results: Path,
    name: str,
    make: Callable[..., None],
    videos: Iterable[str] = VIDEOS,
    **settings: Any,
) -> None:
    """Run the stage of an export, which reads clips and landmarks, on videos."""
    for video in videos:
        make(
            clips_of(results, video),
            results / f"landmarks/{video}",
            results / f"{name}/{video}",
            results / f"{name}/{video}.csv",
            **settings,
        )


def export(results: Path, name: str, settings: dict[str, Any] | None = None) -> Path:
    """Make the export and give its folder."""
    folder = results / f"exports/{name}"
    make_export(name, results, folder, settings or {})
    return folder


def lose_faces(results: Path, clip: SmallClip, frames: Iterable[int]) -> None:
    """Take the face out of these frames of a clip."""
    path = results / f"landmarks/{clip.video}/{clip.clip_id}.npz"
    found = read_landmarks(path)
    points, points68 = found.points.copy(), found.points68.copy()
    for frame in frames:
        points[frame], points68[frame] = np.nan, np.nan
    write_landmarks(path, Landmarks.of(points, points68))


def set_cells(results: Path, rows: int | slice, **cells: Any) -> None:
    """Give columns of some rows of clips.csv other values."""
    path = results / "dataset/clips.csv"
    table, products = read_clip_table(path)
    for column, value in cells.items():
        table[column][rows] = value
    write_table(table, path, dataset_clips(products))


def counts(folder: Path) -> tuple[int, int]:
    """How many clips an export says it has, and how many it left out."""
    record = json.loads((folder / "export.json").read_text())
    return record["clips"], record["skipped"]


def write_stage(
    results: Path, stage: str, measures: Mapping[str, Any], changed: Mapping[str, Mapping[str, Any]]
) -> None:
    """Write the manifests of `stage` with `measures` for all clips, of some `changed` by their
    names; films that say whose they are; and tables whose cells are all the frame's number."""
    manifest = tables_by_path()[STAGES[stage].manifest]
    for video in dict.fromkeys(clip.video for clip in CLIPS):
        clips = [clip for clip in CLIPS if clip.video == video]
        (results / stage / video).mkdir(parents=True)
        rows = [
            {"clip_id": clip.clip_id, "n_frames": clip.n_frames, **measures}
            | changed.get(clip.clip_id, {})
            for clip in clips
        ]
        path = results / STAGES[stage].manifest.format(video=video)
        write_table(table_of_rows(manifest, rows), path, manifest)
        for clip in clips:
            for pattern in STAGES[stage].clip_files:
                _write(results / pattern.format(video=video, clip=clip.clip_id), pattern, clip)


def _write(path: Path, pattern: str, clip: SmallClip) -> None:
    if pattern not in tables_by_path():
        path.write_text(f"film of {clip.clip_id}")
        return
    table = tables_by_path()[pattern]
    frames = np.arange(clip.n_frames)
    columns = dict.fromkeys(table.names, frames) | {"source_frame": frames + clip.start}
    write_table(table_of_columns(table, columns), path, table)
