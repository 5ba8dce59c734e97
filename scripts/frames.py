"""Write every frame of every clip as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.clips import clip_frames
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.pictures.frames import write_frames

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    frames = clip_frames(Path(snakemake.input.folder, f"{clip.clip_id}.mp4"), clip.n_frames)
    write_frames(frames, folder / clip.clip_id, **snakemake.params.settings)


with logged(snakemake.log[0]):
    make_products(snakemake.input.manifest, *snakemake.output, make)
