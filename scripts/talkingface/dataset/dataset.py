"""The dataset: every kept clip with its products, split into train and eval without leakage."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from talkingface.dataset.gates import VERDICT_COLUMNS, Thresholds, judge_quality
from talkingface.dataset.split import SIDES, Side, assign_splits, split_groups
from talkingface.dataset.summary import video_seconds
from talkingface.grid import FPS
from talkingface.job.files import TEXT, read_json, write_json, write_table

logger = logging.getLogger(__name__)

# Columns of clips.csv that lead to a feature's files, relative to results/.
PRODUCTS = {
    "clips": {
        "video": "clips/{video}/{clip}.mp4",
        "audio": "clips/{video}/{clip}.wav",
        "boxes": "clips/{video}/{clip}.csv",
    },
    "frames": {"frames": "frames/{video}/{clip}"},
    "landmarks": {
        "landmarks": "landmarks/{video}/{clip}.npz",
        "landmarks68": "landmarks/{video}/{clip}.txt",
    },
    "pose": {"pose": "pose/{video}/{clip}.npy"},
    "expression": {"expression": "expression/{video}/{clip}.csv"},
    "parsing": {"parsing": "parsing/{video}/{clip}"},
    "background": {"background": "background/{video}/{clip}.png"},
    "torso": {"torso": "torso/{video}/{clip}"},
    "depth": {"depth": "depth/{video}/{clip}", "depth_scale": "depth/{video}/{clip}.json"},
    "overlay": {"overlay": "overlay/{video}/{clip}.mp4"},
    "mfcc": {"mfcc": "mfcc/{video}/{clip}.npy"},
    "hubert": {"hubert": "hubert/{video}/{clip}.npy"},
    "mel": {"mel": "mel/{video}/{clip}.npy"},
}
# Added to every kept clip, before one column per product.
CLIP_COLUMNS = ["identity", "source", "split", "duration_s"]
# Added to every rejected row.
REJECTED_COLUMNS = ["identity", "source"]

# Whole numbers, missing where a row stands for a whole video.
WHOLE = ("scene", "track", "start_frame", "end_frame", "n_frames")


@dataclass(frozen=True)
class Dataset:
    """The tables of results/dataset, as `build_dataset` makes them."""

    clips: pd.DataFrame
    rejected: pd.DataFrame
    summary: dict[str, Any]

    def side(self, side: Side) -> pd.DataFrame:
        """The clips of one side."""
        return self.clips[self.clips["split"] == side].reset_index(drop=True)


def build_dataset(
    videos: Sequence[Mapping[str, Any]],
    manifests: Mapping[str, str | Path],
    ledgers: Mapping[str, str | Path],
    records: Mapping[str, str | Path],
    measures: Mapping[str, str | Path],
    products: Mapping[str, str],
    eval_fraction: float,
    seed: int | str = 0,
    *,
    thresholds: Thresholds,
    clips_columns: Sequence[str],
    ledger_columns: Sequence[str],
    quality_columns: Sequence[str],
) -> Dataset:
    """Gather the tables of all videos, and judge the clips by the measures of `quality`.

    Clips stand in the order of `videos`, then by start_frame, then by track. A clip that misses a
    threshold is rejected at stage `quality`. A clip that the ledger keeps but the manifest lacks
    is counted as rejected at stage `clips`, so that the candidates are always the kept and the
    rejected. Sides are those of videos: what is rejected moves no other clip.

    Args:
        videos: rows of videos.csv: `video_id`, `source`, `identity`, `split` (the last two may be
            empty).
        manifests, ledgers, records, measures: by video_id, the paths of clips/{video}.csv,
            segments/{video}.csv, videos/{video}.json and quality/{video}.csv.
        products: column name to pattern with `{video}` and `{clip}`, relative to results/, such
            as `{"mfcc": "mfcc/{video}/{clip}.npy"}`; existence is not checked.
        eval_fraction, seed: see `split.split_side`.
        thresholds: see `gates`.
        clips_columns, ledger_columns, quality_columns: those of the tables, should there be no
            video.

    Returns:
        clips: columns of the manifests, then the measures of `quality`, then `CLIP_COLUMNS`, then
            one per product.
        rejected: columns of the ledgers, then `REJECTED_COLUMNS`; a row for a whole video has
            an empty clip_id and no frames.
        summary: see `_summary`.

    Raises:
        ValueError: tables that do not fit together; as `split.assign_splits`.
    """
    groups = split_groups(videos)
    order = list(groups)
    sides = assign_splits(videos, eval_fraction, seed)
    rows = {_text(row["video_id"]): row for row in videos}
    identities = {video: _text(row.get("identity")) for video, row in rows.items()}
    sources = {video: _text(row["source"]) for video, row in rows.items()}

    clips = _in_order(_read_tables([manifests[v] for v in order], ",".join(clips_columns)), order)
    ledger = _in_order(_read_tables([ledgers[v] for v in order], ",".join(ledger_columns)), order)
    measured = _read_tables([measures[v] for v in order], ",".join(quality_columns))
    _check(clips, ledger, measured)

    lacking = (ledger["verdict"] == "kept") & ~ledger["clip_id"].isin(clips["clip_id"])
    if lacking.any():
        logger.warning("%d clips kept in the ledger are in no manifest", lacking.sum())
    ledger.loc[lacking, ["verdict", "stage", "reason"]] = ["rejected", "clips", "not in manifest"]
    ledger = _judged(ledger, judge_quality(measured, thresholds))
    kept = ledger.loc[ledger["verdict"] == "kept", "clip_id"]
    clips = clips[clips["clip_id"].isin(kept)].merge(
        measured.drop(columns="n_frames"), on="clip_id", how="left", validate="one_to_one"
    )
    rejected = ledger[ledger["verdict"] == "rejected"].reset_index(drop=True)
    for table in (clips, rejected):
        table["identity"] = table["video_id"].map(identities).astype(str)
        table["source"] = table["video_id"].map(sources).astype(str)
    clips["split"] = clips["video_id"].map(sides).astype(str)
    clips["duration_s"] = clips["n_frames"].astype(float) / FPS
    names = list(zip(clips["video_id"], clips["clip_id"], strict=True))
    for column, pattern in products.items():
        if column in clips:
            raise ValueError(f"product {column!r} has the name of another column")
        clips[column] = pd.Series([pattern.format(video=v, clip=c) for v, c in names], dtype=str)

    dataset = Dataset(clips, rejected, {})
    dataset.summary.update(
        _summary(dataset, [read_json(records[v]) for v in order], groups, eval_fraction, seed)
    )
    for side, share in (("train", 1 - eval_fraction), ("eval", eval_fraction)):
        if len(clips) and share and not dataset.summary[side]["clips"]:
            logger.warning("no clip is on side %s: too few groups, or all are pinned", side)
    return dataset


def write_dataset(dataset: Dataset, folder: str | Path) -> None:
    """Write clips.csv, train.csv, eval.csv, rejected.csv and summary.json to a folder."""
    folder = Path(folder)
    write_table(dataset.clips, folder / "clips.csv")
    for side in SIDES:
        write_table(dataset.side(side), folder / f"{side}.csv")
    write_table(dataset.rejected, folder / "rejected.csv")
    write_json(dataset.summary, folder / "summary.json")


def _text(value: Any) -> str:
    """A cell as text; None and NaN are empty."""
    return "" if pd.isna(value) else str(value).strip()


def _read_tables(paths: Sequence[str | Path], header: str) -> pd.DataFrame:
    """Read tables of one header as one: 10,000 calls of `pandas.read_csv` would take long.

    `header` is that of no tables at all.
    """
    bodies = []
    for i, path in enumerate(paths):
        first, _, body = Path(path).read_text("utf-8").partition("\n")
        if i and first != header:
            raise ValueError(f"{path}: columns {first!r}, but {paths[0]} has {header!r}")
        header = first
        bodies.append(body if not body or body.endswith("\n") else body + "\n")
    numbers = [name for name in header.split(",") if name not in TEXT]
    table = pd.read_csv(
        io.StringIO(f"{header}\n{''.join(bodies)}"),
        dtype=dict.fromkeys(TEXT, str),
        # A video may be called NA.
        keep_default_na=False,
        na_values={name: ["", "nan", "NaN"] for name in numbers},
        float_precision="round_trip",
        low_memory=False,
    )
    return table.astype({name: "Int64" for name in WHOLE if name in table})


def _in_order(table: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Sort by video as in `order`, start_frame and track; a whole video's row comes first."""
    position = table["video_id"].map({video: i for i, video in enumerate(order)})
    if position.isna().any():
        strange = table.loc[position.isna(), "video_id"].iloc[0]
        raise ValueError(f"a table holds rows of video {strange!r}, which is not in the list")
    keyed = table.assign(_position=position)
    keyed = keyed.sort_values(["_position", "start_frame", "track"], na_position="first")
    return keyed.drop(columns="_position").reset_index(drop=True)


