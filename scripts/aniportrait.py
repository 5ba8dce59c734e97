"""Write the face mesh of every frame of every clip, as AniPortrait reads it."""

from typing import TYPE_CHECKING

from talkingface.exports.aniportrait import make_aniportrait
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_aniportrait(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
    )
