"""Make what the samples of eeskimez's HDF5 are cut from, of every clip."""

from typing import TYPE_CHECKING

from talkingface.exports.landmarks_hdf5 import make_landmarks_hdf5
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_landmarks_hdf5(
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.landmarks,
        snakemake.output.folder,
        snakemake.output.manifest,
    )
