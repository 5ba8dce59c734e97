"""Measure eyes, mouth and brows in every frame of every clip."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.faces.expression import SUMMARY, expression_summary, expression_table
from talkingface.faces.landmarks import read_npz
from talkingface.job.files import write_table
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    found = read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz"))
    closed = snakemake.params.settings["closed"]
    table = expression_table(found.points, found.present, closed)
    write_table(table, folder / f"{clip.clip_id}.csv")
    return expression_summary(table)


with logged(snakemake.log[0]):
    make_products(snakemake.input.manifest, *snakemake.output, make, SUMMARY)
