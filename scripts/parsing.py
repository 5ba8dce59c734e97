"""Label every pixel of every clip: background, cloth, neck, hair, skin and parts of the face."""

from typing import TYPE_CHECKING

from talkingface.job.checksums import checksummed
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.models.store import open_model
from talkingface.pictures.parsing.parsing import make_parsing

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output), reserve(snakemake.resources.gpu):
    make_parsing(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
        model=open_model(snakemake.input.model, snakemake.config["models"]),
        device=snakemake.params.device,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
