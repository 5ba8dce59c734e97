"""Crop every frame as PC-AVS reads it: eyes and mouth in one place."""

from typing import TYPE_CHECKING

from talkingface.exports.pc_avs import make_pc_avs
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_pc_avs(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
        quality=snakemake.params.quality,
        threads=snakemake.threads,
    )
