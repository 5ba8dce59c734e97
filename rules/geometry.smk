"""Geometry: where the face is and how it is turned, in the finished clips."""


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
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        settings=config["landmarks"],
        version=1,
    script:
        "../scripts/landmarks.py"


rule pose:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
        record=rules.proxy.output.record,
    output:
        folder=directory("results/pose/{video}"),
        manifest="results/pose/{video}.csv",
    log:
        "results/logs/pose/{video}.log",
    benchmark:
        "results/benchmarks/pose/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(30),
    params:
        settings=config["pose"],
        version=2,
    script:
        "../scripts/pose.py"


rule expression:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/expression/{video}"),
        manifest="results/expression/{video}.csv",
    log:
        "results/logs/expression/{video}.log",
    benchmark:
        "results/benchmarks/expression/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(30),
    params:
        settings=config["expression"],
        version=1,
    script:
        "../scripts/expression.py"


rule depth:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
        model=learned("depth"),
    output:
        folder=directory("results/depth/{video}"),
        manifest="results/depth/{video}.csv",
    log:
        "results/logs/depth/{video}.log",
    benchmark:
        "results/benchmarks/depth/{video}.tsv"
    conda:
        "../envs/learned.yaml" if learned("depth") else "../envs/faces.yaml"
    threads: 2 if learned("depth") else 1
    resources:
        mem_mb=scaled(6000 if learned("depth") else 1000),
        runtime=scaled(120),
        gpu=gpus(learned("depth")),
    params:
        settings=config["depth"],
        device=config["device"],
        version=1,
    script:
        "../scripts/depth.py"
