"""Bring a model into the store, or check the one that is there."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.files import write_json
from talkingface.job.log import logged
from talkingface.models.models import FetchOptions, ensure_model
from talkingface.models.table import own_models

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    # Where the store lies and what is fetched at most is no param: the model is the same elsewhere.
    store, most = snakemake.config["models"], snakemake.config["max_model_size"]
    record = ensure_model(
        snakemake.wildcards.model,
        store,
        FetchOptions.from_environment(most),
        own_models(snakemake.config["checkpoints"]).values(),
    )
    write_json(record, snakemake.output[0])
