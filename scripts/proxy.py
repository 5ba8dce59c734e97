"""Decode a video once and write the small copy that the analysis looks at."""

from typing import TYPE_CHECKING

from talkingface.job.files import atomic_path, read_json, write_json
from talkingface.job.log import logged
from talkingface.shots.proxy import Proxy, make_proxy, write_nothing

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    with atomic_path(snakemake.output.video) as video, atomic_path(snakemake.output.sound) as sound:
        if read_json(snakemake.input.record)["status"] == "ok":
            proxy = make_proxy(
                snakemake.input.media,
                video,
                sound,
                threads=snakemake.threads,
                **snakemake.params.settings,
            )
        else:
            write_nothing(video, sound)
            proxy = Proxy("no_media", "see the video's record")
    write_json(proxy.to_dict(), snakemake.output.record)
