"""Tables as the report page reads them: by columns, text by a list of the different ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any

# Whole numbers up to here are the same number with and without a point.
_LARGEST_WHOLE = 2**53


def number_column(values: Iterable[Any], meaning: str, unit: str = "") -> dict[str, Any]:
    """A column of numbers; what is None or not finite is null, whole numbers have no point."""
    return {
        "kind": "number",
        "unit": unit,
        "meaning": meaning,
        "values": [_number(value) for value in values],
    }


def text_column(values: Iterable[str], meaning: str, unit: str = "") -> dict[str, Any]:
    """A column of text: `codes` has the place of every row's text in `texts`."""
    places: dict[str, int] = {}
    codes = [places.setdefault(value, len(places)) for value in values]
    return {
        "kind": "text",
        "unit": unit,
        "meaning": meaning,
        "texts": list(places),
        "codes": codes,
    }


def table(length: int, columns: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A table of `length` rows. Raises ValueError where a column has another length."""
    for name, column in columns.items():
        found: Sequence[Any] = column.get("values", column.get("codes"))
        if len(found) != length:
            raise ValueError(f"column {name} has {len(found)} rows, not {length}")
    return {"length": length, "columns": dict(columns)}


def _number(value: Any) -> int | float | None:
    if value is None or not isfinite(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < _LARGEST_WHOLE else number
