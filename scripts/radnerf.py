"""Make of every clip what a scene of RAD-NeRF and its kind has beyond the dataset."""

from typing import TYPE_CHECKING

from talkingface.exports.radnerf import make_radnerf
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.shots.proxy import read_proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_radnerf(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.input.parsing,
        snakemake.input.background,
        snakemake.output.folder,
        snakemake.output.manifest,
        source_size_at=read_proxy(snakemake.input.record).size_at,
        focal=snakemake.params.focal,
        quality=snakemake.params.quality,
        threads=snakemake.threads,
    )
