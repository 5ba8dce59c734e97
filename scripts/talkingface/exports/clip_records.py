"""What clips.csv says of the clips, as records of plain values, and which of their files go in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from talkingface.exports.export_clips import ExportClip
from talkingface.settings.sources import local_path
from talkingface.stage import is_folder
from talkingface.stages import FEATURES, STAGES, Product, products_of
from talkingface.tables import Column, dataset_clips

# A text that readers of JSON such as pyarrow's take for a date when all of a column are like it.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def clip_record(clip: ExportClip) -> dict[str, Any]:
    """A clip's row of clips.csv without the paths: int, float, str, and None where it is empty.

    Of a source that is a local file it has the name only: where that lies on somebody's machine
    is nobody else's business.
    """
    record = {column.name: _plain(column, clip.row[column.name]) for column in _COLUMNS}
    path = local_path(clip.source)
    return record | {"source": path.name if path else clip.source}


def typed_columns(clips: Iterable[ExportClip]) -> list[str]:
    """The columns of `clip_record` that have one type whichever side is read, in order.

    Readers tell a column's type by what is in it. Left out are those that are empty in all clips of
    a side, and texts that are dates in all of them: they would have another type than on the other
    side, which such readers refuse.
    """
    typed: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        seen = typed[clip.side]
        for column in _COLUMNS:
            value = clip.row[column.name]
            if column.name not in seen and _tells_type(column, value):
                seen.add(column.name)
    return [
        column.name for column in _COLUMNS if all(column.name in side for side in typed.values())
    ]


def chosen_products(clip: ExportClip, features: Sequence[str] | None) -> list[Product]:
    """The products of a clip that go into an archive: those of the clips themselves and of
    `features`; where that is None, of all that were made but pictures of every frame and films."""
    if features is not None:
        return products_of(list(features))
    return products_of([name for name in _ONE_FILE if clip.has(STAGES[name].products[0].column)])


def _plain(column: Column, value: Any) -> Any:
    if column.kind == "text":
        return str(value)
    if value != value:
        return None
    return float(value) if column.kind == "float" else int(value)


def _tells_type(column: Column, value: Any) -> bool:
    if column.kind == "text":
        return value != "" and not _DATE.match(value)
    return bool(value == value)


_COLUMNS = dataset_clips().columns
# The features that are neither pictures of every frame nor films.
_ONE_FILE = tuple(
    name
    for name in FEATURES
    if name != "overlay" and not any(is_folder(product.path) for product in STAGES[name].products)
)
