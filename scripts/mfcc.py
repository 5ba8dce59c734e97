"""Compute the MFCC features of every clip's sound."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.sound.mfcc import make_mfcc

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_mfcc(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.output.folder,
        snakemake.output.manifest,
    )
