"""Find the landmarks of every clip: the mesh's 478 points and the 68 of 300-W."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips.clips import clip_frames, face_boxes
from talkingface.faces.landmarks import Landmarker, write_npz, write_text
from talkingface.job.files import read_table
from talkingface.job.log import logged
from talkingface.job.per_clip import make_products

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def make(clip, folder):
    source = Path(snakemake.input.folder, clip.clip_id)
    boxes = face_boxes(read_table(f"{source}.csv"), clip.width, clip.height)
    found = landmarker.run(clip_frames(f"{source}.mp4", clip.n_frames), boxes)
    write_npz(folder / f"{clip.clip_id}.npz", found)
    write_text(folder / f"{clip.clip_id}.txt", found.points68, found.present)
    return {"present_share": round(found.present.mean(), 4), "backend": landmarker.backend}


with logged(snakemake.log[0]), Landmarker(snakemake.params.settings["backend"]) as landmarker:
    make_products(snakemake.input.manifest, *snakemake.output, make, ["present_share", "backend"])
