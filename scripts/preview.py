"""Make what the report shows of every stretch: small pictures, curves, exact measures."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.report.preview import make_preview

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_preview(
        snakemake.input.segments,
        snakemake.input.folder,
        snakemake.input.manifest,
        snakemake.output.folder,
        snakemake.output.manifest,
        tracks=snakemake.input.tracks,
        speech=snakemake.input.speech,
        sync=snakemake.input.sync,
        sync_frames=snakemake.input.sync_frames,
        landmarks=snakemake.input.landmarks,
        pose=snakemake.input.pose,
        quality=snakemake.input.quality,
        proxy=snakemake.params.proxy,
        proxy_sound=snakemake.params.sound,
        proxy_record=snakemake.params.record,
        speech_threshold=snakemake.params.speech_threshold,
    )
