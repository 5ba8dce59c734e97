from __future__ import annotations

from pathlib import Path

import pytest

from talkingface.job.tables import read_table, table_of_rows, table_writer, write_table
from talkingface.tables import SCENES

ROWS = [(0, 0, 10), (1, 10, 25), (2, 25, 40)]


def test_parts_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    whole = table_of_rows(SCENES, ROWS)
    write_table(whole, tmp_path / "whole.csv", SCENES)
    with table_writer(tmp_path / "parts.csv", SCENES) as append:
        for part in (whole[:0], whole[:2], whole[2:]):
            append(part)
        assert not (tmp_path / "parts.csv").exists()
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert read_table(tmp_path / "parts.csv", SCENES).tolist() == ROWS


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(KeyError), table_writer(tmp_path / "parts.csv", SCENES) as append:
        append(table_of_rows(SCENES, ROWS))
        raise KeyError
    assert not list(tmp_path.iterdir())
