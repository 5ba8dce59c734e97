"""Cut a video into shots."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.shots.scenes import make_scenes

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_scenes(
        snakemake.input.video,
        snakemake.input.record,
        snakemake.output[0],
        **snakemake.params.settings,
    )
