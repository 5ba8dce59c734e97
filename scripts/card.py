"""Write what is in the dataset and where it comes from, for whoever reads it."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.dataset.card import make_card
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_card(
        Path(snakemake.output.card).parents[1],
        settings=snakemake.params.settings,
        versions=snakemake.params.versions,
        models=snakemake.params.models,
        card=snakemake.params.card,
    )
