"""Every row of the ledgers as the report shows it: its last verdict and all that was measured.

A row is put together by clip_id, which no two videos share. Columns are filled, not rows, as there
may be a hundred of one and a hundred thousand of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.clips.verdict import Verdict
from talkingface.dataset.gates import QualityThresholds
from talkingface.dataset.split import cell_text
from talkingface.job.tables import read_table
from talkingface.report.columns import number_column, table, text_column
from talkingface.report.verdicts import LastVerdicts
from talkingface.settings.decisions import Decision
from talkingface.stages import STAGES
from talkingface.table import Column, Table
from talkingface.tables import CLIPS, POSE, PREVIEW, QUALITY, SEGMENTS

# What names a candidate and what became of it; all other columns are called after their stage.
_NAMES = ("clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "n_frames")
_OWN = (*_NAMES, *Verdict._fields)
# The tables that say more of candidates than their ledger.
_FURTHER: dict[str, Table] = {"clips": CLIPS, "quality": QUALITY, "pose": POSE, "preview": PREVIEW}
# What `clips` takes over from the ledger is there once.
_REPEATED = {"clips": ("offset", "confidence", "probability", "speech_share")}
_ADDED = (
    Column("split", "text", "`train` or `eval`; empty where it is not in the dataset"),
    Column("identity", "text", "who speaks, by videos.csv"),
)


def candidates_table(
    videos: Sequence[Mapping[str, Any]],
    results: str | Path,
    *,
    thresholds: QualityThresholds,
    decisions: Mapping[str, Decision],
) -> dict[str, Any]:
    """A row for every row of the ledgers of `videos`, rows of videos.csv, in order.

    A candidate's own columns are those of the ledger, `verdict` to `threshold` with the last
    verdict, see `LastVerdicts`; `split` and `identity` are beside them. All others are called after
    stage and column, such as `quality.sharpness`, and `segments.verdict` is what the ledger itself
    says. A row without clip_id is a whole video, or, with a start_frame, a gap in one.

    thresholds, decisions: with which the dataset was made.

    Raises ValueError where the dataset was made of other ledgers, OtherColumns for a table of
    another version, DamagedFile for one that is damaged, and FileNotFoundError.
    """
    results = Path(results)
    last = LastVerdicts(results, thresholds, decisions)
    definitions = _definitions()
    columns: dict[str, list[Any]] = {name: [] for name in definitions}
    for video in videos:
        video_id, identity = cell_text(video["video_id"]), cell_text(video.get("identity"))
        for name, cells in _video_columns(video_id, identity, results, last).items():
            columns[name] += cells
    last.check_complete(columns["clip_id"])
    length = len(columns["clip_id"])
    # A column is let go of as soon as it is made: together they are large.
    return table(
        length,
        {name: _page_column(column, columns.pop(name)) for name, column in definitions.items()},
    )


def _definitions() -> dict[str, Column]:
    """The columns by their names on the page."""
    of_ledger = {column.name: column for column in SEGMENTS.columns}
    own = {name: of_ledger[name] for name in _OWN} | {column.name: column for column in _ADDED}
    ledger = {f"segments.{name}": of_ledger[name] for name in of_ledger if name not in _NAMES}
    further = {f"{stage}.{column.name}": column for stage in _FURTHER for column in _columns(stage)}
    return own | ledger | further


def _columns(stage: str) -> list[Column]:
    """The columns of a stage's table that are not in the ledger."""
    left_out = {*_OWN, *_REPEATED.get(stage, ())}
    return [column for column in _FURTHER[stage].columns if column.name not in left_out]


def _page_column(column: Column, cells: Iterable[Any]) -> dict[str, Any]:
    make = text_column if column.kind == "text" else number_column
    return make(cells, column.meaning, column.unit)


def _video_columns(
    video_id: str, identity: str, results: Path, last: LastVerdicts
) -> dict[str, list[Any]]:
    """The cells of all columns of one video's rows, by the columns' names on the page."""
    ledger = _read(results, "segments", video_id, SEGMENTS)
    further = {stage: _read(results, stage, video_id, table) for stage, table in _FURTHER.items()}
    verdicts = last.judge(ledger, further["quality"])
    cells = {name: np.asarray(ledger)[name].tolist() for name in SEGMENTS.names}
    columns = {name: cells[name] for name in _NAMES}
    columns |= {name: [getattr(each, name) for each in verdicts] for name in Verdict._fields}
    columns["split"] = [last.sides.get(clip_id, "") for clip_id in cells["clip_id"]]
    columns["identity"] = [identity] * len(ledger)
    columns |= {f"segments.{name}": cells[name] for name in cells if name not in _NAMES}
    for stage, found in further.items():
        columns |= _joined(stage, found, cells["clip_id"])
    return columns


def _read(results: Path, stage: str, video_id: str, definition: Table) -> np.recarray:
    return read_table(results / STAGES[stage].manifest.format(video=video_id), definition)


def _joined(stage: str, found: np.recarray, clip_ids: Sequence[str]) -> dict[str, list[Any]]:
    """What a stage's table says of the candidates `clip_ids`, by the columns' names on the page;
    None, or no text, where it says nothing."""
    place = {clip_id: i for i, clip_id in enumerate(found.clip_id)}
    places = [place.get(clip_id) if clip_id else None for clip_id in clip_ids]
    columns = {}
    for column in _columns(stage):
        cells = np.asarray(found)[column.name].tolist()
        empty = "" if column.kind == "text" else None
        columns[f"{stage}.{column.name}"] = [empty if i is None else cells[i] for i in places]
    return columns
