"""Make the depth of every frame of every clip, as 16-bit pictures on one scale a clip."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.depth import load, make_depth
from talkingface.landmarks import read_npz
from talkingface.log import logged
from talkingface.products import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    make_depth(
        backend,
        Path(snakemake.input.folder, f"{clip.clip_id}.mp4"),
        read_npz(Path(snakemake.input.landmarks, f"{clip.clip_id}.npz")),
        (clip.width, clip.height),
        folder / clip.clip_id,
        folder / f"{clip.clip_id}.json",
    )
    return {"backend": backend.name}


with logged(snakemake.log[0]):
    backend = load(snakemake.params.settings["backend"])
    make_products(snakemake.input.manifest, *snakemake.output, make, ["backend"])
