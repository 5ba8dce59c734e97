"""Make the depth of every frame of every clip, as 16-bit pictures on one scale a clip."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.faces.landmarks import read_npz
from talkingface.job.files import read_json
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.models.store import model_folder, weights_hash
from talkingface.pictures.depth.depth import load, make_depth

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    make_depth(
        backend(),
        Path(snakemake.input.folder, f"{clip.clip_id}.mp4"),
        read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz")),
        (clip.width, clip.height),
        folder / clip.clip_id,
        folder / f"{clip.clip_id}.json",
    )
    return {"backend": backend().name, "sha256": weights_hash(record)}


@cache
def backend():
    """Loaded for the first clip: a video without one needs none."""
    return load(
        model=model_folder(record, snakemake.config["models"]) if record else None,
        device=snakemake.params.device,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )


with logged(snakemake.log[0]), reserve(snakemake.resources.gpu):
    record = read_json(snakemake.input.model[0]) if snakemake.input.model else None
    make_products(snakemake.input.manifest, *snakemake.output, make, ["backend", "sha256"])
