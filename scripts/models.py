"""Bring a model into the store, or check the one that is there."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.files import write_json
from talkingface.job.log import logged
from talkingface.models.models import FetchOptions, ensure_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    # Where the store lies is no param: the model is the same elsewhere.
    store = snakemake.config["models"]
    record = ensure_model(snakemake.wildcards.model, store, FetchOptions.from_environment())
    write_json(record, snakemake.output[0])
