"""Label every pixel of every clip: background, cloth, neck, hair, skin and parts of the face."""

from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.clips import clip_frames
from talkingface.faces.landmarks import read_npz
from talkingface.job.files import read_json
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.media.prefetch import prefetch
from talkingface.models.store import model_folder, weights_hash
from talkingface.pictures.parsing.parsing import load, parse_clip

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    video = Path(snakemake.input.folder, f"{clip.clip_id}.mp4")
    found = read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz"))
    frames = prefetch(clip_frames(video, clip.n_frames))
    pictures = folder / clip.clip_id
    parse_clip(parser(), frames, found.points, found.present, pictures, snakemake.threads)
    return {"backend": snakemake.params.settings["backend"], "sha256": weights_hash(record)}


@cache
def parser():
    """Loaded for the first clip: a video without one needs none."""
    loaded = load(
        model=model_folder(record, snakemake.config["models"]) if record else None,
        device=snakemake.params.device,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
    return opened.enter_context(loaded)


with logged(snakemake.log[0]), reserve(snakemake.resources.gpu), ExitStack() as opened:
    record = read_json(snakemake.input.model[0]) if snakemake.input.model else None
    make_products(snakemake.input.manifest, *snakemake.output, make, ["backend", "sha256"])
