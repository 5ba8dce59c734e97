"""Get a video's media and write its record; a video that cannot be had is a result too."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.download.download import download
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    settings = dict(snakemake.config["download"])
    cookies = settings.pop("cookies")
    settings.pop("local")  # the rule's
    download(
        snakemake.params.source,
        Path(snakemake.output.media),
        Path(snakemake.output.record),
        video_id=snakemake.wildcards.video,
        attempt=snakemake.resources.attempt,
        max_attempts=settings.pop("tries"),
        cookies=Path(cookies) if cookies else None,
        **settings,
    )
