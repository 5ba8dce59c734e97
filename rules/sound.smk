"""Sound: audio features of the finished clips."""


rule mfcc:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
    output:
        folder=directory("results/mfcc/{video}"),
        manifest="results/mfcc/{video}.csv",
    log:
        "results/logs/mfcc/{video}.log",
    benchmark:
        "results/benchmarks/mfcc/{video}.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
        gpu=0,
    params:
        version=1,
    script:
        "../scripts/mfcc.py"


rule mel:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
    output:
        folder=directory("results/mel/{video}"),
        manifest="results/mel/{video}.csv",
    log:
        "results/logs/mel/{video}.log",
    benchmark:
        "results/benchmarks/mel/{video}.tsv"
    conda:
        "../envs/audio.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
        gpu=0,
    params:
        settings=config["mel"],
        version=1,
    script:
        "../scripts/mel.py"
