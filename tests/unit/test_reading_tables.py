"""The lines of the docs that read the tables, on names that look like something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.paths import ROOT
from talkingface import tables
from talkingface.job.tables import table_of_rows, write_table
from talkingface.tables import Column

NAMES = ["NA", "null", "nan", "00012", "1e5", "TRUE", "None", "N-A", "-1", "007_000000_000075_00"]
README, OUTPUTS = (
    re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)
    for page in ("README.md", "docs/outputs.md")
)
READING, EXAMPLE = OUTPUTS
# Another block of the README is the loader's.
(README_READING,) = [lines for lines in README if "read_csv" in lines]
# Every kind of table that has names, and that of the whole dataset.
TABLES = {
    table.path: table
    for table in (*tables.tables_by_path().values(), tables.dataset_clips(("mfcc",)))
    if {"clip_id", "video_id"} & set(table.names)
}


def cell(column: Column, number: int) -> object:
    """A name in columns of text, a number in others, and nothing in some of the last row."""
    if column.kind == "text":
        names = ("clip_id", "video_id", "identity", "source")
        return NAMES[number] if column.name in names else f"clips/{NAMES[number]}"
    if number == len(NAMES) - 1 and column.kind != "int":
        return None
    return 3 if "int" in column.kind else 0.5


@pytest.mark.parametrize("lines", [READING, README_READING], ids=["outputs", "README"])
@pytest.mark.parametrize("path", TABLES)
def test_names_are_names_and_numbers_numbers(
    path: str, lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TABLES[path]
    rows = [[cell(column, number) for column in table.columns] for number in range(len(NAMES))]
    if "identity" in table.names:
        rows[3][table.names.index("identity")] = None
    written = tmp_path / "results/dataset/clips.csv"
    written.parent.mkdir(parents=True)
    write_table(table_of_rows(table, rows), written, table)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"pandas": pd}
    exec(lines, found)
    clips = found["clips"]
    for number, column in enumerate(table.columns):
        expected = [row[number] for row in rows]
        if column.outside:  # What a spreadsheet would take for a formula has a quote before it.
            expected = ["'-1" if value == "-1" else value for value in expected]
        if column.kind != "text":
            assert clips[column.name].dtype.kind in "if", column.name
        read = [None if value != value else value for value in clips[column.name].tolist()]
        assert read == expected, column.name


def test_pandas_alone_takes_them_for_something_else(tmp_path: Path) -> None:
    """Which is why the docs have a line for it."""
    (tmp_path / "clips.csv").write_text("video_id,n\n00012,1\nNA,2\n")
    assert pd.read_csv(tmp_path / "clips.csv").video_id.isna().tolist() == [False, True]
    assert pd.read_csv(tmp_path / "clips.csv").video_id[0] == 12


def test_the_example_after_it_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results/mfcc/NA").mkdir(parents=True)
    table = TABLES["dataset/clips.csv"]
    columns = [column.name for column in table.columns]
    row = {"landmarks": "mfcc/NA/points.npz", "mfcc": "mfcc/NA/mfcc.npy"}
    frame = pd.DataFrame([row | {name: "" for name in columns if name not in row}])
    np.savez(
        tmp_path / "results/mfcc/NA/points.npz",
        points68=np.zeros((5, 68, 2)),
        present=np.ones(5, bool),
    )
    np.save(tmp_path / "results/mfcc/NA/mfcc.npy", np.zeros((20, 39)))
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {"clips": frame}
    exec(EXAMPLE, found)
    assert found["points"].shape == (5, 68, 2) and found["mfcc"].shape == (20, 39)
