"""The dataset: every kept clip with its products, split into train and eval without leakage.

The tables are written video by video, so that memory does not grow with their number.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.clips.verdict import BY_HAND, KEPT, Verdict, decided, kept, rejected
from talkingface.dataset.gates import QualityThresholds, judge_quality
from talkingface.dataset.split import (
    SIDES,
    assign_splits,
    cell_text,
    same_recordings,
    split_groups,
)
from talkingface.dataset.summary import Counts
from talkingface.grid import FPS
from talkingface.job.files import read_json, write_json
from talkingface.job.tables import read_table, table_of_columns, table_writer
from talkingface.settings.decisions import Decision, describe_unknown
from talkingface.stages import STAGES, Product
from talkingface.tables import CLIPS, QUALITY, REJECTED, SEGMENTS, Table, dataset_clips

logger = logging.getLogger(__name__)

# Videos of one recording that the log names.
MOST_NAMED = 20
# The verdict on a clip that its ledger keeps and that was not made.
_NOT_MADE = rejected("clips", "not in manifest")
_REMEDY = "delete results/quality and run again"


@dataclass(frozen=True)
class _Video:
    """The tables of one video: CLIPS, SEGMENTS and QUALITY, in the dataset's order."""

    video_id: str
    clips: np.recarray
    ledger: np.recarray
    measures: np.recarray


def make_dataset(
    videos: Sequence[Mapping[str, Any]],
    results: str | Path,
    folder: str | Path,
    *,
    products: Sequence[Product],
    thresholds: QualityThresholds,
    eval_fraction: float,
    seed: int | str,
    decisions: Mapping[str, Decision] | None = None,
) -> None:
    """Gather the tables of all videos, judge the clips by the measures of `quality`, and write
    clips.csv, train.csv, eval.csv, rejected.csv and summary.json.

    Clips stand in the order of `videos`, then by start_frame, then by track. A clip that misses a
    threshold is rejected at stage `quality`. A clip that the ledger keeps but the manifest lacks
    is counted as rejected at stage `clips`, so that the candidates are always the kept and the
    rejected. Where a person decided otherwise about a clip that was made, that counts; what is
    rejected by it is at stage `decisions`. Sides are those of videos: what is rejected moves no
    other clip. Videos with the same file, by its SHA-256 in their records, are on one side as those
    of one source are.

    videos: rows of videos.csv: `video_id`, `source`, `identity`, `split` (the last two may be
        empty).
    results: the results folder with the tables of the videos.
    folder: where the dataset is written to.
    products: what clips.csv, a table `dataset_clips`, leads to; existence is not checked.
    thresholds: see `gates`.
    eval_fraction, seed: see `split.split_side`.
    decisions: what a person wants to become of clips, by their clip_ids.

    Raises ValueError for tables that do not fit together, and as `split.assign_splits`.
    """
    definition = _definition(products)
    results, folder = Path(results), Path(folder)
    files = _read_hashes((cell_text(row["video_id"]) for row in videos), results)
    groups = split_groups(videos, files)
    sides = assign_splits(videos, eval_fraction, seed, files)
    counts, not_made = Counts(SIDES), 0
    decisions = {clip_id: each for clip_id, each in (decisions or {}).items() if each.decision}
    unknown = dict.fromkeys(decisions)
    for video_ids in same_recordings(videos, files):
        named = ", ".join(video_ids[:MOST_NAMED]) + (", ..." if video_ids[MOST_NAMED:] else "")
        side = sides[video_ids[0]]
        logger.info("%d videos are one recording, all in %s: %s", len(video_ids), side, named)
        counts.add_recording(video_ids)
    with ExitStack() as stack:
        write_clips, *write_side = (
            stack.enter_context(table_writer(folder / f"{name}.csv", definition))
            for name in ("clips", *SIDES)
        )
        write_sides = dict(zip(SIDES, write_side, strict=True))
        write_rejected = stack.enter_context(table_writer(folder / "rejected.csv", REJECTED))
        for row in videos:
            video = _read_video(cell_text(row["video_id"]), results)
            ledger = _judge(video, thresholds, decisions)
            for clip_id in ledger.clip_id:
                unknown.pop(clip_id, None)
            side, identity = sides[video.video_id], cell_text(row.get("identity"))
            of_video = {"identity": identity, "source": cell_text(row["source"])}
            clips = _clip_rows(video, ledger, {**of_video, "split": side}, definition, products)
            left_out = _rejected_rows(ledger, of_video)
            write_clips(clips)
            write_sides[side](clips)
            write_rejected(left_out)
            record = _read_record(video.video_id, results)
            group = groups[video.video_id]
            counts.add(record, clips, left_out, side=side, identity=identity, group=group)
            not_made += int((ledger.reason == _NOT_MADE.reason).sum())
            if decisions:
                by_hand = Counter(ledger.verdict[ledger.stage == BY_HAND[0]])
                counts.add_by_hand(kept=by_hand["kept"], rejected=by_hand["rejected"])
    if unknown:
        counts.add_by_hand(unknown=len(unknown))
        logger.warning(describe_unknown(list(unknown)))
    write_json(counts.summary(eval_fraction, seed), folder / "summary.json")
    if not_made:
        logger.warning("%d clips kept in the ledger are in no manifest", not_made)
    for side, share in (("train", 1 - eval_fraction), ("eval", eval_fraction)):
        if counts.clips and share and not counts.sides[side].clips:
            logger.warning("no clip is on side %s: too few groups, or all are pinned", side)


def _read_record(video_id: str, results: Path) -> dict[str, Any]:
    return read_json(results / STAGES["download"].manifest.format(video=video_id), "status")


