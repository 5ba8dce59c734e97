"""Report: a page to look at, with what happened to every video and every stretch of a face."""


rule preview:
    input:
        tracks=rules.tracks.output[0],
        speech=rules.speech.output[0],
        sync=rules.sync.output.tracks,
        sync_frames=rules.sync.output.frames,
        segments=rules.segments.output[0],
        folder=rules.clips.output.folder,
        manifest=rules.clips.output.manifest,
        landmarks=rules.landmarks.output.folder,
        pose=rules.pose.output.folder,
        quality=rules.quality.output.folder,
    output:
        folder=directory("results/preview/{video}"),
        manifest="results/preview/{video}.csv",
    log:
        "results/logs/preview/{video}.log",
    benchmark:
        "results/benchmarks/preview/{video}.tsv"
    conda:
        "../envs/faces.yaml"
    resources:
        mem_mb=scaled(1000),
        runtime=scaled(60),
    params:
        # No inputs, as they may have been deleted: then what was rejected is shown without pictures,
        # rather than everything made again for them.
        proxy="results/proxy/{video}.mp4",
        sound="results/proxy/{video}.wav",
        record="results/proxy/{video}.json",
        speech_threshold=config["segments"]["speech_threshold"],
        version=1,
    script:
        "../scripts/preview.py"


rule report:
    input:
        rules.dataset.output,
        previews,
    output:
        directory("results/report"),
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/media.yaml"
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(60),
    params:
        videos=list(VIDEOS.values()),
        features=config["features"],
        settings=published_settings(config, leave_out=EXPORTS),
        # Notes, too, which decide nothing: the page shows them.
        decisions=DECISIONS,
        version=1,
    script:
        "../scripts/report.py"
