"""From videos.csv to a talking-face dataset. See README.md; settings are in config.yaml."""

import gc
import os
import sys
import time
from pathlib import Path

from snakemake.io import contains_wildcard
from snakemake.utils import min_version

min_version("9.21")
SCRIPTS = str(Path(workflow.basedir) / "scripts")
sys.path.insert(0, SCRIPTS)
# Jobs use the library beside this file, whatever is installed, and as many threads as they ask for.
# Memory of pictures that are freed stays with the process: to get it anew for every picture takes a
# tenth of the processor time of parsing, and some MB more are held.
os.environ.update(
    PYTHONPATH=os.pathsep.join([SCRIPTS, *filter(None, [os.environ.get("PYTHONPATH")])]),
    OPENCV_FOR_THREADS_NUM="1",
    MALLOC_MMAP_THRESHOLD_=str(32 << 20),
    MALLOC_TRIM_THRESHOLD_=str(64 << 20),
)
# A plan is millions of objects, all of which stay: garbage is looked for among the new ones only.
gc.set_threshold(700, 1000, 1000)

from talkingface.dataset.gates import THRESHOLD_KEYS
from talkingface.dataset.split import SplitError, assign_splits
from talkingface.exports.table import EXPORTS, check_exports, followed_exports
from talkingface.job.files import read_json
from talkingface.models.table import MODELS, ModelError, own_models, store_name
from talkingface.monitor.by_hand import contradicts, kept_by_video
from talkingface.monitor.missing import find_missing
from talkingface.monitor.plan import BY_HAND, INCOMPLETE
from talkingface.settings.config_file import check_config_file
from talkingface.settings.decisions import read_decisions
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError
from talkingface.settings.sources import local_path
from talkingface.settings.published import published_settings
from talkingface.settings.videos import read_videos, refuse_vanished
from talkingface.stages import STAGES, stages_made

DEFAULTS = Path(workflow.basedir) / "config.yaml"
try:
    for path in (DEFAULTS, *workflow.overwrite_configfiles):
        check_config_file(path)
except ConfigError as error:
    sys.exit(str(error))


configfile: DEFAULTS


try:
    config.update(check_config(config))
    FOLLOWED = followed_exports("results/exports", config)
    rows = read_videos(config["videos"])
    refuse_vanished(rows, "results/videos")
    decisions = read_decisions(config["decisions"])
    assign_splits(rows, **config["split"])
    HUBERT = store_name(config["hubert"]["model"], config["hubert"]["revision"])
    HALLO = store_name(config["hallo"]["model"], config["hallo"]["revision"])
    OWN_MODELS = own_models(config["checkpoints"])
except (ConfigError, ModelError, SplitError) as error:
    sys.exit(str(error))

VIDEOS = {row["video_id"]: row for row in rows}
# By clip, sorted, as another order of the same decisions is no other param.
DECISIONS = {clip: list(cells) for clip, cells in sorted(decisions.items())}
# Notes alone decide nothing.
DECIDED = {clip: cells for clip, cells in DECISIONS.items() if cells[0]}
KEPT_BY_HAND = kept_by_video(decisions)


report: "docs/captions/workflow.rst"


wildcard_constraints:
    video="[A-Za-z0-9_-]+",
    model="[A-Za-z0-9_.@-]+",


include: "rules/functions.smk"
include: "rules/models.smk"
include: "rules/media.smk"
include: "rules/faces.smk"
include: "rules/clips.smk"
include: "rules/geometry.smk"
include: "rules/pictures.smk"
include: "rules/sound.smk"
include: "rules/dataset.smk"
include: "rules/report.smk"
include: "rules/exports.smk"


# One file a video that says that all of it is there: the parts of `--batch dataset=1/10`. What the
# dataset reads of a video are these inputs. It names them by this one file, as its own list of
# inputs is what snakemake compares with a finished workspace: another would make it again.
rule finished:
    input:
        "results/videos/{video}.json",
        "results/segments/{video}.csv",
        "results/clips/{video}.csv",
        "results/quality/{video}.csv",
        expand("results/{feature}/{{video}}.csv", feature=config["features"]),
    output:
        touch("results/finished/{video}"),
    localrule: True


rule all:
    default_target: True
    input:
        rules.dataset.output,
        rules.card.output,
        reported,
        expand("results/exports/{export}", export=FOLLOWED),
        missing_outputs,


onstart:
    from talkingface.monitor.by_hand import find_unknown
    from talkingface.monitor.plan import describe_plan
    from talkingface.settings.decisions import describe_unknown
    from talkingface.settings.videos import describe_absent

    if workflow.local_exec and "gpu" not in workflow.global_resources:
        wanting = {
            job.rule.name
            for job in workflow.dag.needrun_jobs()
            # Of the rule: to work out those of a job takes long, and is done when it is started.
            if "gpu" in job.rule.resources and job.rule.resources.get("gpu").value
        }
        if wanting:
            sys.exit(
                f"On a GPU: {', '.join(sorted(wanting))}. Say how many this machine has, with\n"
                "  --resources gpu=1 downloads=4\n"
                "Every job gets one of its own. `device: cpu` in the config does without."
            )
    jobs = [
        (job.rule.name, reasons(job))
        for job in workflow.dag.needrun_jobs()
        if not job.rule.norun
    ]
    print(describe_plan(jobs, [rule.name for rule in workflow.rules]), flush=True)
    absent = describe_absent(rows, config["videos"])
    if absent:
        print(absent, flush=True)
    unknown = find_unknown(DECIDED, "results", VIDEOS)
    if unknown:
        print(describe_unknown(unknown), flush=True)


onsuccess:
    from talkingface.dataset.summary import describe
    from talkingface.monitor.status import read_summary

    summary = read_summary("results")
    if summary:
        print(describe(summary))
    page = Path("results/report/index.html").absolute()
    if config["report"]["enabled"] and page.exists():
        print(f"To look through it, open in a browser: {page}", flush=True)


onerror:
    from talkingface.monitor.status import describe_errors, read_status

    status = read_status("results", VIDEOS)
    if status.errors:
        print(describe_errors(status))
    script = Path(workflow.basedir).resolve() / "scripts/status.py"
    print(f"How far the run is: python {script} {Path.cwd()}", flush=True)
