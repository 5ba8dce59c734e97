"""Pictures: what is made of the frames of the finished clips."""


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
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        settings=config["frames"],
        version=1,
    script:
        "../scripts/frames.py"


rule parsing:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
        model=learned("parsing"),
    output:
        folder=directory("results/parsing/{video}"),
        manifest="results/parsing/{video}.csv",
    log:
        "results/logs/parsing/{video}.log",
    benchmark:
        "results/benchmarks/parsing/{video}.tsv"
    conda:
        "../envs/learned.yaml" if learned("parsing") else "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=scaled(6000 if learned("parsing") else 2000),
        runtime=scaled(120),
        gpu=gpus(learned("parsing")),
    params:
        settings=config["parsing"],
        device=config["device"],
        version=1,
    script:
        "../scripts/parsing.py"


rule background:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        parsing=rules.parsing.output.folder,
    output:
        folder=directory("results/background/{video}"),
        manifest="results/background/{video}.csv",
    log:
        "results/logs/background/{video}.log",
    benchmark:
        "results/benchmarks/background/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        settings=config["background"],
        version=1,
    script:
        "../scripts/background.py"


rule torso:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        parsing=rules.parsing.output.folder,
    output:
        folder=directory("results/torso/{video}"),
        manifest="results/torso/{video}.csv",
    log:
        "results/logs/torso/{video}.log",
    benchmark:
        "results/benchmarks/torso/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(120),
    params:
        settings=config["torso"],
        version=1,
    script:
        "../scripts/torso.py"


# The overlay shows whatever of these is made.
SHOWN = {
    feature: f"results/{feature}/{{video}}"
    for feature in STAGES["overlay"].shows
    if feature in config["features"]
}


rule overlay:
    input:
        **SHOWN,
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        sync=rules.sync.output.frames,
    output:
        folder=directory("results/overlay/{video}"),
        manifest="results/overlay/{video}.csv",
    log:
        "results/logs/overlay/{video}.log",
    benchmark:
        "results/benchmarks/overlay/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        min_confidence=config["segments"]["min_confidence"],
        version=3,
    script:
        "../scripts/overlay.py"
