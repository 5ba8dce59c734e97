"""Cut every clip anew with the face aligned in every frame, as LatentSync has it."""

from typing import TYPE_CHECKING

from talkingface.clips.clips import Encoding
from talkingface.exports.latentsync import make_latentsync
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.shots.proxy import read_proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_latentsync(
        snakemake.input.media,
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.manifest,
        snakemake.input.sync,
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
        proxy=read_proxy(snakemake.input.record),
        encoding=Encoding(**snakemake.params.encoding, threads=snakemake.threads),
        **snakemake.params.settings,
    )
