"""Forget that videos could not be had this time, so that the next run downloads them again."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.download.download import RETRIED
from talkingface.job.files import read_json
from talkingface.job.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    forgotten = []
    for record in map(Path, snakemake.params.records):
        if record.exists() and read_json(record)["status"] in RETRIED:
            record.unlink()
            forgotten.append(record.stem)
    print(f"the next run tries again: {', '.join(forgotten) or 'none'}")
