"""The list of videos, videos.csv: its only readers."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from talkingface.settings.schema import (
    MOST_LISTED,
    ConfigError,
    explain_error,
    list_faults,
    load_schema,
    open_validator,
    plain_checks,
    shortened,
)
from talkingface.settings.sources import local_path, video_id_fault
from talkingface.text import clean

# What is found between the cells of lists that were not saved with commas.
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
SURPLUS = "more cells than the header has"
MOST_BYTES = 1 << 30


def read_videos(path: str | Path) -> list[dict[str, str | None]]:
    """Read videos.csv: one dict a row with `video_id`, `source`, `identity`, `split`.

    The last two are None where they are not given. Raises ConfigError naming the file, the row
    (its line in the file) and what is allowed; all faults are listed at once, of many the first.
    """
    path = Path(path)
    schema = load_schema("videos")
    columns = list(schema["properties"])
    checks = _RowChecks(schema)
    first_lines: dict[str, int] = {}
    videos, shown, bad_rows = [], list[str](), 0
    for line, row in _read_rows(path, columns, schema["required"]):
        # File systems that fold case would write both to the same file.
        key = row.get("video_id", "").casefold()
        first_line = first_lines.setdefault(key, line) if key else line
        if first_line != line or not checks.accept(row):
            faults = checks.faults(row, first_line, line) if len(shown) < MOST_LISTED else [""]
            bad_rows += bool(faults)
            shown += [f"  line {line}: {fault}" for fault in faults if fault]
        if "identity" in row:  # Names get into logs and tables.
            row["identity"] = clean(row["identity"])
        videos.append({name: row.get(name) or None for name in columns})
    if bad_rows:
        several = len(shown) >= MOST_LISTED
        count = (
            f" {bad_rows:,} of {len(videos):,} rows cannot be used; the first:" if several else ""
        )
        raise ConfigError("\n".join([f"{path}:{count}", *shown[:MOST_LISTED]]))
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
    text = content.decode("utf-8")
    lines = list(io.StringIO(text, newline=""))
    plain = [line.removeprefix("\ufeff") if n == 0 else line for n, line in enumerate(lines)]
    reader = csv.reader(plain, skipinitialspace=True)
    place = [name.strip() for name in next(reader, [])].index("video_id")
    kept, begin = lines[: reader.line_num], reader.line_num
    for cells in reader:
        if len(cells) <= place or cells[place].strip() not in video_ids:
            kept += lines[begin : reader.line_num]
        begin = reader.line_num
    return "".join(kept).encode("utf-8")


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


def _was_used(record: Path) -> bool:
    """Whether a video's record says that it was read; one that is damaged may have said so."""
    try:
        return json.loads(record.read_bytes())["status"] == "ok"
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return True


class _RowChecks:
    """Whether a row is one, and what is wrong with it. The schema is asked only about rows that
    its plain checks do not accept, as it takes many times as long."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = open_validator(dict(schema))
        self._checks = plain_checks(schema)
        self._required = schema["required"]

    def accept(self, row: Mapping[str, str]) -> bool:
        checks = self._checks
        return (
            all(name in row for name in self._required)
            and all(name in checks and checks[name](cell) for name, cell in row.items())
            and video_id_fault(row["video_id"]) is None
        )

    def faults(self, row: Mapping[str, str], first_line: int, line: int) -> list[str]:
        """What is wrong with a row on `line`, whose video_id is first given on `first_line`."""
        lines = {name: len(cell.splitlines()) for name, cell in row.items()}
        found = [
            f"{name} goes on over {count} lines: is a quotation mark not closed?"
            for name, count in lines.items()
            if count > 1
        ]
        errors = self._validator.iter_errors(dict(row))
        found += [
            explain_error(error)
            for error in errors
            if lines.get(str(error.path[0]) if error.path else "", 1) == 1
        ]
        repeated = video_id_fault(row.get("video_id", ""))
        if repeated:
            found.append(f"video_id {shortened(repr(row['video_id']))} {repeated}")
        if first_line != line:
            found.append(
                f"video_id {shortened(repr(row['video_id']))} was already given on line "
                f"{first_line} (upper and lower case are one): each must be used once"
            )
        return found


def _read_rows(
    path: Path, columns: list[str], required: list[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header, each with its first line: cells that are not empty, by column.

    Raises ConfigError where the header is wrong, or there are no rows and cells.
    """
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), skipinitialspace=True)
    line = 1
    try:
        header = next(reader, [])
        _check_header(path, header, columns, required)
        line = reader.line_num + 1
        for cells in reader:
            row = {
                name: cell
                for name, cell in zip(header, map(str.strip, cells), strict=False)
                if cell
            }
            if len(cells) > len(header):
                row[SURPLUS] = ", ".join(cells[len(header) :])
            if cells:
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            reason = f"a cell of more than {csv.field_size_limit():,} characters"
            raise ConfigError(
                f"{path}: line {line}: {reason}: is a quotation mark not closed?"
            ) from error
        raise ConfigError(f"{path}: line {line}: {error}") from error


def _read_text(path: Path) -> str:
    """The text of the list; ConfigError where there is none."""
    if not path.exists():
        raise ConfigError(
            f"{path}: no such file. It lists the videos: video_id,source[,identity,split]"
        )
    if not path.is_file():
        raise ConfigError(f"{path}: a folder or a pipe, not a file. It lists the videos")
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(f"{path}: longer than {MOST_BYTES:,} bytes")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content[:2]:
        raise ConfigError(f"{path}: UTF-16 text, or none; save it as 'CSV UTF-8'")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}: not UTF-8 text (on line {line}); save it as 'CSV UTF-8'"
        ) from error


def _check_header(path: Path, header: list[str], columns: list[str], required: list[str]) -> None:
    if set(required) <= set(header) <= set(columns) and len(set(header)) == len(header):
        return
    for separator, name in SEPARATORS.items():
        if separator in "".join(header):
            raise ConfigError(
                f"{path}: line 1: its cells are separated by {name}: save it with commas"
            )
    meant = {name: name.strip().casefold().replace(" ", "_").replace("-", "_") for name in header}
    if set(required) <= set(meant.values()) <= set(columns) and len(meant) == len(header):
        odd = ", ".join(f"{given!r} for {name}" for given, name in meant.items() if given != name)
        raise ConfigError(
            f"{path}: line 1: names of columns are small letters and _, without blanks: got {odd}"
        )
    optional = [name for name in columns if name not in required]
    raise ConfigError(
        f"{path}: line 1: the header must have {', '.join(required)} and may have "
        f"{', '.join(optional)}, each once; got {shortened(', '.join(header)) or 'nothing'}"
    )
