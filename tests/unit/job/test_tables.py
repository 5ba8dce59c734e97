from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkingface.job.files import DamagedFile
from talkingface.job.tables import (
    OtherColumns,
    empty_table,
    read_rows,
    read_table,
    table_of_columns,
    table_of_rows,
    table_writer,
    write_table,
)
from talkingface.tables import SCENES, Column, Table

ROWS = [(0, 0, 10), (1, 10, 25), (2, 25, 40)]
MIXED = Table(
    "mixed/{video}.csv",
    "a row",
    (
        Column("video_id", "text", "a name"),
        Column("reason", "text", "words"),
        Column("track", "optional int", "a number or nothing"),
        Column("frame", "int", "a number"),
        Column("x", "float", "a number or nothing"),
    ),
)


def test_text_stays_text_and_a_gap_a_gap(tmp_path: Path) -> None:
    rows = [("007", "", 1, 3, 0.1 + 0.2), ("NA", 'a, "b"\nc', None, -4, None)]
    write_table(table_of_rows(MIXED, rows), tmp_path / "t.csv", MIXED)
    assert (tmp_path / "t.csv").read_text() == (
        'video_id,reason,track,frame,x\n007,,1,3,0.30000000000000004\nNA,"a, ""b""\nc",,-4,\n'
    )
    read = read_table(tmp_path / "t.csv", MIXED)
    assert read["video_id"].tolist() == ["007", "NA"]
    assert read["reason"].tolist() == ["", 'a, "b"\nc']
    assert read["frame"].dtype == np.int64 and read["frame"].tolist() == [3, -4]
    np.testing.assert_array_equal(read["track"], [1, np.nan])
    np.testing.assert_array_equal(read["x"], [0.1 + 0.2, np.nan])


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    write_table(empty_table(SCENES), tmp_path / "t.csv", SCENES)
    assert (tmp_path / "t.csv").read_text() == "scene,start_frame,end_frame\n"
    read = read_table(tmp_path / "t.csv", SCENES)
    assert len(read) == 0 and list(read.dtype.names) == SCENES.names


def test_rows_and_columns_make_the_same_table() -> None:
    rows = [{"frame": 1, "video_id": "a", "x": 2.5}, {"frame": 2, "video_id": "a", "track": 7}]
    columns = {
        "video_id": "a",
        "reason": "",
        "track": [None, 7],
        "frame": np.array([1, 2]),
        "x": [2.5, None],
    }
    by_rows, by_columns = table_of_rows(MIXED, rows), table_of_columns(MIXED, columns)
    for name in MIXED.names:
        np.testing.assert_array_equal(by_rows[name], by_columns[name])


def test_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="missing or unknown: end_frame, ends"):
        table_of_columns(SCENES, {"scene": [0], "start_frame": [0], "ends": [1]})
    with pytest.raises(ValueError, match=r"columns of \[1, 2\] rows"):
        table_of_columns(SCENES, {"scene": [0], "start_frame": [0, 1], "end_frame": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("scene,start_frame\n0,1\n", "of this version: it lacks end_frame; delete it"),
        ("scene,start_frame,end_frame,x\n0,1,2,3\n", "of this version: it has x; delete it"),
        ("scene,start,end\n0,1,2\n", "it has start, end, it lacks start_frame, end_frame;"),
        ("scene,end_frame,start_frame\n0,2,1\n", "they stand in another order"),
        ("", "it has no header"),
        ("scene,start_frame,end_frame\n0,1,2\n1,2\n", "line 3: 2 cells, but 3 columns"),
        ("scene,start_frame,end_frame\n0,1,12", "its last line is cut"),
        ("scene,start_frame,end_frame", "its last line is cut"),
        ("scene,start_frame,end_frame\n0,1,no\n", "column end_frame: could not convert"),
        ("scene,start_frame,end_frame\n0,1,\0\n", "column end_frame: "),
        ("scene,start_frame,end_frame\n0,1,\udcff\n", "can't decode byte 0xff"),
    ],
)
def test_a_table_that_is_another_or_cut_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text, "utf-8", "surrogateescape")
    with pytest.raises(ValueError, match=message) as caught:
        read_table(tmp_path / "t.csv", SCENES)
    assert str(tmp_path / "t.csv") in str(caught.value)


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


def test_text_from_outside_is_written_for_spreadsheets_and_read_as_it_was(tmp_path: Path) -> None:
    words = ["=1+1", "+x", "-x", "@x", "'=x", "'x", "a=b", "", "\ttab"]
    definition = Table(
        "t.csv",
        "a row",
        (Column("own", "text", "ours"), Column("theirs", "text", "words", outside=True)),
    )
    table = table_of_columns(definition, {"own": words, "theirs": words})
    write_table(table, tmp_path / "t.csv", definition)
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert lines[1] == "=1+1,'=1+1" and lines[5] == "'=x,''=x" and lines[6] == "'x,'x"
    read = read_table(tmp_path / "t.csv", definition)
    assert read["own"].tolist() == words and read["theirs"].tolist() == words


def test_some_columns_are_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(
        table_of_rows(MIXED, [("a", 'x, "y"', 1, 3, 0.5), ("b", "", None, 4, None)]), path, MIXED
    )
    assert list(read_rows(path, ("x", "video_id", "reason"))) == [
        ("0.5", "a", 'x, "y"'),
        ("", "b", ""),
    ]
    with pytest.raises(OtherColumns, match=r"t.csv: it has no column z"):
        list(read_rows(path, ("x", "z")))
    path.write_text("x,y\n1,2\n3\n")
    rows = read_rows(path, ("y",))
    assert next(rows) == ("2",)
    with pytest.raises(DamagedFile, match=r"line 3: 1 cells, but 2 columns"):
        next(rows)
