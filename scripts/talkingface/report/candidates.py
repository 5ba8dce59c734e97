"""Every row of the ledgers as the report shows it: its last verdict and all that was measured.

A row is put together by clip_id, which no two videos share. Columns are filled, not rows, as there
may be a hundred of one and a hundred thousand of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talkingface.clips.verdict import KEPT
from talkingface.dataset.split import cell_text
from talkingface.job.tables import read_rows, read_table
from talkingface.report.columns import number_column, table, text_column
from talkingface.stages import STAGES
from talkingface.table import Column, Table
from talkingface.tables import CLIPS, POSE, PREVIEW, QUALITY, REJECTED, SEGMENTS

# What became of a candidate.
_VERDICT = ("verdict", "stage", "reason", "detail", "value", "threshold")
# With what names it, its own columns; all others are called after their stage.
_OWN = ("clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "n_frames", *_VERDICT)
# The tables that say more of candidates than their ledger.
_FURTHER: dict[str, Table] = {"clips": CLIPS, "quality": QUALITY, "pose": POSE, "preview": PREVIEW}
# What `clips` takes over from the ledger is there once.
_REPEATED = {"clips": ("offset", "confidence", "probability", "speech_share")}
_ADDED = (
    Column("split", "text", "`train` or `eval`; empty where it is not in the dataset"),
    Column("identity", "text", "who speaks, by videos.csv"),
)
_SIDE = ("clip_id", "split")
_REMEDY = "delete results/dataset and run again"


class _Dataset(NamedTuple):
    """What the dataset says of candidates, by clip_id: the side of the split of those that it has,
    and the last verdict on those that it left out, as cells of `_VERDICT`."""

    sides: dict[str, str]
    left_out: dict[str, tuple[Any, ...]]


def candidates_table(videos: Sequence[Mapping[str, Any]], results: str | Path) -> dict[str, Any]:
    """A row for every row of the ledgers of `videos`, rows of videos.csv, in order.

    Columns of a candidate itself, such as `verdict`, are those of the ledger; of clips that the
    dataset left out `verdict` to `threshold` are the dataset's. `split` and `identity` are beside
    them. All others are called after stage and column, such as `quality.sharpness`, and
    `segments.verdict` is what the ledger itself says. A row without clip_id is a whole video, or,
    with a start_frame, a gap in one.

    Raises ValueError where the dataset is of other ledgers than there are, OtherColumns for a
    table of another version, DamagedFile for one that is damaged, and FileNotFoundError.
    """
    results = Path(results)
    dataset = _read_dataset(results)
    definitions = _definitions()
    columns: dict[str, list[Any]] = {name: [] for name in definitions}
    for video in videos:
        video_id, identity = cell_text(video["video_id"]), cell_text(video.get("identity"))
        for name, cells in _video_columns(video_id, identity, results, dataset).items():
            columns[name] += cells
    _check_complete(columns["clip_id"], dataset)
    return table(
        len(columns["clip_id"]),
        {name: _page_column(column, columns.pop(name)) for name, column in definitions.items()},
    )


def _definitions() -> dict[str, Column]:
    """The columns by their names on the page."""
    of_ledger = {column.name: column for column in SEGMENTS.columns}
    own = {name: of_ledger[name] for name in _OWN} | {column.name: column for column in _ADDED}
    ledger = {
        f"segments.{name}": column
        for name, column in of_ledger.items()
        if name not in _OWN or name in _VERDICT
    }
    further = {
        f"{stage}.{column.name}": column
        for stage, definition in _FURTHER.items()
        for column in _own_columns(stage, definition)
    }
    return own | ledger | further


def _own_columns(stage: str, definition: Table) -> list[Column]:
    """The columns of a stage's table that are not in the ledger."""
    left_out = {*_OWN, *_REPEATED.get(stage, ())}
    return [column for column in definition.columns if column.name not in left_out]


