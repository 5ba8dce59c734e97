"""Draw what was found in every clip over it, as a film with sound to check the clips by."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.overlay.overlay import make_overlay

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_overlay(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.manifest,
        snakemake.input.sync,
        dict(snakemake.input.items()),
        snakemake.output.folder,
        snakemake.output.manifest,
        min_confidence=snakemake.params.min_confidence,
        threads=snakemake.threads,
    )
