"""A finished dataset without some of its videos, as far as its tables alone can tell.

What is left keeps its side. The next run makes the dataset again by its settings.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from talkingface.dataset.split import SIDES, same_recordings, split_groups
from talkingface.dataset.summary import Counts
from talkingface.job.files import atomic_path, damage_in, read_json, write_json
from talkingface.job.tables import OtherColumns, read_rows
from talkingface.text import plain_cell

TABLES = ("clips.csv", "train.csv", "eval.csv", "rejected.csv")
SUMMARY = "summary.json"
# Cells that are counted, the side of a clip first.
_CLIPS = ("split", "n_frames")
_REJECTED = ("stage", "reason", "clip_id", "start_frame", "n_frames")


def count_rows(folder: str | Path, video_ids: Collection[str]) -> dict[str, int]:
    """How many rows each of TABLES in `folder` has of these videos; of those that are there.

    Raises as `drop_rows`.
    """
    counts = {}
    for name in TABLES:
        if os.path.exists(Path(folder, name)):
            rows = read_rows(Path(folder, name), ("video_id",))
            counts[name] = sum(video in video_ids for (video,) in rows)
    return counts


def drop_rows(path: str | Path, video_ids: Collection[str]) -> int:
    """Take the rows of these videos out of a table of the dataset; how many there were.

    The others stay as they are. Raises OtherColumns where it has no column `video_id`, DamagedFile
    where it is damaged.
    """
    path, dropped = Path(path), 0
    with (
        damage_in(path, UnicodeError, csv.Error, IndexError),
        open(path, newline="", encoding="utf-8") as file,
        atomic_path(path) as partial,
        open(partial, "w", newline="", encoding="utf-8") as output,
    ):
        rows, writer = csv.reader(file), csv.writer(output, lineterminator="\n")
        header = next(rows, [])
        if "video_id" not in header:
            raise OtherColumns(f"{path}: it has no column video_id")
        place = header.index("video_id")
        writer.writerow(header)
        for row in rows:
            if row[place] in video_ids:
                dropped += 1
            else:
                writer.writerow(row)
    return dropped


def write_summary(
    folder: str | Path, records: Mapping[str, Mapping[str, Any]], order: Sequence[str]
) -> None:
    """Write summary.json in `folder` anew, of the tables there and the settings of the old one.

    records: of its videos, by download. order: of the list of videos. What was kept by hand no
    table tells, so of decisions nothing is counted.

    Raises DamagedFile or OtherColumns for a table or a record that cannot be read, and KeyError
    where a video has no record.
    """
    folder = Path(folder)
    split = read_json(folder / SUMMARY, "split")["split"]
    clips = _by_video(folder / "clips.csv", _CLIPS)
    rejected = _by_video(folder / "rejected.csv", _REJECTED)
    place = {video: number for number, video in enumerate(order)}
    # Every video has a row: where nothing was kept, one that says why.
    found = sorted({**clips, **rejected}, key=lambda video: (place.get(video, len(place)), video))
    videos = [
        {"video_id": video, **(clips.get(video) or rejected[video]).of_video} for video in found
    ]
    hashes = {video: _sha256(records[video]) for video in found}
    files = {video: sha256 for video, sha256 in hashes.items() if sha256}
    groups, counts = split_groups(videos, files), Counts(SIDES)
    for video_ids in same_recordings(videos, files):
        counts.add_recording(video_ids)
    for row in videos:
        video = row["video_id"]
        kept = clips.get(video, _Rows({}, []))
        counts.add(
            records[video],
            _columns(kept, _CLIPS),
            _columns(rejected.get(video, _Rows({}, [])), _REJECTED),
            side=kept.cells[0][0] if kept.cells else SIDES[0],
            identity=row["identity"],
            group=groups[video],
        )
    write_json(counts.summary(split["eval_fraction"], split["seed"]), folder / SUMMARY)


class _Rows(NamedTuple):
    """The rows of a table of one video: what they share, and cells of each."""

    of_video: dict[str, str]
    cells: list[tuple[str, ...]]


def _by_video(path: Path, names: tuple[str, ...]) -> dict[str, _Rows]:
    """The rows of every video with rows, by its name, with the cells `names`."""
    rows = read_rows(path, ("video_id", "identity", "source", *names))
    found = {}
    for video, group in groupby(rows, key=itemgetter(0)):
        # There are many rows, but few numbers and reasons.
        cells = [tuple(map(sys.intern, row[1:])) for row in group]
        shared = dict(zip(("identity", "source"), map(plain_cell, cells[0]), strict=False))
        found[video] = _Rows(shared, [row[2:] for row in cells])
    return found


def _columns(rows: _Rows, names: tuple[str, ...]) -> np.recarray:
    """Columns as the dataset's tables have them; numbers are NaN where there is none."""
    numbers = ("n_frames", "start_frame")
    table = np.zeros(len(rows.cells), [(n, float if n in numbers else object) for n in names])
    for place, name in enumerate(names):
        cells: list[Any] = [row[place] for row in rows.cells]
        if name in numbers:
            cells = [float(cell) if cell else np.nan for cell in cells]
        table[name] = cells
    return table.view(np.recarray)


def _sha256(record: Mapping[str, Any]) -> str:
    """That of a video's file, of one that could be had."""
    provenance = record.get("provenance") or {}
    return str(provenance.get("sha256") or "") if record.get("status") == "ok" else ""
