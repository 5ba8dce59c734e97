"""Cut the torso out of every frame: the person without the head, on transparent ground."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.clips import clip_frames
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.media.prefetch import prefetch
from talkingface.pictures.parsing.parsing import read_labels, write_pngs
from talkingface.pictures.torso import make_torsos

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    frames = clip_frames(Path(snakemake.input.folder, f"{clip.clip_id}.mp4"), clip.n_frames)
    labels = read_labels(Path(snakemake.input.parsing, clip.clip_id), clip.n_frames)
    torsos = make_torsos(prefetch(frames), prefetch(labels), **snakemake.params.settings)
    write_pngs(torsos, folder / clip.clip_id, snakemake.threads)


with logged(snakemake.log[0]):
    make_products(snakemake.input.manifest, *snakemake.output, make)
