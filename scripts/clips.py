"""Cut, crop and encode the kept segments, once, from the raw file."""

from typing import TYPE_CHECKING

from talkingface.clips.clips import make_clips
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.shots.proxy import read_proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_clips(
        snakemake.input.media,
        snakemake.input.sound,
        snakemake.input.segments,
        snakemake.input.tracks,
        snakemake.output.folder,
        snakemake.output.manifest,
        proxy=read_proxy(snakemake.input.record),
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
