"""The dataset's table of clips, read again."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from talkingface.job.files import damage_in
from talkingface.job.tables import read_table
from talkingface.stages import PRODUCTS
from talkingface.tables import dataset_clips


def read_clip_table(path: str | Path) -> tuple[np.recarray, tuple[str, ...]]:
    """clips.csv, train.csv or eval.csv, and the columns of the products that it leads to.

    Which products there are depends on the features of the run that made it. Raises
    FileNotFoundError, OtherColumns where another version wrote it, DamagedFile where it is damaged.
    """
    with open(path, newline="", encoding="utf-8") as file, damage_in(path, UnicodeError, csv.Error):
        header = next(csv.reader(file), [])
    products = tuple(name for name in header if name in PRODUCTS)
    return read_table(path, dataset_clips(products)), products
