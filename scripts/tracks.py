"""Detect faces and follow them inside each shot."""

from typing import TYPE_CHECKING

from talkingface.faces import detection
from talkingface.faces.tracks import track_faces
from talkingface.job.files import read_json, read_table, write_table
from talkingface.job.log import logged
from talkingface.shots.proxy import Proxy, proxy_frames

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), detection.load(threads=snakemake.threads) as detector:
    scenes = read_table(snakemake.input.scenes)
    tracks = track_faces(
        proxy_frames(snakemake.input.video),
        list(scenes.itertuples(index=False, name=None)),
        detector.follow,
        scale=Proxy.from_dict(read_json(snakemake.input.record)).scale,
        threads=snakemake.threads,
        **snakemake.params.settings,
    )
    write_table(
        tracks.round({"x": 2, "y": 2, "w": 2, "h": 2, "confidence": 3}), snakemake.output[0]
    )
