"""What the stage of an export makes of the clips of `small_results`, as a layout reads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from helpers.small_results import CLIPS, SmallClip
from talkingface.job.tables import table_of_columns, table_of_rows, write_table
from talkingface.stages import STAGES
from talkingface.tables import tables_by_path


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
