"""Find the landmarks of every clip: the mesh's 478 points and the 68 of 300-W."""

from typing import TYPE_CHECKING

from talkingface.faces.landmarks import make_landmarks
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_landmarks(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.output.folder,
        snakemake.output.manifest,
        **snakemake.params.settings,
    )
