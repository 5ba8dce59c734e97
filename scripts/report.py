"""Make the page that shows what happened to every video and every stretch of a face."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.report.report import make_report

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

folder = Path(snakemake.output[0])
with logged(snakemake.log[0]), checksummed(snakemake.output, folder / "index.html"):
    make_report(
        snakemake.params.videos,
        folder.parent,
        folder,
        features=snakemake.params.features,
        settings=snakemake.params.settings,
    )
