"""What a stage makes of every clip of a video, and the table that lists it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from talkingface.job.files import atomic_path
from talkingface.job.progress import Progress
from talkingface.job.tables import table_of_rows, write_table
from talkingface.tables import Table


class ClipLike(Protocol):
    """A clip, as far as it is counted and listed here."""

    @property
    def clip_id(self) -> str: ...

    @property
    def n_frames(self) -> int: ...


Clip = TypeVar("Clip", bound=ClipLike)


def make_for_clips(
    make: Callable[[Clip, Path], Mapping[str, Any] | None],
    clips: Sequence[Clip],
    folder: str | Path,
    manifest: str | Path,
    table: Table,
) -> None:
    """Call `make` for every one of `clips`, then write `manifest`, one row of `table` a clip.

    `make(clip, folder)` is given the folder to write the clip's files to, which gets its name
    `folder` when all clips are done, and returns the row's cells by name; clip_id and n_frames
    need not be among them.
    """
    rows = []
    with atomic_path(folder) as partial, Progress() as progress:
        partial.mkdir()
        for clip in clips:
            cells = make(clip, partial) or {}
            rows.append({"clip_id": clip.clip_id, "n_frames": clip.n_frames, **cells})
            progress.add(clip.n_frames, f"{len(rows)} of {len(clips)} clips")
    write_table(table_of_rows(table, rows), manifest, table)
