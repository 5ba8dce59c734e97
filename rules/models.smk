"""Models: the weights of the learned backends, in a store that workspaces can share."""


rule models:
    output:
        "results/models/{model}.json",
    log:
        "results/logs/models/{model}.log",
    benchmark:
        "results/benchmarks/models/{model}.tsv"
    retries: 1
    # Fetched where snakemake runs: nodes of a cluster often have no network.
    localrule: True
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(500),
        runtime=scaled(240),
    params:
        # Where the store lies is no param: the model is the same elsewhere, and a param that
        # changes would make again all that was made with it. The script reads it from the config.
        version=1,
    script:
        "../scripts/models.py"
