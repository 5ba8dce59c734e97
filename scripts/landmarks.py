"""Find the landmarks of every clip: the mesh's 478 points and the 68 of 300-W."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips import clip_frames, face_boxes
from talkingface.files import aside, read_table, write_table
from talkingface.landmarks import Landmarker, write_npz, write_text
from talkingface.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), Landmarker(snakemake.params.settings["backend"]) as landmarker:
    clips = read_table(snakemake.input.manifest)
    shares = []
    with aside(snakemake.output.folder) as folder:
        folder.mkdir()
        for clip in clips.itertuples():
            source = Path(snakemake.input.folder, clip.clip_id)
            boxes = face_boxes(read_table(f"{source}.csv"), clip.width, clip.height)
            found = landmarker.run(clip_frames(f"{source}.mp4", clip.n_frames), boxes)
            write_npz(folder / f"{clip.clip_id}.npz", found)
            write_text(folder / f"{clip.clip_id}.txt", found.points68, found.present)
            shares.append(found.present.mean())
    table = clips[["clip_id", "n_frames"]].assign(present_share=shares).round(4)
    table["backend"] = landmarker.backend
    write_table(table, snakemake.output.manifest)
