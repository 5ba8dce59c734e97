"""Lists that people write: csv files that are read row by row and checked against a schema."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface.settings.schema import (
    MOST_LISTED,
    ConfigError,
    explain_error,
    open_validator,
    plain_checks,
    shortened,
)

# What is found between the cells of lists that were not saved with commas.
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
SURPLUS = "more cells than the header has"
MOST_BYTES = 1 << 30


def read_rows(
    path: Path, columns: Sequence[str], required: Sequence[str], purpose: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows below the header, each with its first line: cells that are not empty, by column.

    required: the columns that the header must have, of all `columns` that it may have. purpose:
    what the list is for, in a few words, which is said where it is no file.

    Raises ConfigError where the header is wrong, or there are no rows and cells.
    """
    reader = csv.reader(io.StringIO(_read_text(path, purpose), newline=""), skipinitialspace=True)
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


def without_rows(content: bytes, column: str, is_gone: Callable[[str], bool]) -> bytes:
    """A list without the rows whose cell of `column` is gone; the rest stays byte for byte.

    Raises ValueError, of which UnicodeDecodeError is one, and csv.Error where it is no such list.
    """
    text = content.decode("utf-8")
    lines = list(io.StringIO(text, newline=""))
    plain = [line.removeprefix("\ufeff") if n == 0 else line for n, line in enumerate(lines)]
    reader = csv.reader(plain, skipinitialspace=True)
    place = [name.strip() for name in next(reader, [])].index(column)
    kept, begin = lines[: reader.line_num], reader.line_num
    for cells in reader:
        if len(cells) <= place or not is_gone(cells[place].strip()):
            kept += lines[begin : reader.line_num]
        begin = reader.line_num
    return "".join(kept).encode("utf-8")


class Faults:
    """What is wrong with the rows of a list: of many faults the first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown: list[str] = []
        self._bad_rows = 0

    def add(self, line: int, faults: Iterable[str]) -> None:
        """Note the faults of the row on `line`; they are not looked at where enough are known."""
        found = list(faults) if len(self._shown) < MOST_LISTED else [""]
        self._bad_rows += bool(found)
        self._shown += [f"  line {line}: {fault}" for fault in found if fault]

    def refuse(self, rows: int) -> None:
        """Raise ConfigError where there are faults; `rows` is how many rows the list has."""
        if not self._bad_rows:
            return
        several = len(self._shown) >= MOST_LISTED
        count = (
            f" {self._bad_rows:,} of {rows:,} rows cannot be used; the first:" if several else ""
        )
        raise ConfigError("\n".join([f"{self._path}:{count}", *self._shown[:MOST_LISTED]]))


class RowChecks:
    """Whether a row is one, and what is wrong with it. The schema is asked only about rows that
    its plain checks do not accept, as it takes many times as long."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._validator = open_validator(dict(schema))
        self._checks = plain_checks(schema)
        self._required = schema["required"]

    def accept(self, row: Mapping[str, str]) -> bool:
        """Whether the plain checks find nothing wrong."""
        checks = self._checks
        return all(name in row for name in self._required) and all(
            name in checks and checks[name](cell) for name, cell in row.items()
        )

    def faults(self, row: Mapping[str, str]) -> Iterator[str]:
        """What is wrong with a row by the schema."""
        lines = {name: len(cell.splitlines()) for name, cell in row.items()}
        for name, count in lines.items():
            if count > 1:
                yield f"{name} goes on over {count} lines: is a quotation mark not closed?"
        for error in self._validator.iter_errors(dict(row)):
            if lines.get(str(error.path[0]) if error.path else "", 1) == 1:
                yield explain_error(error)


def _read_text(path: Path, purpose: str) -> str:
    """The text of the list; ConfigError where there is none."""
    if not path.exists():
        raise ConfigError(f"{path}: no such file. {purpose}")
    if not path.is_file():
        raise ConfigError(f"{path}: a folder or a pipe, not a file. {purpose}")
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


def _check_header(
    path: Path, header: Sequence[str], columns: Sequence[str], required: Sequence[str]
) -> None:
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
