"""The demonstration in a SLURM cluster, while jobs are cancelled and run out of memory."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import yaml

from helpers.paths import ROOT

from .cluster import TOO_LITTLE_MB, Cluster, Job
from .conftest import QUICK, ClusterWorkspace, make_workspace

# What this cluster's users put in place of the profile's comments.
SITE = (
    *("--default-resources", "slurm_partition=cpu"),
    *("--set-resources", "sync:slurm_partition=gpu", "sync:gpu_model=test", "sync:gpu=1"),
)
# For one video too little, at first.
OVER_MEMORY = (
    f"tracks:mem_mb={TOO_LITTLE_MB} if wildcards.video == 'vlog' and attempt == 1 else 1200"
)


@dataclass
class Run:
    """A finished run in the cluster."""

    workspace: ClusterWorkspace
    jobs: list[Job]
    cancelled: int
    local: ClusterWorkspace

    def of(self, rule: str) -> list[Job]:
        return [job for job in self.jobs if job.rule == rule]

    def attempts(self) -> list[list[Job]]:
        """The jobs of every rule and video in the order of their attempts."""
        found: dict[tuple[str, str], list[Job]] = {}
        for job in self.jobs:
            found.setdefault((job.rule, job.video), []).append(job)
        return list(found.values())


@pytest.fixture(scope="module")
def run(cluster: Cluster, demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demonstration in the cluster; beside it, for comparison, without one."""
    workspace = make_workspace(tmp_path_factory.mktemp("run"), cluster, demo_videos)
    local = make_workspace(tmp_path_factory.mktemp("local"), cluster, demo_videos)
    alone = local.start("--cores", "2", profile="default")
    process = workspace.start(*SITE, OVER_MEMORY, *QUICK)

    def running_scenes() -> Job | None:
        scenes = [job for job in cluster.jobs() if job.rule == "scenes"]
        running = [job for job in scenes if job.state == "RUNNING"]
        # A job is called running before its script is, which notes the GPUs it sees.
        return next((job for job in running if cluster.gpus_seen(job)), None)

    cancelled = wait_for(running_scenes, process).number
    cluster.ask("scancel", str(cancelled))
    workspace.finish(process)
    local.finish(alone)
    return Run(workspace, cluster.jobs(), cancelled, local)


def wait_for(find: Callable[[], Job | None], process: subprocess.Popen[str]) -> Job:
    deadline = time.monotonic() + 900
    while (found := find()) is None:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.3)
    return found


def interrupt(process: subprocess.Popen[str], output: Path) -> None:
    """Press Ctrl-C, as a user would: again where nothing comes of it.

    Snakemake does not hear it while it writes a line of its log (`ColorizingTextHandler.emit`),
    such as the one that tells of the job that began just now.
    """
    for _ in range(5):
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if process.poll() is not None or "on user request" in output.read_text():
                return
            time.sleep(0.3)
    pytest.fail("the run does not hear that it is interrupted")


@pytest.fixture(scope="module")
def said(run: Run) -> dict[tuple[str, str], dict[str, int]]:
    """What the rules say every job needs at its first attempt, as a dry run prints it."""
    done = run.local.ask(
        *("--dry-run", "--forceall", "--cores", "64"),
        *("--configfile", str(run.local.folder / "mine.yaml")),
    )
    assert done.returncode == 0, done.stderr
    said: dict[tuple[str, str], dict[str, int]] = {}
    for rule, block in re.findall(r"^rule (\w+):\n((?: .*\n)+)", done.stdout, re.MULTILINE):
        video = re.search(r"wildcards: video=(\S+)", block)
        words = re.findall(r"\b(threads|mem_mb|runtime|gpu)[=:] ?(\d+)", block)
        amounts = {"threads": 1} | {name: int(word) for name, word in words}
        if rule not in ("all", "finished"):  # they only wait for others: nothing for a node
            said[rule, video[1] if video else ""] = amounts
    return said


def test_every_job_came_to_its_end(run: Run, said: dict[tuple[str, str], dict[str, int]]) -> None:
    ended = [attempts[-1] for attempts in run.attempts()]
    assert {job.state for job in ended} == {"COMPLETED"}
    assert {(job.rule, job.video) for job in ended} == set(said)
    assert len(said) > 40
    failed = [job for job in run.jobs if job.state != "COMPLETED"]
    assert [job.rule for job in failed] == ["scenes", "tracks"]


def test_jobs_get_what_their_rules_say(
    run: Run, said: dict[tuple[str, str], dict[str, int]]
) -> None:
    for attempts in run.attempts():
        for number, job in enumerate(attempts, 1):
            amounts = said[job.rule, job.video]
            assert job.cpus == amounts["threads"]
            assert job.minutes == number * amounts["runtime"]
            if job.rule != "tracks":
                assert job.memory_mb == number * amounts["mem_mb"]


