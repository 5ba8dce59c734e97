"""Compute the log-mel features of every clip's sound."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.sound.mel import make_mel

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_mel(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.output.folder,
        snakemake.output.manifest,
        **snakemake.params.settings,
    )
