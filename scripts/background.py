"""Make the clean plate of every clip: what stands behind the person."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.pictures.background import make_background

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_background(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.parsing,
        snakemake.output.folder,
        snakemake.output.manifest,
        **snakemake.params.settings,
    )
