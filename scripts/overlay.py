"""Draw what was found in every clip over it, as a film with sound to check the clips by."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.segments import thresholds_for
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products
from talkingface.overlay.overlay import Sources, make_overlay

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    def product(feature, suffix=""):
        of_video = snakemake.input.get(feature)
        return Path(of_video, f"{clip.clip_id}{suffix}") if of_video else None

    sources = Sources(
        landmarks=product("landmarks", ".npz"),
        pose=product("pose", ".csv"),
        expression=product("expression", ".csv"),
        parsing=product("parsing"),
        depth=product("depth"),
        sync=Path(snakemake.input.sync),
    )
    make_overlay(
        clip,
        snakemake.input.folder,
        folder / f"{clip.clip_id}.mp4",
        sources,
        min_confidence=thresholds.min_confidence,
        threads=snakemake.threads,
    )


with logged(snakemake.log[0]):
    thresholds = thresholds_for(
        snakemake.params.backend, min_confidence=snakemake.params.min_confidence
    )
    make_products(snakemake.input.manifest, *snakemake.output, make)
