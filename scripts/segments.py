"""Judge every candidate stretch of every face: the ledger."""

from typing import TYPE_CHECKING

from talkingface.clips.segments import judge_segments, thresholds_for
from talkingface.job.files import read_json, read_table, write_table
from talkingface.job.log import logged
from talkingface.shots.proxy import Proxy

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]):
    ledger = judge_segments(
        snakemake.wildcards.video,
        read_json(snakemake.input.media_record),
        Proxy.from_dict(read_json(snakemake.input.proxy_record)),
        tracks=read_table(snakemake.input.tracks),
        sync=read_table(snakemake.input.sync),
        sync_frames=read_table(snakemake.input.sync_frames),
        sound=snakemake.input.sound,
        thresholds=thresholds_for(snakemake.params.backend, **snakemake.params.thresholds),
    )
    write_table(ledger, snakemake.output[0])
