"""Compute the hidden states of a speech network for every clip's sound."""

from typing import TYPE_CHECKING

from talkingface.files import read_json, read_table
from talkingface.gpu import reserve
from talkingface.hubert import COLUMNS, Features
from talkingface.log import logged
from talkingface.models import model_folder
from talkingface.products import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    features.write(clip.clip_id, folder)
    return features.columns


with logged(snakemake.log[0]), reserve(snakemake.resources.gpu):
    record = read_json(snakemake.input.model)
    features = Features(
        read_table(snakemake.input.manifest),
        snakemake.input.folder,
        record,
        model_folder(record, snakemake.config["models"]),
        device=snakemake.params.device,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
    make_products(snakemake.input.manifest, *snakemake.output, make, COLUMNS)
