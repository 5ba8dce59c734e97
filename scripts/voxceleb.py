"""Cut every clip anew so that the face stays in the centre, as VoxCeleb2 has it."""

from typing import TYPE_CHECKING

from talkingface.clips.clips import Encoding
from talkingface.exports.voxceleb import make_voxceleb
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.media.clip_files import read_clips
from talkingface.shots.proxy import read_proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_voxceleb(
        snakemake.input.media,
        read_clips(snakemake.input.folder, snakemake.input.manifest),
        snakemake.input.manifest,
        snakemake.input.sync,
        snakemake.output.folder,
        snakemake.output.manifest,
        proxy=read_proxy(snakemake.input.record),
        encoding=Encoding(**snakemake.params.encoding, threads=snakemake.threads),
    )
