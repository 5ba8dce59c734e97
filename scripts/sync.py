"""Compare every face's lips with the sound."""

from typing import TYPE_CHECKING

from talkingface.files import read_json, read_table, write_table
from talkingface.log import logged
from talkingface.proxy import Proxy, proxy_frames
from talkingface.sync import sync_motion, unjudged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    if snakemake.params.settings["backend"] == "none":
        tracks, frames = unjudged()
    else:
        tracks, frames = sync_motion(
            proxy_frames(snakemake.input.video),
            read_table(snakemake.input.tracks),
            snakemake.input.sound,
            scale=Proxy.from_dict(read_json(snakemake.input.record)).scale,
            max_offset=snakemake.params.settings["max_offset"],
            threads=snakemake.threads,
        )
    write_table(tracks, snakemake.output.tracks)
    write_table(frames, snakemake.output.frames)
