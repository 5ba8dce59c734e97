"""Compute what Hallo's training reads of every clip: masks, who the face is, and its speech."""

from typing import TYPE_CHECKING

from talkingface.exports.hallo import make_hallo
from talkingface.job.checksums import checksummed
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.models.store import open_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output), reserve(snakemake.resources.gpu):
    make_hallo(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
        model=open_model(snakemake.input.model, snakemake.config["models"]),
        face_model=open_model(snakemake.input.face_model, snakemake.config["models"]),
        device=snakemake.params.device,
        threads=snakemake.threads,
    )
