"""Make what the report shows of every stretch: small pictures, curves, exact measures."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.report.preview import make_preview

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_preview(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.segments,
        snakemake.input.tracks,
        snakemake.input.speech,
        snakemake.input.sync,
        snakemake.input.sync_frames,
        snakemake.input.landmarks,
        snakemake.input.pose,
        snakemake.input.quality,
        snakemake.output.folder,
        snakemake.output.manifest,
        proxy=snakemake.params.proxy,
        proxy_sound=snakemake.params.sound,
        proxy_record=snakemake.params.record,
        speech_threshold=snakemake.params.speech_threshold,
    )
