"""Cut the face out of every frame, as Wav2Lip reads it."""

from typing import TYPE_CHECKING

from talkingface.exports.wav2lip import make_wav2lip
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_wav2lip(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
        quality=snakemake.params.quality,
        threads=snakemake.threads,
    )
