"""Label every pixel of every clip: background, cloth, neck, hair, skin and parts of the face."""

from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips import clip_frames
from talkingface.files import read_json
from talkingface.gpu import reserve
from talkingface.landmarks import read_npz
from talkingface.learned import weights_hash
from talkingface.log import logged
from talkingface.media.ahead import ahead
from talkingface.models import model_folder
from talkingface.parsing import load, parse_clip
from talkingface.products import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    video = Path(snakemake.input.folder, f"{clip.clip_id}.mp4")
    found = read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz"))
    frames = ahead(clip_frames(video, clip.n_frames))
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
