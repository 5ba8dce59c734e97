"""Compare every face's lips with the sound."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.models.store import open_model
from talkingface.shots.proxy import read_proxy
from talkingface.sync.comparison import VideoFiles
from talkingface.sync.sync import make_sync

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with (
    logged(snakemake.log[0]),
    # The table by which the register knows the stage comes last.
    checksummed([snakemake.output.frames, snakemake.output.tracks]),
    reserve(snakemake.resources.gpu),
):
    proxy = read_proxy(snakemake.input.record)
    make_sync(
        VideoFiles(
            proxy=snakemake.input.video,
            scale_at=proxy.scale_at,
            sound=snakemake.input.sound,
            media=snakemake.input.media or None,
            reading=proxy.reading,
        ),
        snakemake.input.tracks,
        snakemake.input.speech,
        snakemake.output.tracks,
        snakemake.output.frames,
        model=open_model(snakemake.input.model, snakemake.config["models"]),
        device=snakemake.params.device,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
