"""Find in every frame whether somebody is heard to speak."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.sound.speech import make_speech

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_speech(
        snakemake.input.sound,
        snakemake.input.record,
        snakemake.output[0],
        threads=snakemake.threads,
    )