def _page_column(column: Column, cells: Iterable[Any]) -> dict[str, Any]:
    make = text_column if column.kind == "text" else number_column
    return make(cells, column.meaning, column.unit)


def _read_dataset(results: Path) -> _Dataset:
    rejected = read_table(results / "dataset/rejected.csv", REJECTED)
    cells = zip(*(rejected[name].tolist() for name in _VERDICT), strict=True)
    left_out = dict(zip(rejected.clip_id, cells, strict=True))
    left_out.pop("", None)
    sides = {row[0]: row[1] for row in read_rows(results / "dataset/clips.csv", _SIDE)}
    return _Dataset(sides, left_out)


def _video_columns(
    video_id: str, identity: str, results: Path, dataset: _Dataset
) -> dict[str, list[Any]]:
    """The cells of all columns of one video's rows, by the columns' names on the page."""
    ledger = read_table(results / STAGES["segments"].manifest.format(video=video_id), SEGMENTS)
    cells = {name: np.asarray(ledger)[name].tolist() for name in SEGMENTS.names}
    verdicts = list(zip(*(cells[name] for name in _VERDICT), strict=True))
    last = [
        _last_verdict(clip_id, verdict, dataset)
        for clip_id, verdict in zip(cells["clip_id"], verdicts, strict=True)
    ]
    columns = {name: cells[name] for name in _OWN}
    columns |= {name: [verdict[i] for verdict in last] for i, name in enumerate(_VERDICT)}
    columns["split"] = [dataset.sides.get(clip_id, "") for clip_id in cells["clip_id"]]
    columns["identity"] = [identity] * len(ledger)
    columns |= {
        f"segments.{name}": cells[name]
        for name in SEGMENTS.names
        if name not in _OWN or name in _VERDICT
    }
    for stage in _FURTHER:
        columns |= _joined(stage, video_id, cells["clip_id"], results)
    return columns


def _last_verdict(clip_id: str, verdict: tuple[Any, ...], dataset: _Dataset) -> tuple[Any, ...]:
    """The cells of `_VERDICT` of a row: the dataset's where it left a candidate out, else the
    ledger's, which are `verdict`."""
    is_kept = clip_id in dataset.sides
    if clip_id and is_kept == (clip_id in dataset.left_out):
        where = "both of" if is_kept else "neither of"
        raise ValueError(
            f"candidate {clip_id!r} is in {where} dataset/clips.csv and dataset/rejected.csv: "
            f"{_REMEDY}"
        )
    if is_kept and verdict[0] != KEPT.verdict:
        raise ValueError(
            f"clip {clip_id!r} is in dataset/clips.csv, but its ledger rejects it: {_REMEDY}"
        )
    return dataset.left_out.get(clip_id, verdict)


def _check_complete(clip_ids: Sequence[str], dataset: _Dataset) -> None:
    """Raise ValueError where the dataset has candidates that no ledger has."""
    alone = (dataset.sides.keys() | dataset.left_out.keys()).difference(clip_ids)
    if alone:
        raise ValueError(f"candidate {min(alone)!r} of the dataset is in no ledger: {_REMEDY}")


def _joined(
    stage: str, video_id: str, clip_ids: Sequence[str], results: Path
) -> dict[str, list[Any]]:
    """What a stage says of the candidates `clip_ids` of a video, by the columns' names on the page;
    None, or no text, where it says nothing."""
    definition = _FURTHER[stage]
    found = read_table(results / STAGES[stage].manifest.format(video=video_id), definition)
    place = {clip_id: i for i, clip_id in enumerate(found.clip_id)}
    places = [place.get(clip_id) if clip_id else None for clip_id in clip_ids]
    columns = {}
    for column in _own_columns(stage, definition):
        cells = np.asarray(found)[column.name].tolist()
        empty = "" if column.kind == "text" else None
        columns[f"{stage}.{column.name}"] = [empty if i is None else cells[i] for i in places]
    return columns
