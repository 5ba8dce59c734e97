"""Functions of the rules: what a job needs, and what is known of a video beforehand."""


def learned(stage):
    """The record of the model that a stage's backend needs; nothing where it is embedded."""
    backend = config[stage]["backend"]
    model = OWN_MODELS.get(backend) or MODELS.get(backend)
    return [f"results/models/{model.name}.json"] if model else []


def gpus(model):
    """One where there is a model, unless the config wants the processor."""
    return int(bool(model) and config["device"] != "cpu")


def scaled(amount):
    """What a job asks for: twice the amount at its second attempt, three times at its third."""
    return lambda wildcards, attempt: attempt * amount


def source_file(wildcards):
    """The local file a video comes from, so that a changed file re-runs its video."""
    path = local_path(VIDEOS[wildcards.video]["source"])
    return [str(path)] if path and path.exists() else []


def source_fingerprint(wildcards):
    """Size and time of a local file; None of anything else."""
    path = local_path(VIDEOS[wildcards.video]["source"])
    if path is None or not path.exists():
        return None
    return [path.stat().st_size, path.stat().st_mtime_ns]


def is_local(wildcards):
    return local_path(VIDEOS[wildcards.video]["source"]) is not None


def download_choices(wildcards):
    """What of a video is downloaded; nothing of a local file, which is the same with another."""
    names = ("format", "resolution", "subtitles", "info_json")
    return None if is_local(wildcards) else {name: config["download"][name] for name in names}


def missing_outputs(wildcards):
    """Tables that are gone of finished videos.

    The dataset needs only that a video is finished, so snakemake would not miss them; asked for by
    name they are made again.
    """
    finished = [video for video in VIDEOS if Path("results/finished", video).exists()]
    tables = (path.format(video=video) for video in finished for path in rules.finished.input)
    return [path for path in tables if not Path(path).exists()]


def media_settings(wildcards):
    """How a video's file is read: its row of the list goes before the config."""
    row = VIDEOS[wildcards.video]
    names = ("video_stream", "audio_stream")
    own = {name: int(row[name]) for name in names if row[name] is not None}
    return {**config["media"], **own}
