"""What Snakemake's own work costs: planning a run over many videos, and finding nothing to do.

    python benchmarks/scale.py [--videos N ...] [--batch N/M ...] [--idle N] [--variant FOLDER ...]

Runs over lists of 1,000 and 10,000 videos that cannot be had, addresses and local files, with the
settings of config.yaml: from the command to the start of the first job, when they are killed.
`--batch 100000/10` does so for the first of ten batches of 100,000. `--idle 2000` makes as many
finished videos out of one (copies of its results and of Snakemake's notes on them), runs when
nothing is to be done, and asks scripts/status.py how far it is.
Seconds are those of the processor, which other work on the machine disturbs less than wall time.
Per video and per job: what a list of no videos takes is taken off. `--variant` adds copies of this
project to compare, such as one with another Snakefile.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))


# Snakefile's first line on a run's jobs, printed when all is planned and nothing has begun.
READY = "to do: "


@dataclass(frozen=True)
class Cost:
    """Processor seconds, wall seconds and peak MB of a process, and how many jobs it planned."""

    cpu: float
    wall: float
    peak: float
    jobs: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--videos", type=int, nargs="*", default=[1000, 10_000])
    parser.add_argument("--batch", nargs="*", default=[], metavar="VIDEOS/BATCHES")
    parser.add_argument("--idle", type=int, default=0, metavar="VIDEOS")
    parser.add_argument("--variant", type=Path, nargs="*", default=[], metavar="FOLDER")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for project in [ROOT, *options.variant]:
            print(f"\n{project}")
            print(f"{'list':<28}{'jobs':>9}{'cpu s':>8}{'wall s':>8}{'peak MB':>9}", end="")
            print(f"{'ms/video':>10}{'ms/job':>8}{'MB/video':>10}")
            none = start(project, listed(folder / "none", 0))
            show("no videos", none, none, 0)
            for count in options.videos:
                for kind in ("addresses", "files"):
                    workspace = listed(folder / f"{kind}{count}", count, files=kind == "files")
                    show(f"{count} {kind}", start(project, workspace), none, count)
            for asked in options.batch:
                count, batches = map(int, asked.split("/"))
                workspace = listed(folder / f"addresses{count}", count)
                cost = start(project, workspace, "--batch", f"dataset=1/{batches}")
                show(f"{count}, batch 1 of {batches}", cost, none, count / batches)
            if options.idle:
                idle(project, folder / f"idle_{project.name}", options.idle, none)


def listed(folder: Path, count: int, *, files: bool = False) -> Path:
    """A workspace whose videos.csv lists `count` videos, of three to a person."""
    if folder.exists():
        return folder
    (folder / "media").mkdir(parents=True)
    with (folder / "videos.csv").open("w") as stream:
        stream.write("video_id,source,identity,split\n")
        for i in range(count):
            source = f"media/{i:06d}.mp4" if files else f"http://127.0.0.1:9/{i}.mp4"
            stream.write(f"video_{i:06d},{source},person_{i // 3},\n")
            if files:
                (folder / source).touch()
    return folder


def start(project: Path, workspace: Path, *arguments: str) -> Cost:
    """A run until its first job."""
    shutil.rmtree(workspace / ".snakemake", ignore_errors=True)
    began = time.perf_counter()
    with (workspace / "terminal.txt").open("w+") as terminal:
        process = subprocess.Popen(
            command(project, workspace, *arguments),
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
        )
        # Read with a name of its own: the process writes where this one stands.
        with (workspace / "terminal.txt").open() as written:
            text = ""
            while READY not in text and process.poll() is None:
                time.sleep(0.05)
                text += written.read()
        if process.poll() is not None:
            sys.exit(text[-3000:])
        wall = time.perf_counter() - began
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        cpu = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
        memory = Path(f"/proc/{process.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+)", memory)[1]) / 1024
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return Cost(cpu, wall, peak, int(re.search(r"^total\s+(\d+)", text, re.MULTILINE)[1]))


def run(words: list[str], workspace: Path) -> tuple[Cost, str]:
    """A command to its end, and what it wrote."""
    began = time.perf_counter()
    output = workspace / "terminal.txt"
    with output.open("w") as stream:
        process = subprocess.Popen(words, stdout=stream, stderr=stream)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(output.read_text()[-3000:])
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024), output.read_text()


def command(project: Path, workspace: Path, *arguments: str) -> list[str]:
    """Snakemake on two cores."""
    words = [sys.executable, "-m", "snakemake", *arguments, "-s", str(project / "Snakefile")]
    return [*words, "-d", str(workspace), "--cores", "2"]


def show(name: str, cost: Cost, none: Cost, videos: float) -> None:
    line = f"{name:<28}{cost.jobs:9}{cost.cpu:8.1f}{cost.wall:8.1f}{cost.peak:9.0f}"
    if videos:
        seconds, memory = cost.cpu - none.cpu, cost.peak - none.peak
        line += f"{1000 * seconds / videos:10.2f}"
        line += f"{1000 * seconds / cost.jobs:8.3f}" if cost.jobs else f"{'':8}"
        line += f"{memory / videos:10.3f}"
    print(line, flush=True)


def idle(project: Path, workspace: Path, count: int, none: Cost) -> None:
    """A run over videos that are finished."""
    finish(project, workspace, count)
    cost, output = run(command(project, workspace), workspace)
    if "Nothing to be done" not in output:
        sys.exit(output[-3000:])
    show(f"{count} finished", cost, none, count)
    words = [sys.executable, str(project / "scripts/status.py"), str(workspace)]
    cost, output = run(words, workspace)
    if f"{count} videos; " not in output:
        sys.exit(output[-3000:])
    show("their status", cost, Cost(0, 0, 0), count)


def finish(project: Path, workspace: Path, count: int) -> None:
    """Make `count` finished videos: one for real, and its copies with Snakemake's notes on it."""
    names = [f"video_{i:06d}" for i in range(count)]
    (workspace / "media").mkdir(parents=True)
    # A file without media: every stage has its say in seconds.
    source = workspace / f"media/{names[0]}.mp4"
    source.write_text("no media")
    header = "video_id,source,identity,split\n"
    (workspace / "videos.csv").write_text(f"{header}{names[0]},media/{names[0]}.mp4,,\n")
    run(command(project, workspace), workspace)
    notes = {
        urlsafe_b64decode(path.name).decode(): path
        for path in (workspace / ".snakemake/metadata").iterdir()
    }
    files = [source, *(path for path in (workspace / "results").rglob("*") if not path.is_dir())]
    folders = [path for path in (workspace / "results").rglob(names[0]) if path.is_dir()]
    for name in names[1:]:
        for path in folders:
            path.with_name(name).mkdir()
        for path in files:
            if names[0] in str(path):
                copy(path, Path(str(path).replace(names[0], name)), names[0], name)
        for output, path in notes.items():
            if names[0] in output:
                key = urlsafe_b64encode(output.replace(names[0], name).encode()).decode()
                copy(path, path.with_name(key), names[0], name)
    rows = "".join(f"{name},media/{name}.mp4,,\n" for name in names)
    (workspace / "videos.csv").write_text(header + rows)
    _, output = run(command(project, workspace), workspace)
    if f"{READY}dataset (1 " not in output:
        sys.exit(f"the copies are not taken for finished:\n{output[:3000]}")


def copy(path: Path, target: Path, name: str, other: str) -> None:
    """Copy a file or a link, times and all, with one name for another in it."""
    if path.is_symlink():
        target.symlink_to(os.readlink(path).replace(name, other))
    else:
        target.write_bytes(path.read_bytes().replace(name.encode(), other.encode()))
    shutil.copystat(path, target, follow_symlinks=False)


if __name__ == "__main__":
    main()
