"""Forget that videos could not be had or read this time, so that the next run tries again."""

from typing import TYPE_CHECKING

from talkingface.download.download import forget_unavailable
from talkingface.job.log import logged
from talkingface.shots.proxy import forget_demanding

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    params = snakemake.params
    forgotten = forget_unavailable(params.records)
    forgotten += forget_demanding(params.proxies, params.ledgers)
    print(f"the next run tries again: {', '.join(forgotten) or 'none'}")
