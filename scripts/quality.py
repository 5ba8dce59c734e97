"""Measure every clip's sound and face: size, place, light, sharpness, pose, hands before it."""

from typing import TYPE_CHECKING

from talkingface.dataset.quality import make_quality
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.shots.proxy import read_proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_quality(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.input.pose,
        snakemake.output.folder,
        snakemake.output.manifest,
        source_size_at=read_proxy(snakemake.input.record).size_at,
        **snakemake.params.settings,
    )
