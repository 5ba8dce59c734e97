"""What a link of the report's page asks for, found with pandas in the tables on disk."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd

from helpers.tables import TEXT, read_frame

VERDICT = ["verdict", "stage", "reason", "detail", "value", "threshold"]


def ledger_rows(results: Path, videos: list[dict[str, str]]) -> pd.DataFrame:
    """All rows of the ledgers of `videos`, with the dataset's verdict, the measures of `quality`
    and `pose`, and what is said of their videos, under the names that addresses have for them."""
    ledger = _all(results, "segments", videos)
    own = ledger.columns.tolist()[:13]
    ledger = ledger.rename(columns={n: f"segments.{n}" for n in ledger.columns if n not in own})
    rejected = read_frame(results / "dataset/rejected.csv")
    for place, row in rejected[rejected.clip_id != ""].iterrows():
        at = ledger.index[ledger.clip_id == row.clip_id]
        for name in VERDICT:
            ledger.loc[at, name] = rejected.loc[place, name]
    clips = read_frame(results / "dataset/clips.csv")
    ledger["split"] = ledger.clip_id.map(dict(zip(clips.clip_id, clips.split, strict=True)))
    ledger["split"] = ledger.split.fillna("")
    for stage in ("quality", "pose"):
        table = _all(results, stage, videos).set_index("clip_id").drop(columns="n_frames")
        ledger = ledger.join(table.add_prefix(f"{stage}."), on="clip_id")
    by_video = {row["video_id"]: row for row in videos}
    records = {
        video: json.loads((results / f"videos/{video}.json").read_text()) for video in by_video
    }
    ledger["identity"] = [by_video[video]["identity"] for video in ledger.video_id]
    ledger["video.place"] = [place_of(by_video[video]["source"]) for video in ledger.video_id]
    ledger["video.fps"] = [
        ((records[video]["probe"] or {}).get("video") or {}).get("fps") for video in ledger.video_id
    ]
    ledger["video.fps"] = ledger["video.fps"].astype(float)
    whole, candidate = ledger.start_frame.isna(), ledger.clip_id != ""
    ledger["kind"] = "gap"
    ledger.loc[whole, "kind"] = "video"
    ledger.loc[candidate, "kind"] = "candidate"
    return ledger


def asked_for(rows: pd.DataFrame, address: str) -> pd.DataFrame:
    """The rows that `#clips?...` asks for."""
    fragment = urlsplit(address).fragment
    assert fragment.startswith("clips"), address
    for name, value in parse_qsl(fragment.partition("?")[2], keep_blank_values=True):
        if name.startswith("min."):
            rows = rows[rows[name[4:]] >= float(value)]
        elif name.startswith("max."):
            rows = rows[rows[name[4:]] <= float(value)]
        elif name != "sort":
            rows = rows[rows[name] == value]
    return rows


def place_of(source: str) -> str:
    """The site of an address, the folder of any other source."""
    if "://" in source:
        return source.split("/")[2].removeprefix("www.")
    return source[: source.rfind("/") + 1] or "./"


def _all(results: Path, stage: str, videos: list[dict[str, str]]) -> pd.DataFrame:
    tables = [_read(results / f"{stage}/{video['video_id']}.csv") for video in videos]
    return pd.concat([table for table in tables if len(table)], ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    """A table with its numbers to the last digit, as addresses have them."""
    names = pd.read_csv(path, nrows=0).columns
    texts = TEXT.intersection(names)
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(texts, str),
        keep_default_na=False,
        na_values={name: [""] for name in names if name not in texts},
        float_precision="round_trip",
    )
