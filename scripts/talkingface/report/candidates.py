"""Every row of the ledgers as the report shows it: its last verdict and all that was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from talkingface.dataset.split import cell_text
from talkingface.job.tables import read_rows, read_table
from talkingface.report.columns import number_column, table, text_column
from talkingface.stages import STAGES
from talkingface.table import Column, Table
from talkingface.tables import CLIPS, POSE, PREVIEW, QUALITY, REJECTED, SEGMENTS

# What names a candidate and says what became of it; the other columns bear their stage's name.
_OWN = (
    "clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "n_frames", "verdict",
    "stage", "reason", "detail", "value", "threshold",
)  # fmt: skip
_VERDICT = ("verdict", "stage", "reason", "detail", "value", "threshold")
_SIDE = ("clip_id", "split")
_STAGES = {
    "segments": SEGMENTS,
    "clips": CLIPS,
    "quality": QUALITY,
    "pose": POSE,
    "preview": PREVIEW,
}


def candidates_table(videos: Sequence[Mapping[str, Any]], results: str | Path) -> dict[str, Any]:
    """A row for every row of the ledgers of `videos`, rows of videos.csv, in order.

    Columns of a candidate itself, such as `verdict`, are those of dataset/rejected.csv, so that of
    clips which the dataset left out they are the dataset's; `split` and `identity` are beside
    them. All others are called after stage and column, such as `quality.sharpness`, and
    `segments.verdict` is what the ledger itself says.
    """
    results = Path(results)
    sides = {row[0]: row[1] for row in read_rows(results / "dataset/clips.csv", _SIDE)}
    left_out = _left_out(results)
    rows: list[dict[str, Any]] = []
    for video in videos:
        rows += _rows(cell_text(video["video_id"]), cell_text(video.get("identity")), results)
    for row in rows:
        key = (row["video_id"], row["clip_id"], row["start_frame"])
        row["split"] = sides.get(row["clip_id"], "")
        row.update(left_out.get(key, {}))
    columns = {name: _column(column, name, rows) for name, column in _definitions().items()}
    columns["split"] = text_column((row["split"] for row in rows), "`train` or `eval`, where kept")
    columns["identity"] = text_column((row["identity"] for row in rows), "who, by videos.csv")
    return table(len(rows), columns)


def _definitions() -> dict[str, Column]:
    """The columns by their names on the page."""
    own = {column.name: column for column in SEGMENTS.columns if column.name in _OWN}
    of_stages = {
        f"{stage}.{column.name}": column
        for stage, definition in _STAGES.items()
        for column in definition.columns
        if column.name not in _OWN or (stage == "segments" and column.name in _VERDICT)
    }
    return own | of_stages


def _column(column: Column, name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if column.kind == "text":
        return text_column((row.get(name, "") for row in rows), column.meaning, column.unit)
    return number_column((row.get(name) for row in rows), column.meaning, column.unit)


def _rows(video_id: str, identity: str, results: Path) -> list[dict[str, Any]]:
    """The rows of one video's ledger, with what the other stages say of them."""
    tables = {stage: _by_clip(results, stage, video_id, table) for stage, table in _STAGES.items()}
    ledger = read_table(results / STAGES["segments"].manifest.format(video=video_id), SEGMENTS)
    rows = []
    for record in ledger:
        cells = dict(zip(SEGMENTS.names, record.tolist(), strict=True))
        row = {name: cells[name] for name in _OWN} | {"identity": identity}
        row |= {f"segments.{name}": cell for name, cell in cells.items()}
        for stage, found in tables.items():
            if stage != "segments" and row["clip_id"] in found:
                row |= found[row["clip_id"]]
        rows.append(row)
    return rows


def _by_clip(
    results: Path, stage: str, video_id: str, definition: Table
) -> dict[str, dict[str, Any]]:
    """The rows of a stage's table of a video by clip_id, with the page's names of the columns."""
    path = results / STAGES[stage].manifest.format(video=video_id)
    if not path.exists():
        return {}
    names = [f"{stage}.{name}" for name in definition.names]
    records = read_table(path, definition)
    return {record.clip_id: dict(zip(names, record.tolist(), strict=True)) for record in records}


def _left_out(results: Path) -> dict[tuple[str, str, float], dict[str, Any]]:
    """The last verdict on what is not in the dataset, by video, clip and first frame."""
    return {
        (row.video_id, row.clip_id, row.start_frame): {name: row[name] for name in _VERDICT}
        for row in read_table(results / "dataset/rejected.csv", REJECTED)
        if row.clip_id and isfinite(row.start_frame)
    }
