"""From videos.csv to a talking-face dataset. See README.md; settings are in config.yaml."""

import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.21")
sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from talkingface.config import ConfigError, check_config, read_videos, refuse_vanished
from talkingface.gates import THRESHOLD_KEYS
from talkingface.models import MODELS, ModelError, store_name
from talkingface.sources import local_path
from talkingface.split import SplitError, assign_splits


configfile: Path(workflow.basedir) / "config.yaml"


try:
    config.update(check_config(config))
    rows = read_videos(config["videos"])
    refuse_vanished(rows, "results/videos")
    assign_splits(rows, config["split"]["eval_fraction"])
    HUBERT = store_name(config["hubert"]["model"], config["hubert"]["revision"])
except (ConfigError, ModelError, SplitError) as error:
    sys.exit(str(error))

VIDEOS = {row["video_id"]: row for row in rows}


def learned(stage):
    """The record of the model that a stage's backend needs; nothing where it is embedded."""
    backend = config[stage]["backend"]
    return [f"results/models/{backend}.json"] if backend in MODELS else []


def gpus(model):
    """One where there is a model, unless the config wants the processor."""
    return int(bool(model) and config["device"] != "cpu")


def scaled(amount):
    """What a job asks for: twice the amount at its second attempt, three times at its third."""
    return lambda wildcards, attempt: attempt * amount


wildcard_constraints:
    video="[A-Za-z0-9_-]+",
    model="[A-Za-z0-9_.@-]+",


include: "rules/models.smk"
include: "rules/media.smk"
include: "rules/faces.smk"
include: "rules/clips.smk"
include: "rules/geometry.smk"
include: "rules/pictures.smk"
include: "rules/sound.smk"
include: "rules/dataset.smk"


rule all:
    default_target: True
    input:
        rules.dataset.output.summary,
        # Wanted for itself too, so that what was deleted is made again.
        rules.dataset.input,


onstart:
    from talkingface.plan import describe_plan

    if workflow.local_exec and "gpu" not in workflow.global_resources:
        wanting = {
            job.rule.name for job in workflow.dag.needrun_jobs() if job.resources.get("gpu")
        }
        if wanting:
            sys.exit(
                f"On a GPU: {', '.join(sorted(wanting))}. Say how many this machine has, with\n"
                "  --resources gpu=1 downloads=4\n"
                "Every job gets one of its own. `device: cpu` in the config does without."
            )
    jobs = [
        (job.rule.name, workflow.dag.reason(job).get_names())
        for job in workflow.dag.needrun_jobs()
        if job.rule.name != "all"
    ]
    print(describe_plan(jobs, [rule.name for rule in workflow.rules]), flush=True)


onsuccess:
    from talkingface.files import read_json
    from talkingface.summary import describe

    if Path("results/dataset/summary.json").exists():
        print(describe(read_json("results/dataset/summary.json")))
