"""Exports: what is made of every clip for some, and the layouts of all of them."""

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
