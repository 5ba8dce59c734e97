"""Functions of the rules: what a job needs, and what is known of a video beforehand."""


def learned(stage):
    """The record of the model that a stage's backend needs; nothing where it is embedded."""
    backend = config[stage]["backend"]
    model = OWN_MODELS.get(backend) or MODELS.get(backend)
    return [f"results/models/{model.name}.json"] if model else []


def stored(name):
    """The name in the store of a model of the table, or of the user's own in its place."""
    return (OWN_MODELS.get(name) or MODELS[name]).name


def models_used():
    """Name in the store of the model of every stage that has one."""
    used = {
        stage: Path(learned(stage)[0]).stem
        for stage in stages_made(config["features"])
        if config.get(stage, {}).get("backend") and learned(stage)
    }
    return used | ({"hubert": HUBERT} if "hubert" in config["features"] else {})


def gpus(model):
    """One where there is a model, unless the config wants the processor."""
    return int(bool(model) and config["device"] != "cpu")


def shown(path, caption, content):
    """An output of all videos together that Snakemake's own report shows; see docs/report.md."""
    return report(
        path,
        caption=f"../docs/captions/{caption}.rst",
        category="Dataset",
        labels={"file": Path(path).name, "content": content},
    )


def scaled(amount):
    """What a job asks for: twice the amount at its second attempt, three times at its third."""
    return lambda wildcards, attempt: attempt * amount


def source_stat(video):
    """Size and times of a video's local file; None of what is not there, or not to be looked at."""
    path = local_path(VIDEOS[video]["source"])
    try:
        return path and path.stat()
    except (OSError, ValueError):
        return None


def source_file(wildcards):
    """The local file a video comes from, so that a changed file re-runs its video.

    Not where Snakemake could not have it as an input: what it may not read, what has braces in its
    name, and what is dated later than its outputs. `source_fingerprint` notices a change there, too.
    """
    stat = source_stat(wildcards.video)
    if stat is None:
        return []
    path = str(local_path(VIDEOS[wildcards.video]["source"]))
    if not os.path.isfile(path) or not os.access(path, os.R_OK) or contains_wildcard(path):
        return []
    return [] if is_dated_ahead(wildcards.video, stat) else [path]


def is_dated_ahead(video, stat):
    """Whether a file is dated in the future, or was when its video's record was made of it."""
    record = Path(f"results/videos/{video}.json")
    if stat.st_mtime > time.time():
        return True
    if not record.exists() or stat.st_mtime <= record.stat().st_mtime:
        return False
    try:
        return read_json(record)["provenance"]["mtime_ns"] == stat.st_mtime_ns
    except (ValueError, LookupError, TypeError):  # It is damaged.
        return False


def source_fingerprint(wildcards):
    """Size and time of a local file; None of anything else."""
    stat = source_stat(wildcards.video)
    return stat and [stat.st_size, stat.st_mtime_ns]


def is_local(wildcards):
    return local_path(VIDEOS[wildcards.video]["source"]) is not None


def download_choices(wildcards):
    """What of a video is downloaded; nothing of a local file, which is the same with another."""
    names = ("format", "resolution", "subtitles", "info_json")
    return None if is_local(wildcards) else {name: config["download"][name] for name in names}


# Manifests of stages of which something inside their folder is gone.
LACKING = set()


def missing_outputs(wildcards):
    """What is gone of videos that were done.

    The dataset needs only that a video is finished, so snakemake would not miss it; asked for by
    name it is made again. Of a folder it knows only that it is there: where something inside is
    gone, the job is forced by its manifest, as one that was interrupted.
    """
    enabled = config["report"]["enabled"]
    missing = find_missing("results", VIDEOS, config["features"], FOLLOWED, report=enabled)
    LACKING.update(f"results/{path}" for path in missing.parts)
    workflow.dag.forcefiles.update(LACKING)
    if missing.outputs or missing.parts:
        print(missing.describe(), file=sys.stderr, flush=True)
    return [*(f"results/{path}" for path in missing.outputs), *sorted(LACKING)]


# Ledgers that do not say what a person decided about their candidates.
CONTRADICTED = set()


def judge_by_hand(wildcards):
    """No input: it has a video judged again whose ledger does not say what decisions.csv does.

    A ledger that agrees stays, so that nothing is made again for a decision that changes nothing.
    This is asked of every video that is planned, whatever the target.
    """
    ledger = f"results/segments/{wildcards.video}.csv"
    if contradicts(ledger, KEPT_BY_HAND.get(wildcards.video, ())):
        CONTRADICTED.add(ledger)
        workflow.dag.forcefiles.add(ledger)
    return []


def reasons(job):
    """Why a job is to run, in snakemake's words, but for the ones that are forced above."""
    for forced, reason in ((LACKING, INCOMPLETE), (CONTRADICTED, BY_HAND)):
        if not forced.isdisjoint(job.output):
            return [reason]
    return workflow.dag.reason(job).get_names()


def streams(wildcards):
    """Which streams of a video's file are read: its row of the list goes before the config."""
    row = VIDEOS[wildcards.video]
    names = ("video_stream", "audio_stream")
    return {name: config["media"][name] if row[name] is None else int(row[name]) for name in names}


def previews(wildcards):
    """What the report shows of every video; in a part of `--batch dataset=1/10` of the part's only,
    as a part plans nothing of other videos: the last one finds theirs made."""
    finished, batch = list(rules.dataset.input), workflow.dag_settings.batch
    if batch is not None and batch.rulename == "dataset":
        finished = batch.get_batch(finished)
    return [f"results/preview/{Path(path).name}.csv" for path in finished]


def reported(wildcards):
    """The report, of which a part of `--batch dataset=1/10` but the last makes the previews."""
    if not config["report"]["enabled"]:
        return []
    batch = workflow.dag_settings.batch
    if batch is None or batch.is_final or batch.rulename != "dataset":
        return rules.report.output
    return previews(wildcards)


def exported(name):
    """Inputs of an export, which is refused before anything runs where it cannot be made."""

    def inputs(wildcards):
        try:
            check_exports([name], config)
        except ConfigError as error:
            sys.exit(str(error))
        stage = expand(f"results/{name}/{{video}}.csv", video=VIDEOS) if name in STAGES else []
        card = rules.card.output if EXPORTS[name].has_card else []
        return [*rules.dataset.output, *card, *stage]

    return inputs
