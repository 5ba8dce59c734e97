"""The list of videos, videos.csv: its only readers."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path

from talkingface.settings.schema import ConfigError, explain_error, load_schema, open_validator
from talkingface.settings.sources import local_path, video_id_fault
from talkingface.text import clean


def read_videos(path: str | Path) -> list[dict[str, str | None]]:
    """Read videos.csv: one dict a row with `video_id`, `source`, `identity`, `split`.

    The last two are None where they are not given. Raises ConfigError naming the file, the row
    (its line in the file) and what is allowed; all faults are listed at once.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such file. It lists the videos: video_id,source[,identity,split]"
        )
    schema = load_schema("videos")
    columns = schema["properties"]
    validator = open_validator(schema)
    faults: list[str] = []
    first_lines: dict[str, int] = {}
    videos = []
    for line, row in _read_rows(path, list(columns), schema["required"]):
        given = {
            key: value.strip() if isinstance(value, str) else value for key, value in row.items()
        }
        # Names get into logs and tables.
        if isinstance(given.get("identity"), str):
            given["identity"] = clean(given["identity"])
        given = {key: value for key, value in given.items() if value not in ("", None)}
        repeated = video_id_fault(str(given.get("video_id", "")))
        if repeated:
            faults.append(f"line {line}: video_id {given['video_id']!r} {repeated}")
        faults += [
            f"line {line}: {explain_error(e, 'the column')}" for e in validator.iter_errors(given)
        ]
        # File systems that fold case would write both to the same file.
        key = str(given.get("video_id", "")).casefold()
        if key and key in first_lines:
            faults.append(
                f"line {line}: video_id {given['video_id']!r} was already given on line "
                f"{first_lines[key]} (upper and lower case are one): each must be used once"
            )
        first_lines.setdefault(key, line)
        videos.append({name: given.get(name) for name in columns})
    if faults:
        raise ConfigError(f"{path}:\n" + "\n".join(f"  {fault}" for fault in faults))
    return videos


def list_video_ids(path: str | Path) -> list[str]:
    """The video_ids of a videos.csv, unchecked: for looking at a run, which may be older."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        return [row["video_id"].strip() for row in rows if row.get("video_id")]


def refuse_vanished(videos: Iterable[dict[str, str | None]], records: str | Path) -> None:
    """Raise ConfigError when local files are gone from which results were already made.

    A disk that is not mounted must not turn finished videos into missing ones. `records` is the
    folder of the videos' records by download.
    """
    gone = []
    for row in videos:
        path = local_path(str(row["source"]))
        record = Path(records, f"{row['video_id']}.json")
        # Not Path.exists, which raises where a folder is closed or a name too long.
        if path is None or os.path.exists(path) or not record.exists():
            continue
        if json.loads(record.read_text("utf-8"))["status"] == "ok":
            gone.append(f"  {row['video_id']}: {path}")
    if gone:
        raise ConfigError(
            "These files were used before and are gone. Bring them back (is a disk not mounted?), "
            "or take their rows out of the list of videos:\n" + "\n".join(gone)
        )


def _read_rows(
    path: Path, columns: list[str], required: list[str]
) -> list[tuple[int, dict[str, str | None]]]:
    """The rows below the header, each with its line; ConfigError where the header is wrong."""
    try:
        path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; save it as 'CSV UTF-8'") from error
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(
            file, restkey="more cells than the header has", skipinitialspace=True
        )
        header = reader.fieldnames or []
        missing = [name for name in required if name not in header]
        unknown = [name for name in header if name not in columns]
        if missing or unknown or len(set(header)) != len(header):
            raise ConfigError(
                f"{path}: line 1: the header must have {', '.join(required)} and may have "
                f"{', '.join(name for name in columns if name not in required)}, each once; got "
                f"{', '.join(header) or 'nothing'}"
            )
        return [(reader.line_num, row) for row in reader]
