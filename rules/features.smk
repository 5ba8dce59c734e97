"""Features: what is computed from the finished clips."""


rule frames:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
    output:
        folder=directory("results/frames/{video}"),
        manifest="results/frames/{video}.csv",
    log:
        "results/logs/frames/{video}.log",
    benchmark:
        "results/benchmarks/frames/{video}.tsv"
    conda:
        "../envs/media.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=60,
        gpu=0,
    params:
        settings=config["frames"],
        version=1,
    script:
        "../scripts/frames.py"


rule landmarks:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
    output:
        folder=directory("results/landmarks/{video}"),
        manifest="results/landmarks/{video}.csv",
    log:
        "results/logs/landmarks/{video}.log",
    benchmark:
        "results/benchmarks/landmarks/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=120,
        gpu=0,
    params:
        settings=config["landmarks"],
        version=1,
    script:
        "../scripts/landmarks.py"


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
