"""Exports: what is made of every clip for some, and the layouts of all of them."""


rule landmarks_hdf5:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/landmarks_hdf5/{video}"),
        manifest="results/landmarks_hdf5/{video}.csv",
    log:
        "results/logs/landmarks_hdf5/{video}.log",
    benchmark:
        "results/benchmarks/landmarks_hdf5/{video}.tsv"
    conda:
        "../envs/exports.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(30),
    params:
        version=1,
    script:
        "../scripts/landmarks_hdf5.py"


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
