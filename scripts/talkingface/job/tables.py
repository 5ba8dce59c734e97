"""Reading and writing the tables that `talkingface.tables` describes.

In memory a table is a numpy record array: `table["x"]` is a column, `table[mask]` some of its
rows, `row.x` a cell while one goes through the rows. pandas would do as well, but importing it
takes longer than most jobs' work.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.job.files import DamagedFile, atomic_path, damage_in
from talkingface.tables import Column, Kind, Table
from talkingface.text import plain_cell, spreadsheet_cell

DTYPES: dict[Kind, type] = {"int": np.int64, "optional int": float, "float": float, "text": object}


class OtherColumns(ValueError):
    """A table whose columns are not those that are expected."""


def empty_table(definition: Table, length: int = 0) -> np.recarray:
    """A table of `length` rows: zeros, and no text."""
    return _empty(definition, length).view(np.recarray)


def table_of_columns(definition: Table, columns: Mapping[str, Any]) -> np.recarray:
    """A table from the values of all its columns: sequences of one length, or single values.

    None is NaN in a column of numbers and "" in one of text. Raises ValueError where columns are
    missing or unknown, or not of one length.
    """
    if set(columns) != set(definition.names):
        odd = sorted(set(columns) ^ set(definition.names))
        raise ValueError(f"{definition.path}: columns missing or unknown: {', '.join(odd)}")
    lengths = {len(values) for values in columns.values() if _is_sequence(values)}
    if len(lengths) > 1:
        raise ValueError(f"{definition.path}: columns of {sorted(lengths)} rows")
    table = _empty(definition, lengths.pop() if lengths else 1)
    for column in definition.columns:
        values = columns[column.name]
        if _is_sequence(values):
            table[column.name] = _filled(column, values)
        else:
            table[column.name] = _filled(column, [values])[0]
    return table.view(np.recarray)


def table_of_rows(
    definition: Table, rows: Iterable[Mapping[str, Any] | Sequence[Any]]
) -> np.recarray:
    """A table from its rows: mappings, where what is not given is empty, or whole sequences."""
    rows = list(rows)
    table = _empty(definition, len(rows))
    for i, column in enumerate(definition.columns):
        cells = [row.get(column.name) if isinstance(row, Mapping) else row[i] for row in rows]
        table[column.name] = _filled(column, cells)
    return table.view(np.recarray)


def read_table(path: str | Path, definition: Table) -> np.recarray:
    """Read a table that `write_table` wrote.

    Raises ValueError, naming the file, where its header is not the definition's, which another
    version may have written, and DamagedFile where a row has not all cells, a cell is no number, or
    the last line has no end.
    """
    with open(path, newline="", encoding="utf-8") as file, damage_in(path, UnicodeError, csv.Error):
        reader = csv.reader(file)
        header = next(reader, [])
        if not header:
            raise DamagedFile(path, "it has no header")
        check_columns(path, header, definition)
        rows = list(reader)
    with open(path, "rb") as binary:
        binary.seek(-1, os.SEEK_END)
        if binary.read() != b"\n":
            raise DamagedFile(path, "its last line is cut")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise DamagedFile(path, f"line {number}: {len(row)} cells, but {len(header)} columns")
    table = _empty(definition, len(rows))
    for column, cells in zip(definition.columns, zip(*rows, strict=True), strict=False):
        try:
            table[column.name] = _parsed(column, cells)
        except (ValueError, OverflowError) as error:
            raise DamagedFile(path, f"column {column.name}: {error}") from None
    return table.view(np.recarray)


def check_columns(path: str | Path, header: Sequence[str], definition: Table) -> None:
    """Raise OtherColumns where the header of a table is not the definition's."""
    if list(header) == definition.names:
        return
    odd = [name for name in header if name not in definition.names]
    lacking = [name for name in definition.names if name not in header]
    which = [f"it has {', '.join(odd)}"] * bool(odd)
    which += [f"it lacks {', '.join(lacking)}"] * bool(lacking)
    raise OtherColumns(
        f"{path}: its columns are not those of this version: "
        f"{', '.join(which) or 'they stand in another order'}; delete it to have it made again"
    )


def read_rows(path: str | Path, columns: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The cells of some columns of a table, row by row, as text: for tables that are long.

    Raises OtherColumns where the table has not all `columns`, and DamagedFile as `read_table`,
    when the damage is come to.
    """
    with open(path, newline="", encoding="utf-8") as file, damage_in(path, UnicodeError, csv.Error):
        rows = csv.reader(file)
        header = next(rows, [])
        lacking = [name for name in columns if name not in header]
        if lacking:
            raise OtherColumns(
                f"{path}: it has no column {lacking[0]}; delete it to have it made again"
            )
        places = [header.index(name) for name in columns]
        for number, row in enumerate(rows, start=2):
            if len(row) != len(header):
                raise DamagedFile(
                    path, f"line {number}: {len(row)} cells, but {len(header)} columns"
                )
            yield tuple(row[place] for place in places)


def write_table(table: np.recarray, path: str | Path, definition: Table) -> None:
    """Write a table as csv with a header line, also when it has no rows.

    Numbers are written with as many digits as it takes to read the same number again, text from
    outside so that no spreadsheet takes it for a formula.
    """
    with table_writer(path, definition) as append:
        append(table)


@contextmanager
def table_writer(path: str | Path, definition: Table) -> Iterator[Callable[[np.recarray], None]]:
    """Write a table part by part, as `write_table` does the whole: gives what appends a part."""
    with atomic_path(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(definition.names)

        def append(table: np.recarray) -> None:
            plain = np.asarray(table)
            columns = [_written(column, plain[column.name]) for column in definition.columns]
            writer.writerows(zip(*columns, strict=True))

        yield append


def _empty(definition: Table, length: int) -> np.ndarray:
    """As `empty_table`, but no record array yet, which takes ten times as long for a column."""
    dtype = np.dtype([(column.name, DTYPES[column.kind]) for column in definition.columns])
    table = np.zeros(length, dtype)
    for column in definition.columns:
        if column.kind == "text":
            table[column.name] = ""
    return table


def _is_sequence(values: Any) -> bool:
    return isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)


def _filled(column: Column, values: Any) -> Any:
    empty = "" if column.kind == "text" else np.nan
    if isinstance(values, np.ndarray) and column.kind != "text":
        return values
    return [empty if value is None else value for value in values]


def _parsed(column: Column, cells: Sequence[str]) -> Any:
    if column.kind == "text":
        return [plain_cell(cell) for cell in cells] if column.outside else cells
    if column.kind == "int":
        # What was once written beside an empty cell is "3.0".
        return [int(cell) if cell.lstrip("-").isdigit() else int(float(cell)) for cell in cells]
    return [float(cell) if cell else np.nan for cell in cells]


def _written(column: Column, values: np.ndarray) -> list[Any]:
    cells = values.tolist()
    if column.kind == "optional int":
        return ["" if cell != cell else int(cell) for cell in cells]
    if column.kind == "float":
        return ["" if cell != cell else cell for cell in cells]
    return [spreadsheet_cell(cell) for cell in cells] if column.outside else cells