def _check(clips: pd.DataFrame, ledger: pd.DataFrame, measured: pd.DataFrame) -> None:
    """Refuse tables of different runs."""
    candidates = ledger.loc[ledger["clip_id"] != "", "clip_id"]
    for name, ids in (
        ("manifests", clips["clip_id"]),
        ("ledgers", candidates),
        ("measures of quality", measured["clip_id"]),
    ):
        if ids.duplicated().any():
            raise ValueError(f"clip {ids[ids.duplicated()].iloc[0]!r} is twice in the {name}")
    verdicts = set(ledger["verdict"]) - {"kept", "rejected"}
    if verdicts:
        raise ValueError(f"verdict {min(verdicts)!r} is neither kept nor rejected")
    unknown = clips.loc[
        ~clips["clip_id"].isin(ledger.loc[ledger["verdict"] == "kept", "clip_id"]), "clip_id"
    ]
    if len(unknown):
        raise ValueError(f"clip {unknown.iloc[0]!r} is in a manifest, but no ledger keeps it")
    in_clips, in_measures = (t.set_index("clip_id")["n_frames"] for t in (clips, measured))
    alone = set(in_clips.index) ^ set(in_measures.index)
    if alone:
        raise ValueError(
            f"clip {min(alone)!r} is in only one of the manifests and the measures of quality: "
            "delete results/quality and run again"
        )
    other = in_clips.index[in_clips != in_measures[in_clips.index]]
    if len(other):
        raise ValueError(
            f"clip {other[0]!r} has {in_clips[other[0]]} frames, but quality measured "
            f"{in_measures[other[0]]}: delete results/quality and run again"
        )