def _read_hashes(video_ids: Iterable[str], results: Path) -> dict[str, str]:
    """The SHA-256 of the files of those videos that could be had."""
    hashes = {}
    for video_id in video_ids:
        record = _read_record(video_id, results)
        sha256 = (record.get("provenance") or {}).get("sha256")
        if record["status"] == "ok" and sha256:
            hashes[video_id] = str(sha256)
    return hashes


def _definition(products: Sequence[Product]) -> Table:
    """The columns of clips.csv; raises ValueError where two have one name."""
    columns = tuple(product.column for product in products)
    twice = set(columns) & set(dataset_clips().names)
    if twice:
        raise ValueError(f"product {min(twice)!r} has the name of another column")
    return dataset_clips(columns)


def _read_video(video_id: str, results: Path) -> _Video:
    """Read a video's tables, sort and check them."""
    clips, ledger, measures = (
        read_table(results / STAGES[stage].manifest.format(video=video_id), definition)
        for stage, definition in (("clips", CLIPS), ("segments", SEGMENTS), ("quality", QUALITY))
    )
    for table in (clips, ledger):
        other = table.video_id[table.video_id != video_id]
        if len(other):
            raise ValueError(f"a table of video {video_id!r} holds rows of video {other[0]!r}")
    video = _Video(video_id, _in_order(clips), _in_order(ledger), measures)
    _check(video)
    return video


def _in_order(table: np.recarray) -> np.recarray:
    """Sort by start_frame and track; a whole video's row comes first."""
    return table[np.lexsort((np.nan_to_num(table.track), np.nan_to_num(table.start_frame, nan=-1)))]


def _check(video: _Video) -> None:
    """Raise ValueError for tables of different runs."""
    clips, ledger, measures = video.clips, video.ledger, video.measures
    for name, ids in (
        ("manifests", clips.clip_id),
        ("ledgers", ledger.clip_id[ledger.clip_id != ""]),
        ("measures of quality", measures.clip_id),
    ):
        if len(set(ids)) < len(ids):
            (twice, _), *_ = Counter(ids).most_common(1)
            raise ValueError(f"clip {twice!r} is twice in the {name}")
    verdicts = set(ledger.verdict) - {"kept", "rejected"}
    if verdicts:
        raise ValueError(f"verdict {min(verdicts)!r} is neither kept nor rejected")
    unknown = set(clips.clip_id) - set(kept(ledger).clip_id)
    if unknown:
        raise ValueError(f"clip {min(unknown)!r} is in a manifest, but no ledger keeps it")
    alone = set(clips.clip_id) ^ set(measures.clip_id)
    if alone:
        raise ValueError(
            f"clip {min(alone)!r} is in only one of the manifests and the measures of quality: "
            f"{_REMEDY}"
        )
    measured = dict(zip(measures.clip_id, measures.n_frames, strict=True))
    for clip_id, n_frames in zip(clips.clip_id, clips.n_frames, strict=True):
        if n_frames != measured[clip_id]:
            raise ValueError(
                f"clip {clip_id!r} has {n_frames} frames, but quality measured "
                f"{measured[clip_id]}: {_REMEDY}"
            )


def _judge(
    video: _Video, thresholds: QualityThresholds, decisions: Mapping[str, Decision]
) -> np.recarray:
    """The ledger with the clips rejected that did not pass the gates or were not made, unless a
    person decided otherwise."""
    ledger, made = video.ledger, set(video.clips.clip_id)
    verdicts = judge_quality(video.measures, thresholds)
    for i, (clip_id, verdict) in enumerate(zip(ledger.clip_id, ledger.verdict, strict=True)):
        if verdict == KEPT.verdict:
            judged = verdicts[clip_id] if clip_id in made else _NOT_MADE
            if clip_id in made and clip_id in decisions:
                judged = decided(judged, *decisions[clip_id])
            if judged != KEPT:
                _set_verdict(ledger, i, judged)
    return ledger


def _set_verdict(ledger: np.recarray, i: int, verdict: Verdict) -> None:
    for name, cell in verdict._asdict().items():
        ledger[name][i] = np.nan if cell is None else cell


def _clip_rows(
    video: _Video,
    ledger: np.recarray,
    of_video: Mapping[str, str],
    definition: Table,
    products: Sequence[Product],
) -> np.recarray:
    """The video's rows of clips.csv, a table `definition`; `of_video` are cells of all of them."""
    good = set(kept(ledger).clip_id)
    clips = video.clips[[clip_id in good for clip_id in video.clips.clip_id]]
    place = {clip_id: i for i, clip_id in enumerate(video.measures.clip_id)}
    clip_ids = clips.clip_id.tolist()
    measures = video.measures[[place[clip_id] for clip_id in clip_ids]]
    paths = {
        product.column: [product.path.format(video=video.video_id, clip=name) for name in clip_ids]
        for product in products
    }
    return table_of_columns(
        definition,
        {
            **_columns(measures),
            **_columns(clips),
            **of_video,
            "duration_s": clips.n_frames / FPS,
            **paths,
        },
    )


def _rejected_rows(ledger: np.recarray, of_video: Mapping[str, str]) -> np.recarray:
    """The video's rows of rejected.csv; `of_video` are cells of all of them."""
    rows = ledger[ledger.verdict == "rejected"]
    return table_of_columns(REJECTED, {**_columns(rows), **of_video})


def _columns(table: np.recarray) -> dict[str, np.ndarray]:
    plain = np.asarray(table)
    return {name: plain[name] for name in plain.dtype.names}
