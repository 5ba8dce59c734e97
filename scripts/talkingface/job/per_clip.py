"""What a stage makes of every clip of a video, and the table that lists it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from talkingface.job.files import atomic_path, read_table, write_table
from talkingface.job.progress import Progress


def make_products(
    manifest: str | Path,
    folder: str | Path,
    table: str | Path,
    make: Callable[[Any, Path], Mapping[str, Any] | None],
    columns: Sequence[str] = (),
) -> None:
    """Call `make` for every clip of the clips' `manifest`, then write `table`, one row a clip.

    `make(clip, folder)` is given the clip's row as a named tuple and the folder to write its files
    to, which gets its name `folder` when all clips are done. It returns the values of `columns`,
    which follow `clip_id` and `n_frames` in the table, whether there are clips or not.
    """
    clips = read_table(manifest)
    rows = []
    with atomic_path(folder) as partial, Progress() as progress:
        partial.mkdir()
        for clip in clips.itertuples():
            values = make(clip, partial) or {}
            rows.append([clip.clip_id, clip.n_frames, *(values[name] for name in columns)])
            progress.add(clip.n_frames, f"{len(rows)} of {len(clips)} clips")
    write_table(pd.DataFrame(rows, columns=["clip_id", "n_frames", *columns]), table)
