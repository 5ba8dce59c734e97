"""Write what MuseTalk's training notes of every clip: face boxes and landmarks, frame by frame."""

from typing import TYPE_CHECKING

from talkingface.exports.musetalk import make_musetalk
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_musetalk(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
    )
