"""Compare every face's lips with the sound."""

from typing import TYPE_CHECKING

from talkingface.job.files import read_json, read_table, write_table
from talkingface.job.gpu import reserve
from talkingface.job.log import logged
from talkingface.models.store import model_folder
from talkingface.shots.proxy import Proxy, proxy_frames
from talkingface.sync.sync import sync_motion, unjudged

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), reserve(snakemake.resources.gpu):
    settings = dict(snakemake.params.settings)
    backend = settings.pop("backend")
    faces = read_table(snakemake.input.tracks)
    if backend == "none" or faces.empty:
        tracks, frames = unjudged()
    elif backend == "syncnet":
        from talkingface.sync.syncnet.backend import sync_video

        folder = model_folder(read_json(snakemake.input.model[0]), snakemake.config["models"])
        tracks, frames = sync_video(
            snakemake.input.media,
            faces,
            snakemake.input.sound,
            folder / "syncnet_v2.model",
            device=snakemake.params.device,
            threads=snakemake.threads,
            **settings,
        )
    else:
        tracks, frames = sync_motion(
            proxy_frames(snakemake.input.video),
            faces,
            snakemake.input.sound,
            scale=Proxy.from_dict(read_json(snakemake.input.record)).scale,
            max_offset=settings["max_offset"],
            threads=snakemake.threads,
        )
    write_table(tracks, snakemake.output.tracks)
    write_table(frames, snakemake.output.frames)
