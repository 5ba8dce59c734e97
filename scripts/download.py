"""Get a video's media and write its record; a video that cannot be had is a result too."""

from typing import TYPE_CHECKING

from talkingface.download.download import download
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.limits import MediaSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed([snakemake.output.record]):
    # How a file is fetched is no param; where the job runs (`local`) is the rule's affair.
    options = {**snakemake.config["download"]}
    options.pop("local")
    download(
        snakemake.params.source,
        snakemake.output.media,
        snakemake.output.record,
        video_id=snakemake.wildcards.video,
        attempt=snakemake.resources.attempt,
        media_settings=MediaSettings(**snakemake.config["media"]),
        **options,
    )
