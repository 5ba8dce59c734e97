"""Judge every candidate stretch of every face: the ledger."""

from typing import TYPE_CHECKING

from talkingface.clips.judgement import thresholds_for
from talkingface.clips.segments import make_segments
from talkingface.job.checksums import checksummed
from talkingface.job.log import logged
from talkingface.settings.decisions import kept_by_hand, read_decisions

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with logged(snakemake.log[0]), checksummed(snakemake.output):
    make_segments(
        snakemake.wildcards.video,
        snakemake.input.media_record,
        snakemake.input.proxy_record,
        snakemake.input.tracks,
        snakemake.input.speech,
        snakemake.input.sync,
        snakemake.input.sync_frames,
        snakemake.input.sound,
        snakemake.output[0],
        thresholds=thresholds_for(snakemake.params.backend, **snakemake.params.thresholds),
        # No param, which would have every video judged again for a decision about one: the rule
        # has those judged whose ledger says otherwise.
        by_hand=kept_by_hand(read_decisions(snakemake.config["decisions"])),
    )
