"""Cut a video into shots."""

from typing import TYPE_CHECKING

from talkingface.job.files import write_table
from talkingface.job.log import logged
from talkingface.shots.proxy import proxy_frames
from talkingface.shots.scenes import find_scenes, make_detector

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    scenes = find_scenes(
        proxy_frames(snakemake.input.video), make_detector(**snakemake.params.settings)
    )
    write_table(scenes, snakemake.output[0])
