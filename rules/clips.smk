"""Clips: which stretches are kept, and their pictures and sound."""


rule segments:
    input:
        judge_by_hand,
        media_record=rules.download.output.record,
        proxy_record=rules.proxy.output.record,
        sound=rules.proxy.output.sound,
        tracks=rules.tracks.output[0],
        speech=rules.speech.output[0],
        sync=rules.sync.output.tracks,
        sync_frames=rules.sync.output.frames,
    output:
        "results/segments/{video}.csv",
    log:
        "results/logs/segments/{video}.log",
    benchmark:
        "results/benchmarks/segments/{video}.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(20),
    params:
        thresholds=config["segments"],
        backend=config["sync"]["backend"],
        version=3,
    script:
        "../scripts/segments.py"


rule clips:
    input:
        media=ancient(rules.download.output.media),
        record=rules.proxy.output.record,
        sound=rules.proxy.output.sound,
        tracks=rules.tracks.output[0],
        segments=rules.segments.output[0],
    output:
        folder=directory("results/clips/{video}"),
        manifest="results/clips/{video}.csv",
    log:
        "results/logs/clips/{video}.log",
    benchmark:
        "results/benchmarks/clips/{video}.tsv"
    conda:
        "../envs/media.yaml"
    threads: 2
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        settings=config["clips"],
        version=4,
    script:
        "../scripts/clips.py"
