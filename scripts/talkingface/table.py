"""What a table on disk is, and the columns that many have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# `optional int` is a whole number or an empty cell, in memory float64 with NaN; an empty `float`
# is NaN too, an empty `text` is "".
Kind = Literal["int", "optional int", "float", "text"]


@dataclass(frozen=True)
class Column:
    """One column of a table; `unit` is empty for what has none.

    `outside` is text that users and sites write: a cell of it that a spreadsheet would take for a
    formula has ' before it in the file.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    outside: bool = False


@dataclass(frozen=True)
class Table:
    """A table on disk: where it lies, what one row stands for, and its columns in order."""

    path: str
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]


def manifest(stage: str, *columns: Column) -> Table:
    """The table that lists what a stage made of a video's clips."""
    return Table(f"{stage}/{{video}}.csv", "a clip", (CLIP_ID, N_FRAMES, *columns))


CLIP_ID = Column("clip_id", "text", "name of the clip; empty where a row is a video or a gap")
N_FRAMES = Column("n_frames", "int", "length", "frames")
FRAME = Column("frame", "int", "frame of the clip, from 0")
PRESENT = Column("present", "int", "1 where the mesh found the face, else 0")
BACKEND = Column("backend", "text", "the backend that made it")
SHA256 = Column("sha256", "text", "hash of the weights, of several one after the other")
