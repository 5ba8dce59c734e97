"""Gather the tables of all videos and divide the clips into train and eval."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.clips import COLUMNS as CLIP_COLUMNS
from talkingface.clips.segments import COLUMNS as LEDGER_COLUMNS
from talkingface.dataset.dataset import PRODUCTS, build_dataset, write_dataset
from talkingface.dataset.gates import Thresholds
from talkingface.dataset.quality import COLUMNS as MEASURES
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    videos = snakemake.params.videos
    ids = [row["video_id"] for row in videos]
    results = Path(snakemake.output.summary).parents[1]
    dataset = build_dataset(
        videos,
        {video: results / f"clips/{video}.csv" for video in ids},
        {video: results / f"segments/{video}.csv" for video in ids},
        {video: results / f"videos/{video}.json" for video in ids},
        {video: results / f"quality/{video}.csv" for video in ids},
        {k: v for f in ["clips", *snakemake.params.features] for k, v in PRODUCTS[f].items()},
        thresholds=Thresholds(**snakemake.params.thresholds),
        clips_columns=CLIP_COLUMNS,
        ledger_columns=LEDGER_COLUMNS,
        quality_columns=["clip_id", "n_frames", *MEASURES],
        **snakemake.params.settings,
    )
    write_dataset(dataset, Path(snakemake.output.summary).parent)