def _judged(ledger: pd.DataFrame, verdicts: pd.DataFrame) -> pd.DataFrame:
    """The ledger with the clips rejected that did not pass the gates."""
    failed = verdicts[verdicts["verdict"] == "rejected"].set_index("clip_id")
    ledger = ledger.astype({"value": float, "threshold": float})
    of_failed = ledger["clip_id"].isin(failed.index)
    for column in VERDICT_COLUMNS[1:]:
        ledger.loc[of_failed, column] = ledger.loc[of_failed, "clip_id"].map(failed[column])
    return ledger


def _summary(
    dataset: Dataset,
    records: Sequence[Mapping[str, Any]],
    groups: Mapping[str, str],
    eval_fraction: float,
    seed: int | str,
) -> dict[str, Any]:
    """Counts of a dataset.

    `rejected` has one entry per stage and reason, most frequent first; its rows without clip_id
    stand for whole videos and are no candidates. `identities` are named ones; `groups` counts
    the sources without an identity, too.
    """
    clips, rejected = dataset.clips, dataset.rejected
    statuses = pd.Series([str(record["status"]) for record in records], dtype=str)
    by_reason = (
        rejected.assign(hours=rejected["n_frames"], whole_videos=rejected["clip_id"] == "")
        .groupby(["stage", "reason"], sort=True, as_index=False)
        .agg(
            count=("clip_id", "size"), whole_videos=("whole_videos", "sum"), hours=("hours", "sum")
        )
        .sort_values("count", ascending=False, kind="stable")
    )
    summary: dict[str, Any] = {
        "videos": {
            "count": len(records),
            "by_status": {k: int(v) for k, v in statuses.value_counts().sort_index().items()},
        },
        "hours_in": round(sum(map(video_seconds, records)) / 3600, 6),
        "candidates": len(clips) + int((rejected["clip_id"] != "").sum()),
        "kept": {"clips": len(clips), "hours": _hours(clips["n_frames"].sum())},
        "rejected": [row | {"hours": _hours(row["hours"])} for row in by_reason.to_dict("records")],
    }
    for side in SIDES:
        part = dataset.side(side)
        summary[side] = {
            "clips": len(part),
            "hours": _hours(part["n_frames"].sum()),
            "videos": int(part["video_id"].nunique()),
            "identities": int(part.loc[part["identity"] != "", "identity"].nunique()),
            "groups": len({groups[video] for video in part["video_id"].unique()}),
        }
    summary["split"] = {"eval_fraction": eval_fraction, "seed": seed}
    return summary


def _hours(frames: int) -> float:
    return round(int(frames) / FPS / 3600, 6)
