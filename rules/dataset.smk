"""Dataset: one table of all clips, divided into train and eval."""


rule dataset:
    input:
        records=expand("results/videos/{video}.json", video=VIDEOS),
        segments=expand("results/segments/{video}.csv", video=VIDEOS),
        manifests=expand("results/clips/{video}.csv", video=VIDEOS),
        features=expand("results/{feature}/{video}.csv", feature=config["features"], video=VIDEOS),
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
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=0,
    params:
        videos=list(VIDEOS.values()),
        features=config["features"],
        settings=config["split"],
        version=1,
    script:
        "../scripts/dataset.py"
