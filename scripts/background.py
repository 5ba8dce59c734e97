"""Make the clean plate of every clip: what stands behind the person."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.clips import clip_frames
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.media.picture import write_picture
from talkingface.media.prefetch import prefetch
from talkingface.pictures.background import make_plate
from talkingface.pictures.parsing.parsing import read_labels

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    frames = clip_frames(Path(snakemake.input.folder, f"{clip.clip_id}.mp4"), clip.n_frames)
    labels = read_labels(Path(snakemake.input.parsing, clip.clip_id), clip.n_frames)
    plate = make_plate(prefetch(frames), prefetch(labels), **snakemake.params.settings)
    write_picture(plate.image, folder / f"{clip.clip_id}.png")
    return {"known_share": round(plate.known_share, 4), "residual": round(plate.residual, 2)}


with logged(snakemake.log[0]):
    columns = ["known_share", "residual"]
    make_products(snakemake.input.manifest, *snakemake.output, make, columns)
