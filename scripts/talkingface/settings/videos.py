"""The list of videos, videos.csv: its only readers."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from talkingface.settings import lists
from talkingface.settings.lists import Faults, RowChecks, read_rows
from talkingface.settings.schema import ConfigError, list_faults, load_schema, shortened
from talkingface.settings.sources import local_path, video_id_fault
from talkingface.text import clean

_PURPOSE = "It lists the videos: video_id,source[,identity,split]"


def read_videos(path: str | Path) -> list[dict[str, str | None]]:
    """Read videos.csv: one dict a row with `video_id`, `source`, `identity`, `split`.

    The last two are None where they are not given. Raises ConfigError naming the file, the row
    (its line in the file) and what is allowed; all faults are listed at once, of many the first.
    """
    path = Path(path)
    schema = load_schema("videos")
    columns = list(schema["properties"])
    checks, faults = RowChecks(schema), Faults(path)
    first_lines: dict[str, int] = {}
    videos: list[dict[str, str | None]] = []
    for line, row in read_rows(path, columns, schema["required"], _PURPOSE):
        # File systems that fold case would write both to the same file.
        key = row.get("video_id", "").casefold()
        first_line = first_lines.setdefault(key, line) if key else line
        if first_line != line or not checks.accept(row) or video_id_fault(row["video_id"]):
            faults.add(line, _faults(checks, row, first_line, line))
        if "identity" in row:  # Names get into logs and tables.
            row["identity"] = clean(row["identity"])
        videos.append({name: row.get(name) or None for name in columns})
    faults.refuse(len(videos))
    return videos


def list_video_ids(path: str | Path) -> list[str]:
    """The video_ids of a videos.csv, unchecked: for looking at a run, which may be older."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        return [row["video_id"].strip() for row in rows if row.get("video_id")]


def without_rows(content: bytes, video_ids: Collection[str]) -> bytes:
    """A list of videos without the rows of `video_ids`; all the rest stays byte for byte.

    Raises UnicodeDecodeError and csv.Error where `read_videos` would refuse it.
    """
    return lists.without_rows(content, "video_id", lambda video_id: video_id in video_ids)


def refuse_vanished(videos: Iterable[dict[str, str | None]], records: str | Path) -> None:
    """Raise ConfigError when local files are gone from which results were already made.

    A disk that is not mounted must not turn finished videos into missing ones. `records` is the
    folder of the videos' records by download.
    """
    try:
        recorded = set(os.listdir(records))
    except OSError:
        return
    gone = []
    for row in videos:
        name = f"{row['video_id']}.json"
        path = local_path(str(row["source"])) if name in recorded else None
        # Not Path.exists, which raises where a folder is closed or a name too long.
        if path is None or os.path.exists(path):
            continue
        if _was_used(Path(records, name)):
            gone.append(f"{row['video_id']}: {path}")
    if gone:
        raise ConfigError(
            "These files were used before and are gone. Bring them back (is a disk not mounted?), "
            f"or take their rows out of the list of videos:\n{list_faults(gone, len(gone))}"
        )


def describe_absent(videos: Collection[Mapping[str, str | None]], path: str | Path) -> str:
    """What a list, read from `path`, has too little of, as text: rows, or files that its rows name.

    Empty where it has all. A file that is not there is no fault: it may be made in time, and else
    the ledger has the video as missing. But of a misspelt folder one wants to hear at once.
    """
    if not videos:
        return f"{path} lists no video. {_PURPOSE}"
    absent = []
    for row in videos:
        file = local_path(str(row["source"]))
        if file is not None and not os.path.exists(file):
            absent.append(f"{row['video_id']}: {file}")
    if not absent:
        return ""
    return (
        f"Files that {path} lists and that are not there: {len(absent)} of {len(videos)} videos. "
        f"They are noted as missing; mend their rows and run again.\n"
        f"{list_faults(absent, len(absent))}"
    )


def _was_used(record: Path) -> bool:
    """Whether a video's record says that it was read; one that is damaged may have said so."""
    try:
        return json.loads(record.read_bytes())["status"] == "ok"
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return True


def _faults(checks: RowChecks, row: Mapping[str, str], first_line: int, line: int) -> Iterator[str]:
    """What is wrong with a row on `line`, whose video_id is first given on `first_line`."""
    yield from checks.faults(row)
    video_id = row.get("video_id", "")
    repeated = video_id_fault(video_id)
    if repeated:
        yield f"video_id {shortened(repr(video_id))} {repeated}"
    if first_line != line:
        yield (
            f"video_id {shortened(repr(video_id))} was already given on line {first_line} (upper "
            "and lower case are one): each must be used once"
        )
