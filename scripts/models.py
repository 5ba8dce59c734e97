"""Bring a model into the store, or check the one that is there."""

import os
from typing import TYPE_CHECKING

from talkingface.job.files import write_json
from talkingface.job.log import logged
from talkingface.models.models import Network, ensure_model
from talkingface.models.table import HUB

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    network = Network(os.environ.get("HF_ENDPOINT") or HUB, os.environ.get("HF_TOKEN"))
    # Where the store lies is no param: the model is the same elsewhere.
    record = ensure_model(snakemake.wildcards.model, snakemake.config["models"], network)
    write_json(record, snakemake.output[0])