def test_jobs_run_beside_each_other(run: Run) -> None:
    first, second = run.of("download")[:2]
    assert second.start < first.end


def test_gpu_jobs_get_one_gpu_and_others_none(run: Run) -> None:
    for job in run.jobs:
        on_gpu = job.rule == "sync"
        assert job.gpus == int(on_gpu)
        assert job.partition == ("gpu" if on_gpu else "cpu")
        assert run.workspace.cluster.gpus_seen(job) == {"0" if on_gpu else "unset"}


def test_gpu_jobs_take_turns_on_the_one_gpu(run: Run) -> None:
    jobs = sorted(run.of("sync"), key=lambda job: job.start)
    assert len(jobs) == 5
    for earlier, later in pairwise(jobs):
        assert earlier.end <= later.start


def test_a_cancelled_job_is_tried_again(run: Run) -> None:
    (attempts,) = [a for a in run.attempts() if run.cancelled in [job.number for job in a]]
    assert [job.state for job in attempts] == ["CANCELLED", "COMPLETED"]


def test_a_job_over_its_memory_is_tried_again_with_more(run: Run) -> None:
    log = (run.workspace.cluster.folder / "slurmd.log").read_text()
    first, second = [job for job in run.of("tracks") if job.video == "vlog"]
    assert (first.state, first.memory_mb) == ("FAILED", TOO_LITTLE_MB)
    assert (second.state, second.memory_mb) == ("COMPLETED", 1200)
    killed = re.findall(r"StepId=(\d+)\.\w+ exceeded memory limit", log)
    assert set(killed) == {str(first.number)}


def test_the_dataset_is_that_of_a_local_run(run: Run) -> None:
    here, there = run.local.folder / "results", run.workspace.folder / "results"
    files = products(here)
    assert len(files) > 90
    assert products(there) == files
    for name in files:
        if name.parts[0] == "videos":
            assert record(here / name) == record(there / name), name
        elif (here / name).read_bytes() != (there / name).read_bytes():
            assert name.suffix == ".mp4", name
            assert np.array_equal(decoded(here / name), decoded(there / name)), name


def products(results: Path) -> set[Path]:
    """All files but logs, benchmarks, checksums and the report, relative to the folder.

    Films of the same pictures and records of other folders have other checksums, and the report
    says how long everything took.
    """
    apart = ("logs", "benchmarks", "checksums", "report")
    files = {file.relative_to(results) for file in results.rglob("*") if file.is_file()}
    return {file for file in files if file.parts[0] not in apart}


def record(path: Path) -> dict[str, object]:
    """What is known of a video, but not the folder it lies in."""
    known = json.loads(path.read_text())
    known["provenance"]["path"] = Path(known["provenance"]["path"]).name
    return known


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray() for frame in container.decode(video=0)])


def test_a_second_run_submits_nothing(run: Run) -> None:
    before = len(run.workspace.cluster.jobs())
    output = run.workspace.finish(run.workspace.start(*SITE, OVER_MEMORY, *QUICK))
    assert "Nothing to be done" in output
    assert len(run.workspace.cluster.jobs()) == before


def test_downloads_can_stay_on_this_machine(workspace: ClusterWorkspace) -> None:
    with (workspace.folder / "mine.yaml").open("a") as settings:
        settings.write("download: {local: true}\n")
    before = len(workspace.cluster.jobs())
    workspace.finish(workspace.start("--until", "download", *QUICK))
    assert len(list((workspace.folder / "results" / "videos").iterdir())) == 5
    assert len(workspace.cluster.jobs()) == before


def test_an_interrupted_run_leaves_no_jobs(workspace: ClusterWorkspace) -> None:
    before = {job.number for job in workspace.cluster.jobs()}

    def started() -> Job | None:
        jobs = [job for job in workspace.cluster.jobs() if job.number not in before]
        return next((job for job in jobs if job.state == "RUNNING"), None)

    # A server that takes a connection and never answers: the job cannot end by itself.
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/slow.mp4"
        workspace.list_videos(f"slow,{address},,")
        with (workspace.folder / "mine.yaml").open("a") as settings:
            settings.write("download: {private_addresses: true}\n")
        process = workspace.start("results/videos/slow.json", *QUICK)
        wait_for(started, process)
        interrupt(process, workspace.folder / "output")
        assert process.wait(300) != 0
        # Until its processes are gone a cancelled job is said to be completing.
        assert workspace.cluster.wait_until_idle(120)
    jobs = [job for job in workspace.cluster.jobs() if job.number not in before]
    assert [job.state for job in jobs] == ["CANCELLED"]


def test_the_profile_repeats_the_default_one() -> None:
    # It replaces that one, and does not add to it.
    default, slurm = (
        yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text())
        for name in ("default", "slurm")
    )
    assert default.items() <= slurm.items()
    # A budget of GPUs would be one for the whole cluster.
    assert not [entry for entry in slurm.get("resources", []) if entry.startswith("gpu")]
