"""Write every frame of every clip as a picture."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.pictures.frames import make_frames

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_frames(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.output.folder,
        snakemake.output.manifest,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
