"""Write every frame of every clip as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface.clips import clip_frames
from talkingface.files import aside, read_table, write_table
from talkingface.frames import write_frames
from talkingface.log import logged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    clips = read_table(snakemake.input.manifest)[["clip_id", "n_frames"]]
    with aside(snakemake.output.folder) as folder:
        folder.mkdir()
        for clip, n_frames in clips.itertuples(index=False):
            frames = clip_frames(Path(snakemake.input.folder, f"{clip}.mp4"), n_frames)
            write_frames(frames, folder / clip, **snakemake.params.settings)
    write_table(clips, snakemake.output.manifest)
