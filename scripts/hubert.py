"""Compute the hidden states of a speech network for every clip's sound."""

from typing import TYPE_CHECKING

from talkingface.job.files import read_json, read_table
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.models.store import model_folder
from talkingface.sound.hubert import COLUMNS, Features

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
