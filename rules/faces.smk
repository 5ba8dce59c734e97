"""Faces: where they are, where somebody speaks, and which of the faces the sound belongs to."""


rule tracks:
    input:
        video=rules.proxy.output.video,
        record=rules.proxy.output.record,
        scenes=rules.scenes.output[0],
    output:
        "results/tracks/{video}.csv",
    log:
        "results/logs/tracks/{video}.log",
    benchmark:
        "results/benchmarks/tracks/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(60),
    params:
        settings=config["tracks"],
        version=3,
    script:
        "../scripts/tracks.py"


rule speech:
    input:
        sound=rules.proxy.output.sound,
        record=rules.proxy.output.record,
    output:
        "results/speech/{video}.csv",
    log:
        "results/logs/speech/{video}.log",
    benchmark:
        "results/benchmarks/speech/{video}.tsv"
    conda:
        "../envs/audio.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(30),
    params:
        version=1,
    script:
        "../scripts/speech.py"


rule sync:
    input:
        video=rules.proxy.output.video,
        sound=rules.proxy.output.sound,
        record=rules.proxy.output.record,
        tracks=rules.tracks.output[0],
        speech=rules.speech.output[0],
        # The learned backend looks at the raw file.
        media=ancient(rules.download.output.media) if learned("sync") else [],
        model=learned("sync"),
    output:
        tracks="results/sync/{video}.csv",
        frames="results/sync/{video}.frames.csv",
    log:
        "results/logs/sync/{video}.log",
    benchmark:
        "results/benchmarks/sync/{video}.tsv"
    conda:
        "../envs/learned.yaml" if learned("sync") else "../envs/faces.yaml"
    threads: 2
    resources:
        mem_mb=scaled(4000 if learned("sync") else 2000),
        runtime=scaled(120),
        gpu=gpus(learned("sync")),
    params:
        settings=config["sync"],
        device=config["device"],
        version=3,
    script:
        "../scripts/sync.py"
