from __future__ import annotations

import json
import math

import pytest

from talkingface.report.columns import number_column, table, text_column


def test_numbers_are_the_same_doubles_in_the_file() -> None:
    """Whole ones have no point, so that they are short; what is not measured is null."""
    numbers = [0.1 + 0.2, 1e-300, -7.0, 3, 2.0**53, 1e22, 5e-324, 0.95, math.pi]
    column = number_column([*numbers, math.nan, None, math.inf, -math.inf], "a meaning", "dB")
    values = json.loads(json.dumps(column["values"]))
    assert values == [*numbers, None, None, None, None]
    assert json.dumps(column["values"][2:4]) == "[-7, 3]"
    assert (column["kind"], column["meaning"], column["unit"]) == ("number", "a meaning", "dB")


def test_a_text_is_there_once() -> None:
    cells = ["b", "", "a", "b", "b", ""]
    column = text_column(cells, "a meaning")
    assert [column["texts"][code] for code in column["codes"]] == cells
    assert sorted(column["texts"]) == ["", "a", "b"]


def test_columns_have_one_length() -> None:
    columns = {"x": number_column([1, 2], ""), "y": text_column(["a"], "")}
    with pytest.raises(ValueError, match="column y has 1 rows, not 2"):
        table(2, columns)
    assert table(2, {"x": columns["x"]})["length"] == 2
