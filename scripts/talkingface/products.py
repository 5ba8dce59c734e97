"""What a stage makes of every clip of a video, and the table that lists it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from talkingface.files import aside, read_table, write_table

logger = logging.getLogger(__name__)

# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30


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
    which follow `clip_id` and `n_frames` in the table, whether there are clips or not. Now and
    then, and at the end, a line of the log says how far it is and how fast.
    """
    clips = read_table(manifest)
    rows = []
    began = told = time.monotonic()
    with aside(folder) as partial:
        partial.mkdir()
        for clip in clips.itertuples():
            values = make(clip, partial) or {}
            rows.append([clip.clip_id, clip.n_frames, *(values[name] for name in columns)])
            if len(rows) == len(clips) or time.monotonic() - told > PROGRESS_EVERY:
                told = time.monotonic()
                frames = clips.n_frames[: len(rows)].sum()
                speed = frames / max(0.001, told - began)
                counts = len(rows), len(clips), frames, speed
                logger.info("%d of %d clips, %d frames, %.1f frames/s", *counts)
    write_table(pd.DataFrame(rows, columns=["clip_id", "n_frames", *columns]), table)
