"""Cut, crop and encode the kept segments, once, from the raw file."""

from typing import TYPE_CHECKING

from talkingface.clips.clips import Encoding, make_clips
from talkingface.clips.segments import kept
from talkingface.job.files import atomic_path, read_json, read_table, write_table
from talkingface.job.log import logged
from talkingface.shots.proxy import Proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    settings = dict(snakemake.params.settings)
    encoding = Encoding(settings.pop("preset"), settings.pop("crf"), snakemake.threads)
    with atomic_path(snakemake.output.folder) as folder:
        manifest = make_clips(
            snakemake.input.media,
            snakemake.input.sound,
            kept(read_table(snakemake.input.segments)),
            read_table(snakemake.input.tracks),
            folder,
            frame_size=Proxy.from_dict(read_json(snakemake.input.record)).size,
            encoding=encoding,
            **settings,
        )
    write_table(manifest, snakemake.output.manifest)
