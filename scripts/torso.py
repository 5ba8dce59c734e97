"""Cut the torso out of every frame: the person without the head, on transparent ground."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.pictures.torso import make_torso

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_torso(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.parsing,
        snakemake.output.folder,
        snakemake.output.manifest,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
