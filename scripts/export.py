"""Build the layout that a project's training code reads, out of the finished dataset."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.exports.export import make_export
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    make_export(
        snakemake.params.name,
        Path(snakemake.output[0]).parents[1],
        snakemake.output[0],
        snakemake.params.settings,
    )
