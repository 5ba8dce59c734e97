"""Forget that videos could not be had this time, so that the next run downloads them again."""

from typing import TYPE_CHECKING

from talkingface.download.download import forget_unavailable
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    forgotten = forget_unavailable(snakemake.params.records)
    print(f"the next run tries again: {', '.join(forgotten) or 'none'}")
