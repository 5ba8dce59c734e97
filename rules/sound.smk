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
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(30),
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
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(30),
    params:
        settings=config["mel"],
        version=1,
    script:
        "../scripts/mel.py"


rule hubert:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        model=f"results/models/{HUBERT}.json",
    output:
        folder=directory("results/hubert/{video}"),
        manifest="results/hubert/{video}.csv",
    log:
        "results/logs/hubert/{video}.log",
    benchmark:
        "results/benchmarks/hubert/{video}.tsv"
    conda:
        "../envs/learned.yaml"
    threads: 2
    resources:
        mem_mb=scaled(8000),
        runtime=scaled(120),
        gpu=gpus(True),
    params:
        settings={
            key: value
            for key, value in config["hubert"].items()
            if key not in ("model", "revision")
        },
        device=config["device"],
        version=1,
    script:
        "../scripts/hubert.py"
