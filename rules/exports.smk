"""Exports: what is made of every clip for some, and the layouts of all of them."""

# Films in another crop than the clips' are encoded as those are.
ENCODING = {name: config["clips"][name] for name in ("preset", "crf", "keyframe_interval")}


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
        "../envs/faces.yaml"
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


rule pc_avs:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/pc_avs/{video}"),
        manifest="results/pc_avs/{video}.csv",
    log:
        "results/logs/pc_avs/{video}.log",
    benchmark:
        "results/benchmarks/pc_avs/{video}.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        quality=config["pc_avs"]["quality"],
        version=1,
    script:
        "../scripts/pc_avs.py"


rule wav2lip:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/wav2lip/{video}"),
        manifest="results/wav2lip/{video}.csv",
    log:
        "results/logs/wav2lip/{video}.log",
    benchmark:
        "results/benchmarks/wav2lip/{video}.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        quality=config["wav2lip"]["quality"],
        version=1,
    script:
        "../scripts/wav2lip.py"


rule voxceleb:
    input:
        media=ancient(rules.download.output.media),
        record=rules.proxy.output.record,
        sync=rules.sync.output.tracks,
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
    output:
        folder=directory("results/voxceleb/{video}"),
        manifest="results/voxceleb/{video}.csv",
    log:
        "results/logs/voxceleb/{video}.log",
    benchmark:
        "results/benchmarks/voxceleb/{video}.tsv"
    conda:
        "../envs/media.yaml"
    threads: 2
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        encoding=ENCODING,
        version=1,
    script:
        "../scripts/voxceleb.py"


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


rule latentsync:
    input:
        media=ancient(rules.download.output.media),
        record=rules.proxy.output.record,
        sync=rules.sync.output.tracks,
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/latentsync/{video}"),
        manifest="results/latentsync/{video}.csv",
    log:
        "results/logs/latentsync/{video}.log",
    benchmark:
        "results/benchmarks/latentsync/{video}.tsv"
    conda:
        "../envs/media.yaml"
    threads: 2
    resources:
        mem_mb=scaled(2000),
        runtime=scaled(120),
    params:
        settings=config["latentsync"],
        encoding=ENCODING,
        version=1,
    script:
        "../scripts/latentsync.py"


rule musetalk:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/musetalk/{video}"),
        manifest="results/musetalk/{video}.csv",
    log:
        "results/logs/musetalk/{video}.log",
    benchmark:
        "results/benchmarks/musetalk/{video}.tsv"
    conda:
        "../envs/exports.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        version=1,
    script:
        "../scripts/musetalk.py"


rule hallo:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
        model=f"results/models/{HALLO}.json",
        face_model=f"results/models/{stored('glintr100')}.json",
    output:
        folder=directory("results/hallo/{video}"),
        manifest="results/hallo/{video}.csv",
    log:
        "results/logs/hallo/{video}.log",
    benchmark:
        "results/benchmarks/hallo/{video}.tsv"
    conda:
        "../envs/learned.yaml"
    threads: 2
    resources:
        mem_mb=scaled(6000),
        runtime=scaled(120),
        gpu=gpus(True),
    params:
        device=config["device"],
        version=1,
    script:
        "../scripts/hallo.py"


rule aniportrait:
    input:
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
    output:
        folder=directory("results/aniportrait/{video}"),
        manifest="results/aniportrait/{video}.csv",
    log:
        "results/logs/aniportrait/{video}.log",
    benchmark:
        "results/benchmarks/aniportrait/{video}.tsv"
    conda:
        "../envs/exports.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        version=1,
    script:
        "../scripts/aniportrait.py"


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
            place=EXPORTS[EXPORT].place,
            version=1,
        script:
            "../scripts/export.py"
