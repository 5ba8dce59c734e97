"""Dataset: which clips are good enough, in one table, divided into train and eval."""


rule quality:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
        pose=rules.pose.output.folder,
        record=rules.proxy.output.record,
    output:
        folder=directory("results/quality/{video}"),
        manifest="results/quality/{video}.csv",
    log:
        "results/logs/quality/{video}.log",
    benchmark:
        "results/benchmarks/quality/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        # What is measured; the thresholds are the dataset's.
        settings={
            key: value for key, value in config["quality"].items() if key not in THRESHOLD_KEYS
        },
        version=3,
    script:
        "../scripts/quality.py"


rule dataset:
    input:
        expand("results/finished/{video}", video=VIDEOS),
    output:
        clips="results/dataset/clips.csv",
        train="results/dataset/train.csv",
        eval="results/dataset/eval.csv",
        rejected="results/dataset/rejected.csv",
        summary="results/dataset/summary.json",
    log:
        "results/logs/dataset.log",
    benchmark:
        "results/benchmarks/dataset.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        # Only where there are any, as a new key would make everybody's dataset again.
        **({"decisions": DECIDED} if DECIDED else {}),
        videos=list(VIDEOS.values()),
        features=config["features"],
        settings=config["split"],
        thresholds={key: config["quality"][key] for key in THRESHOLD_KEYS},
        version=3,
    script:
        "../scripts/dataset.py"


rule card:
    input:
        rules.dataset.output,
    output:
        settings="results/dataset/settings.json",
        card="results/dataset/README.md",
    log:
        "results/logs/card.log",
    benchmark:
        "results/benchmarks/card.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        # All that the data depends on: the card names it, and is made again in seconds.
        settings=published_settings(config, leave_out=EXPORTS),
        versions={
            stage: getattr(rules, stage).params.version
            for stage in stages_made(config["features"])
        },
        models=models_used(),
        card=config["card"],
        version=1,
    script:
        "../scripts/card.py"
