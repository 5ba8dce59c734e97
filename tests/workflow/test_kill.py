"""Runs that are killed, that meet another run, or that fill the disk: a re-run sets all right.

`KILLS=30 pytest -s tests/workflow/test_kill.py` kills 30 times instead of 6 and prints each.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers.demo_parts import demo_video, draw, shortened
from helpers.file_server import file_server
from helpers.small_disk import resize, small_disk
from helpers.workspace import Workspace

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("KILL_SEED", "0"))
SETTINGS = "features: [landmarks, mfcc]\ndownload: {private_addresses: true}\n"
FEATURES = ("--configfile", "mine.yaml")
# The report says how long everything took.
OF_TIMES = ("report/data/run.js", "checksums/report/index.csv")
# Seconds that a kill comes after the end of a job, at most: as long as most jobs take.
LONGEST_WAIT = 2.0


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Rows of videos.csv: one short film from a server on this machine, another from a file."""
    folder = tmp_path_factory.mktemp("short")
    draw(shortened(demo_video("vlog"), [0], 100), folder / "web.mp4")
    draw(shortened(demo_video("interview"), [0, 2], 85), folder / "file.mp4")
    # A download takes a second or two, so that a kill may come in between.
    with file_server(folder, pause=0.1) as address:
        yield [f"web,{address}/web.mp4,ann,train", f"file,{folder}/file.mp4,ben,eval"]


def prepare(workspace: Workspace, rows: list[str]) -> None:
    """Write what a run reads."""
    workspace.list_videos(*rows)
    (workspace.folder / "mine.yaml").write_text(SETTINGS)


class Outcome(NamedTuple):
    """What a run has made, of how many jobs; and what another one said meanwhile."""

    content: dict[str, str]
    jobs: int
    refused: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def undisturbed(rows: list[str], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run that nobody kills; another one is started beside it, which must not disturb it."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed"))
    prepare(workspace, rows)
    process = start(workspace)
    wait_for(lambda: finished_jobs(workspace) > 0, process)
    refused = workspace.ask(*FEATURES)
    assert process.poll() is None
    assert process.wait(timeout=600) == 0, (workspace.folder / "terminal.txt").read_text()
    assert "Nothing to be done" in workspace.ask(*FEATURES).stderr
    assert workspace.json("dataset/summary.json")["train"]["clips"] == 1
    assert workspace.json("dataset/summary.json")["eval"]["clips"] == 2
    return Outcome(content(workspace), finished_jobs(workspace), refused)


def test_a_second_run_at_the_same_time_is_refused(undisturbed: Outcome) -> None:
    assert undisturbed.refused.returncode != 0
    said = undisturbed.refused.stderr
    assert "cannot be locked" in said and "--unlock" in said


def test_a_killed_run_ends_as_if_it_had_not_been(
    undisturbed: Outcome, rows: list[str], tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    # Moments in jobs done: spread over the whole run, each anywhere in its part.
    moments = [undisturbed.jobs * (kill + chance.random()) / KILLS for kill in range(KILLS)]
    workspaces = math.ceil(KILLS / 6)
    hits = []
    for number in range(workspaces):
        workspace = Workspace(tmp_path / str(number))
        workspace.folder.mkdir()
        prepare(workspace, rows)
        for moment in moments[number::workspaces]:
            jobs = int(moment)
            hit = run_and_kill(workspace, jobs, (moment - jobs) * LONGEST_WAIT)
            hits.append(hit)
            print(f"kill {len(hits)}, at {moment:.2f} of {undisturbed.jobs} jobs: {hit or 'none'}")
            # What README tells to do.
            assert workspace.ask("--unlock").returncode == 0
        workspace.run(*FEATURES)
        assert content(workspace) == undisturbed.content
        shutil.rmtree(workspace.folder)
    counts = Counter(stage for hit in hits for stage in hit)
    print(f"stages at work when killed: {dict(counts)}; none: {hits.count(set())} times")
    assert len(counts) >= min(7, KILLS // 2)


def test_a_run_fills_the_disk(undisturbed: Outcome, rows: list[str], tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with small_disk(tmp_path, "300k"):
        prepare(workspace, rows)
        # Room for a part of the download, then for a part of the clips.
        for size, said in (("300k", ""), ("2M", ": 'results/clips/")):
            resize(tmp_path, size)
            failed = workspace.run(*FEATURES, check=False)
            assert failed.returncode != 0
            assert f"No space left on device{said}" in failed.stderr
        resize(tmp_path, "100M")
        workspace.run(*FEATURES)
        assert content(workspace) == undisturbed.content


def start(workspace: Workspace) -> subprocess.Popen[bytes]:
    """Begin a run in a session of its own."""
    command = [sys.executable, "-m", "snakemake", *workspace.arguments("--cores", "2", *FEATURES)]
    with (workspace.folder / "terminal.txt").open("wb") as terminal:
        return subprocess.Popen(
            command, cwd=workspace.folder, stdout=terminal, stderr=terminal, start_new_session=True
        )


def run_and_kill(workspace: Workspace, jobs: int, wait: float) -> set[str]:
    """Run until so many jobs are done and `wait` more seconds, then kill all of its processes.

    Gives the stages that were at work.
    """
    process = start(workspace)
    wait_for(lambda: finished_jobs(workspace) >= jobs, process)
    time.sleep(wait)
    hit = set()
    while alive := members(process.pid):
        # Snakemake calls a job's script tmp....{stage}.py.
        hit |= {name.split(".")[-2] for name in alive.values() if "/scripts/tmp" in name}
        for pid in alive:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.poll()
    # A run that had just come to its end is as good a case as any.
    assert process.wait() in (0, -signal.SIGKILL), (workspace.folder / "terminal.txt").read_text()
    return hit


def members(session: int) -> dict[int, str]:
    """Processes of a session that still live, with the last word of their command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            state, _, _, owner = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(owner) == session and state != "Z":
                found[int(entry.name)] = (
                    (entry / "cmdline").read_text().rstrip("\0").split("\0")[-1]
                )
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Until the condition is met or the process has ended."""
    until = time.monotonic() + 300
    while process.poll() is None and not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def finished_jobs(workspace: Workspace) -> int:
    """Jobs whose record of time was written, the last thing a job does."""
    return len(list((workspace.folder / "results").glob("benchmarks/**/*.tsv")))


def content(workspace: Workspace) -> dict[str, str]:
    """Everything under results/ but logs, benchmarks and what the report says of times: checksums
    of files, targets of links."""
    results = workspace.folder / "results"
    found = {}
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        if name.parts[0] in ("logs", "benchmarks") or str(name) in OF_TIMES:
            continue
        if path.is_symlink():
            found[str(name)] = os.readlink(path)
        else:
            found[str(name)] = "" if path.is_dir() else hashlib.md5(path.read_bytes()).hexdigest()
    return found
