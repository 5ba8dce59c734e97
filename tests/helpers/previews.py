"""The preview of a video, made of tables that a test writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from helpers.settings import default_settings
from talkingface import tables
from talkingface.job.tables import read_table, table_of_columns, table_of_rows, write_table
from talkingface.report.preview import make_preview
from talkingface.table import Table

SETTINGS = default_settings("segments")


def put(results: Path, definition: Table, rows: Any, video: str = "talk1") -> None:
    path = results / definition.path.format(video=video)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = rows if isinstance(rows, np.ndarray) else table_of_rows(definition, rows)
    write_table(table, path, definition)


def preview(results: Path, video: str = "talk1", **paths: Any) -> np.recarray:
    """Make the preview of a video, and give its table."""
    files = {
        "tracks": results / f"tracks/{video}.csv",
        "speech": results / f"speech/{video}.csv",
        "sync": results / f"sync/{video}.csv",
        "sync_frames": results / f"sync/{video}.frames.csv",
        "landmarks": results / f"landmarks/{video}",
        "pose": results / f"pose/{video}",
        "quality": results / f"quality/{video}",
        "proxy": results / f"proxy/{video}.mp4",
        "proxy_sound": results / f"proxy/{video}.wav",
        "proxy_record": results / f"proxy/{video}.json",
    }
    make_preview(
        results / f"segments/{video}.csv",
        results / f"clips/{video}",
        results / f"clips/{video}.csv",
        results / f"preview/{video}",
        results / f"preview/{video}.csv",
        **(files | paths),
        speech_threshold=SETTINGS["speech_threshold"],
    )
    return read_table(results / f"preview/{video}.csv", tables.PREVIEW)


def box_rows(number: int, frames: np.ndarray, boxes: np.ndarray) -> np.recarray:
    same = {"track": number, "scene": 0, "frame": frames, "confidence": 1, "detected": 1}
    return table_of_columns(tables.TRACKS, same | dict(zip("xywh", boxes.T, strict=True)))
