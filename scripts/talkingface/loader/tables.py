"""The clips of one side of a dataset, as its tables list them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.dataset.clip_table import read_clip_table
from talkingface.job.tables import OtherColumns
from talkingface.loader.items import Item
from talkingface.stages import FEATURES, PRODUCTS

# The columns that are kept in memory, as arrays of numpy: lists of Python's objects would be copied
# little by little in processes that are forked.
_TEXT = ("clip_id", "video_id", "identity")
_NUMBERS = ("n_frames", "width", "height", "start_frame", "audio_shift")


@dataclass(frozen=True)
class ClipList:
    """Clips of several results folders: an array a column, and `folder` the number of the folder.

    `listed` is how many the tables have, before any was left out.
    """

    columns: dict[str, np.ndarray]
    listed: int

    def __len__(self) -> int:
        return len(self.columns["clip_id"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]


def read_clip_list(
    results: Sequence[Path],
    side: str,
    items: Iterable[Item],
    where: Callable[[np.record], bool] | None,
) -> ClipList:
    """The clips of `side` of the datasets in `results`, those for which `where` is true.

    Raises FileNotFoundError where a folder has no dataset, ValueError where it was made without
    what `items` need, lists other columns (job.tables.OtherColumns), or has none that `where` asks
    for.
    """
    items = list(items)
    parts, listed = [], 0
    for number, folder in enumerate(results):
        table = _read(folder, side, items)
        listed += len(table)
        if where is not None:
            table = table[_wanted(table, where, dataset_table(folder, side))]
        part = {name: np.array(table[name], str) for name in _TEXT}
        part |= {name: np.array(table[name], np.int64) for name in _NUMBERS}
        parts.append(part | {"folder": np.full(len(table), number)})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return ClipList(columns, listed)


def _wanted(table: np.recarray, where: Callable[[np.record], bool], path: Path) -> np.ndarray:
    """(rows,) bool of what `where` says."""
    try:
        return np.array([bool(where(row)) for row in table], bool)
    except (AttributeError, ValueError) as error:
        # Most often a column is misspelt, of which numpy's words do not say which there are.
        columns = ", ".join(table.dtype.names or ())
        raise ValueError(f"{path}: `where` fails: {error}. The columns are: {columns}") from error


def dataset_table(folder: Path, side: str) -> Path:
    """The table that lists the clips of a side."""
    return folder / "dataset" / f"{side}.csv"


def _read(folder: Path, side: str, items: Sequence[Item]) -> np.recarray:
    path = dataset_table(folder, side)
    if not path.is_file():
        hint = "give the `results` folder of a run that is finished"
        for near in (folder / "results", folder.parent):
            if dataset_table(near, side).is_file():
                hint = f"give the folder {near}"
        raise FileNotFoundError(f"{path} is not there: {hint}")
    # Before it is asked for what is in it: of another version it may lack that, too.
    try:
        table, products = read_clip_table(path)
    except OtherColumns as error:
        raise OtherColumns(
            f"{error} by the workflow, or install the version of the loader that made it"
        ) from None
    for item in items:
        if not set(item.columns) <= set(products):
            raise ValueError(_lacking(path, item, products))
    return table


def _lacking(path: Path, item: Item, products: Sequence[str]) -> str:
    made = {PRODUCTS[name][0].name for name in products}
    features = [name for name in FEATURES if name in made or name == item.feature]
    return (
        f"{path} has no column {item.columns[0]}: the item {item.name!r} was not made. Add "
        f"{item.feature} to the settings, `features: [{', '.join(features)}]`, and run again"
    )
