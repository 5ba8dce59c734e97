"""Media: the raw file, and the small copy of it that the analysis looks at."""


rule download:
    input:
        source_file,
    output:
        media="results/raw/{video}.media",
        record="results/videos/{video}.json",
    log:
        "results/logs/download/{video}.log",
    benchmark:
        "results/benchmarks/download/{video}.tsv"
    retries: config["download"]["tries"] - 1
    localrule: config["download"]["local"]
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(120),
        # At most so many at a time: profiles/default has the budget.
        downloads=lambda wildcards: int(not is_local(wildcards)),
        attempt=lambda wildcards, attempt: attempt,
    params:
        source=lambda wildcards: VIDEOS[wildcards.video]["source"],
        # How a file is fetched, such as cookies and limits, is no param: the file is the same,
        # and a param that changes would fetch it again. The script reads it from the config.
        wanted=download_choices,
        # A file may be replaced by one with an older date.
        fingerprint=source_fingerprint,
        version=1,
    script:
        "../scripts/download.py"


rule retry_unavailable:
    log:
        "results/logs/retry_unavailable.log",
    localrule: True
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(500),
        runtime=scaled(10),
    params:
        records=expand("results/videos/{video}.json", video=VIDEOS),
        proxies=expand("results/proxy/{video}.json", video=VIDEOS),
        ledgers=expand("results/segments/{video}.csv", video=VIDEOS),
    script:
        "../scripts/retry_unavailable.py"


rule proxy:
    input:
        # It is a link, and what it leads to may be dated in the future. The record tells of a change.
        media=ancient(rules.download.output.media),
        record=rules.download.output.record,
    output:
        video="results/proxy/{video}.mp4",
        sound="results/proxy/{video}.wav",
        record="results/proxy/{video}.json",
    log:
        "results/logs/proxy/{video}.log",
    benchmark:
        "results/benchmarks/proxy/{video}.tsv"
    conda:
        "../envs/media.yaml"
    threads: 2
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        settings=config["proxy"],
        # What a file may claim is no param: a limit that changes is nothing to all the others.
        streams=streams,
        version=3,
    script:
        "../scripts/proxy.py"


rule scenes:
    input:
        video=rules.proxy.output.video,
        record=rules.proxy.output.record,
    output:
        "results/scenes/{video}.csv",
    log:
        "results/logs/scenes/{video}.log",
    benchmark:
        "results/benchmarks/scenes/{video}.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        settings=config["scenes"],
        version=2,
    script:
        "../scripts/scenes.py"
