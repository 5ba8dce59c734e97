"""Label every pixel of every clip: background, cloth, neck, hair, skin and parts of the face."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips import clip_frames
from talkingface.landmarks import read_npz
from talkingface.log import logged
from talkingface.media.ahead import ahead
from talkingface.parsing import load, parse_clip
from talkingface.products import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

settings = snakemake.params.settings
threads = snakemake.threads


def make(clip, folder):
    video = Path(snakemake.input.folder, f"{clip.clip_id}.mp4")
    found = read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz"))
    frames = ahead(clip_frames(video, clip.n_frames))
    parse_clip(parser, frames, found.points, found.present, folder / clip.clip_id, threads)
    return {"backend": settings["backend"]}


with (
    logged(snakemake.log[0]),
    load(settings["backend"], person=settings["person"], threads=threads) as parser,
):
    make_products(snakemake.input.manifest, *snakemake.output, make, ["backend"])
