"""Decode a video once and write the small copy that the analysis looks at."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.limits import MediaSettings
from talkingface.shots.proxy import make_proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_proxy(
        snakemake.input.media,
        snakemake.input.record,
        snakemake.output.video,
        snakemake.output.sound,
        snakemake.output.record,
        threads=snakemake.threads,
        settings=MediaSettings(**snakemake.config["media"] | snakemake.params.streams),
        **snakemake.params.settings,
    )
