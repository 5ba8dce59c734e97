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
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import pytest

from helpers.small_disk import resize, small_disk
from talkingface.demo.videos import Video, demo_videos, write_video

from .conftest import ROOT, Workspace

KILLS = int(os.environ.get("KILLS", "6"))
SEED = int(os.environ.get("KILL_SEED", "0"))
FEATURES = ("--config", "features=[landmarks,mfcc]")
# Seconds that a kill comes after the end of a job, at most: as long as most jobs take.
LONGEST_WAIT = 2.0


class SlowServer(SimpleHTTPRequestHandler):
    """Gives files in a second or two, so that a kill may come in between."""

    def copyfile(self, source: Any, outputfile: BinaryIO) -> None:
        with suppress(ConnectionError):
            while block := source.read(32 << 10):
                outputfile.write(block)
                time.sleep(0.1)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Rows of videos.csv: one short film from a server on this machine, another from a file."""
    folder = tmp_path_factory.mktemp("short")
    films = {video.video_id: video for video in demo_videos()}
    for name, film in {
        "web": shortened(films["vlog"], [0], 100),
        "file": shortened(films["interview"], [0, 2], 85),
    }.items():
        write_video(folder / f"{name}.mp4", film.frames(), film.rate, film.sound(), film.audio_rate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SlowServer, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [
        f"web,http://127.0.0.1:{server.server_port}/web.mp4,ann,train",
        f"file,{folder}/file.mp4,ben,eval",
    ]
    server.shutdown()


def shortened(video: Video, shots: list[int], frames: int) -> Video:
    """The first frames of some of a film's shots."""
    samples = round(frames / video.rate * video.audio_rate)
    parts = [video.shots[index] for index in shots]
    short = [replace(shot, frames=frames, sound=shot.sound[:samples]) for shot in parts]
    return replace(video, shots=tuple(short))


class Outcome(NamedTuple):
    """What a run has made, and of how many jobs."""

    content: dict[str, str]
    jobs: int


@pytest.fixture(scope="module")
def undisturbed(rows: list[str], tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run that nobody disturbs."""
    workspace = Workspace(tmp_path_factory.mktemp("undisturbed"))
    workspace.list_videos(*rows)
    workspace.run(*FEATURES)
    assert workspace.json("dataset/summary.json")["train"]["clips"] == 1
    assert workspace.json("dataset/summary.json")["eval"]["clips"] == 2
    return Outcome(content(workspace), finished_jobs(workspace))


def test_a_killed_run_ends_as_if_it_had_not_been(
    undisturbed: Outcome, rows: list[str], tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    # Moments in jobs done: spread over the whole run, each anywhere in its part.
    moments = [undisturbed.jobs * (kill + chance.random()) / KILLS for kill in range(KILLS)]
    workspaces = math.ceil(KILLS / 5)
    hits = []
    for number in range(workspaces):
        workspace = Workspace(tmp_path / str(number))
        workspace.folder.mkdir()
        workspace.list_videos(*rows)
        for moment in moments[number::workspaces]:
            jobs = int(moment)
            hit = run_and_kill(workspace, jobs, (moment - jobs) * LONGEST_WAIT)
            hits.append(hit)
            print(f"kill {len(hits)}, at {moment:.2f} of {undisturbed.jobs} jobs: {hit or 'none'}")
            # What README tells to do.
            workspace.run("--unlock")
        workspace.run(*FEATURES)
        assert content(workspace) == undisturbed.content
        shutil.rmtree(workspace.folder)
    counts = Counter(stage for hit in hits for stage in hit)
    print(f"stages at work when killed: {dict(counts)}; none: {hits.count(set())} times")
    assert len(counts) >= min(7, KILLS // 2)


def test_a_second_run_at_the_same_time_is_refused(rows: list[str], tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos(rows[0])
    first = start(workspace)
    wait_for(lambda: finished_jobs(workspace) > 0, first)
    second = workspace.run(*FEATURES, check=False)
    assert first.poll() is None
    assert second.returncode != 0
    assert "cannot be locked" in second.stderr and "--unlock" in second.stderr
    assert first.wait(timeout=300) == 0
    assert "Nothing to be done" in workspace.run(*FEATURES).stderr


# Room for a part of the download, then for a part of the clips.
@pytest.mark.parametrize(
    ("size", "said"),
    [("300k", "No space left on device"), ("2M", "No space left on device: 'results/clips/")],
    ids=["download", "clips"],
)
def test_a_run_fills_the_disk(
    undisturbed: Outcome, rows: list[str], tmp_path: Path, size: str, said: str
) -> None:
    workspace = Workspace(tmp_path)
    with small_disk(tmp_path, size):
        workspace.list_videos(*rows)
        failed = workspace.run(*FEATURES, check=False)
        assert failed.returncode != 0
        assert said in failed.stderr
        resize(tmp_path, "100M")
        workspace.run(*FEATURES)
        assert content(workspace) == undisturbed.content


def start(workspace: Workspace) -> subprocess.Popen[bytes]:
    """Begin a run in a session of its own."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    command += ["-d", str(workspace.folder), "--cores", "2", *FEATURES]
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
    """Everything under results/ but logs and benchmarks: checksums of files, targets of links."""
    results = workspace.folder / "results"
    found = {}
    for path in sorted(results.rglob("*")):
        name = path.relative_to(results)
        if name.parts[0] in ("logs", "benchmarks"):
            continue
        if path.is_symlink():
            found[str(name)] = os.readlink(path)
        else:
            found[str(name)] = "" if path.is_dir() else hashlib.md5(path.read_bytes()).hexdigest()
    return found
