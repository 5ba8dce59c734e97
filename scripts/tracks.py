"""Detect faces and follow them inside each shot."""

from typing import TYPE_CHECKING

from talkingface.faces.tracks import make_tracks
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_tracks(
        snakemake.input.video,
        snakemake.input.record,
        snakemake.input.scenes,
        snakemake.output[0],
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
