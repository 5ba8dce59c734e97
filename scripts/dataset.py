"""Gather the tables of all videos and divide the clips into train and eval."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.dataset.dataset import make_dataset
from talkingface.dataset.gates import QualityThresholds
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.settings.decisions import Decision
from talkingface.stages import products_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    folder = Path(snakemake.output.summary).parent
    make_dataset(
        snakemake.params.videos,
        folder.parent,
        folder,
        products=products_of(snakemake.params.features),
        thresholds=QualityThresholds(**snakemake.params.thresholds),
        # Where nobody decided anything there is no such param.
        decisions={
            clip_id: Decision(*cells)
            for clip_id, cells in snakemake.params.get("decisions", {}).items()
        },
        **snakemake.params.settings,
    )
