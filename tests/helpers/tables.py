"""Tables on disk as pandas reads them, whichever they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from talkingface import tables

TEXT = {
    column.name
    for table in (*tables.tables_by_path().values(), tables.dataset_clips())
    for column in table.columns
    if column.kind == "text"
}


def read_frame(path: str | Path) -> pd.DataFrame:
    """A table: text as it is, also where it is empty, and numbers, where an empty cell is NaN."""
    names = pd.read_csv(path, nrows=0).columns
    numbers = [name for name in names if name not in TEXT]
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    # What is not a number is the path of a product.
    for name in numbers:
        values = pd.to_numeric(frame[name].replace("", None), errors="coerce")
        if values.notna().sum() == (frame[name] != "").sum():
            frame[name] = values
    return frame
