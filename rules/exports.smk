"""Exports: what is made of every clip for some, and the layouts of all of them."""


rule radnerf:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        record=rules.proxy.output.record,
        landmarks=rules.landmarks.output.folder,
        parsing=rules.parsing.output.folder,
        background=rules.background.output.folder,
    output:
        folder=directory("results/radnerf/{video}"),
        manifest="results/radnerf/{video}.csv",
    log:
        "results/logs/radnerf/{video}.log",
    benchmark:
        "results/benchmarks/radnerf/{video}.tsv"
    conda:
        "../envs/exports.yaml"
    threads: 2
    resources:
        mem_mb=scaled(1500),
        runtime=scaled(120),
    params:
        focal=config["pose"]["focal"],
        quality=config["radnerf"]["quality"],
        version=1,
    script:
        "../scripts/radnerf.py"


# One target an export: `snakemake export_wav2lip`. The dataset is finished before, so nothing of a
# feature needs to be an input here.
for EXPORT in EXPORTS:

    rule:
        name:
            f"export_{EXPORT}"
        input:
            exported(EXPORT),
        output:
            directory(f"results/exports/{EXPORT}"),
        log:
            f"results/logs/exports/{EXPORT}.log",
        benchmark:
            f"results/benchmarks/exports/{EXPORT}.tsv"
        conda:
            "../envs/exports.yaml"
        resources:
            mem_mb=scaled(4000),
            runtime=scaled(240),
        params:
            name=EXPORT,
            settings=config.get(EXPORT, {}),
            version=1,
        script:
            "../scripts/export.py"
