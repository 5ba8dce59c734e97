"""The videos of the list as the report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.dataset.dataset import read_hashes
from talkingface.dataset.split import assign_splits, cell_text
from talkingface.dataset.summary import video_seconds
from talkingface.job.files import read_json
from talkingface.job.tables import read_table
from talkingface.report.columns import number_column, table, text_column
from talkingface.stages import STAGES
from talkingface.tables import SCENES, TRACKS

_TEXTS = {
    "video_id": "name of the video in videos.csv",
    "source": "where the video comes from, by videos.csv",
    "identity": "who speaks, by videos.csv",
    "split": "`train` or `eval`: the side of all its clips",
    "status": "`ok`, or why the video could not be had",
    "reason": "why in words",
    "kind": "local or downloaded",
    "title": "title by its site",
    "uploader": "uploader by its site",
    "licence": "licence by its site",
    "webpage_url": "its page",
}
_NUMBERS = {
    "duration_s": ("length", "s"),
    "fps": ("frame rate of the source", "frames a second"),
    "width": ("width as shown", "pixels"),
    "height": ("height as shown", "pixels"),
    "shots": ("number of shots", ""),
    "shot_frames": ("frames in shots", "frames"),
    "tracks": ("number of tracks of faces", ""),
    "track_frames": ("frames of all tracks together", "frames"),
}


def videos_table(
    videos: Sequence[Mapping[str, Any]], results: str | Path, *, split: Mapping[str, Any]
) -> dict[str, Any]:
    """A row for every one of `videos`, rows of videos.csv, in their order.

    split: the section of the settings by which the dataset was divided. A video has its side also
    where nothing of it is kept, so that it shows where its clips would go.
    """
    results = Path(results)
    files = read_hashes((cell_text(video["video_id"]) for video in videos), results)
    sides = assign_splits(videos, split["eval_fraction"], split["seed"], files)
    rows = [_row(video, results) for video in videos]
    for row in rows:
        row["split"] = sides[row["video_id"]]
    columns = {
        name: text_column((row[name] for row in rows), meaning) for name, meaning in _TEXTS.items()
    }
    columns |= {
        name: number_column((row[name] for row in rows), meaning, unit)
        for name, (meaning, unit) in _NUMBERS.items()
    }
    return table(len(rows), columns)


def _row(video: Mapping[str, Any], results: Path) -> dict[str, Any]:
    video_id = cell_text(video["video_id"])
    record = read_json(results / STAGES["download"].manifest.format(video=video_id), "status")
    provenance = record.get("provenance") or {}
    picture = (record.get("probe") or {}).get("video") or {}
    scenes = read_table(results / f"scenes/{video_id}.csv", SCENES)
    tracks = read_table(results / f"tracks/{video_id}.csv", TRACKS)
    texts = {
        "video_id": video_id,
        "source": cell_text(video["source"]),
        "identity": cell_text(video.get("identity")),
        "status": record["status"],
        "reason": record.get("reason"),
        **{name: provenance.get(name) for name in _TEXTS},
    }
    texts |= {"source": cell_text(video["source"]), "video_id": video_id}
    texts |= {"identity": cell_text(video.get("identity")), "status": record["status"]}
    texts |= {"reason": record.get("reason")}
    return {
        **{name: str(value) if value else "" for name, value in texts.items()},
        "duration_s": video_seconds(record),
        "fps": picture.get("fps"),
        "width": picture.get("display_width"),
        "height": picture.get("display_height"),
        "shots": len(scenes),
        "shot_frames": int((scenes.end_frame - scenes.start_frame).sum()),
        "tracks": len(np.unique(tracks.track)),
        "track_frames": len(tracks),
    }
