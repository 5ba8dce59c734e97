"""What every rule's job imports before its work: processor seconds, beside the least there is.

    python benchmarks/startup.py VIDEO [--against CHECKOUT] [--runs N]

VIDEO is a short film of a speaking face. It is taken through the whole workflow once, with all
embedded backends, and once more from an address that this program serves itself. The programs that
Snakemake starts for the jobs are kept, and then run again, N times each; of every number the least
counts. With `--against`, those of another checkout are run in turn with them.

`import`: processor time (user and system) of the interpreter's start and of all import statements
that the job executes, wherever they stand: with the module, or in the function that first needs
it. That is all that stands before a job's work apart from loading networks. It is measured inside
the job, per thread, by a hook around `__import__`.

`x`: that over the import time of a job with the same preamble of Snakemake and numpy alone.

`job`: processor time of the whole job with everything it starts, on VIDEO.

Jobs that need a download (of a model) are not run. Theirs are the import statements at the head of
the script, marked with a star: without those of the learned backend.
"""

from __future__ import annotations

import argparse
import ast
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from talkingface.stages import FEATURES  # noqa: E402

# Rules that need weights to be fetched: only the imports at the head of their scripts are measured.
NOT_RUN = ("models", "hubert")
RULES = [
    name
    for file in sorted((ROOT / "rules").glob("*.smk"))
    for name in re.findall(r"^rule (\w+):$", file.read_text(), re.MULTILINE)
]
LEAST = "numpy alone"
ADDRESS = "download (address)"
PREAMBLE_END = "######## snakemake preamble end #########"

# What Python executes at its start: keeps the program of a job, or measures its imports.
HOOK = """
import os, sys, time
if "STARTUP_KEPT" in os.environ:
    path = sys.orig_argv[-1]
    if ".snakemake/scripts/" in path and path.endswith(".py"):
        import shutil
        stage = path.split(".")[-2]
        shutil.copyfile(path, os.path.join(os.environ["STARTUP_KEPT"], stage + ".py"))
elif "STARTUP_REPORT" in os.environ:
    import atexit, builtins, importlib, threading
    began = time.process_time()
    spent, state = [], threading.local()

    def timed(function):
        def call(*arguments, **named):
            if getattr(state, "inside", False):
                return function(*arguments, **named)
            state.inside = True
            start = time.thread_time()
            try:
                return function(*arguments, **named)
            finally:
                spent.append(time.thread_time() - start)
                state.inside = False
        return call

    builtins.__import__ = timed(builtins.__import__)
    importlib.import_module = timed(importlib.import_module)

    def report(path=os.environ["STARTUP_REPORT"]):
        with open(path, "w") as file:
            file.write(str(began + sum(spent)))

    atexit.register(report)
"""


class Program(NamedTuple):
    """A job's program: its file, and the workspace it runs in."""

    path: Path
    workspace: Path


class Seconds(NamedTuple):
    """Processor seconds of a job: of its imports, and of all of it."""

    imports: float
    job: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--runs", type=int, metavar="N", default=5)
    options = parser.parse_args()
    checkouts = {"after" if options.against else "": ROOT}
    if options.against:
        checkouts = {"before": options.against.resolve()} | checkouts
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hook").mkdir()
        (Path(folder) / "hook/sitecustomize.py").write_text(HOOK)
        programs = {
            name: kept_programs(checkout, options.video.resolve(), Path(folder, name or "this"))
            for name, checkout in checkouts.items()
        }
        least: dict[tuple[str, str], Seconds] = {}
        for _ in range(options.runs):
            for job in [LEAST, *rows()]:
                for name, checkout in checkouts.items():
                    found = measure(programs[name][job], checkout, Path(folder))
                    before = least.get((name, job), found)
                    least[name, job] = Seconds(*map(min, found, before))
    show(list(checkouts), least)


def rows() -> list[str]:
    """The table's rows: the rules, and the download from an address after that of a file."""
    return [row for rule in RULES for row in ([rule, ADDRESS] if rule == "download" else [rule])]


def kept_programs(checkout: Path, video: Path, folder: Path) -> dict[str, Program]:
    """The programs of all jobs of a checkout, after a run that leaves them all their inputs."""
    kept, local = folder / "kept", folder / "local"
    run_workflow(checkout, str(video), local, kept, ["all"])
    run_workflow(checkout, str(video), local, kept, ["retry_unavailable"])
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(video.parent))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/{video.name}"
    # The server stays: the job is run again.
    run_workflow(
        checkout, address, folder / "address", folder / "fetched", ["results/videos/video.json"]
    )
    programs = {rule: Program(kept / f"{rule}.py", local) for rule in RULES}
    programs[ADDRESS] = Program(folder / "fetched/download.py", folder / "address")
    preamble = (kept / "segments.py").read_text().split(PREAMBLE_END)[0]
    for rule in NOT_RUN:
        head = imports_of(checkout / f"scripts/{rule}.py")
        programs[rule].path.write_text(f"{preamble}\n{head}\n")
    programs[LEAST] = Program(kept / "numpy.alone.py", local)
    programs[LEAST].path.write_text(f"{preamble}\nimport numpy\n")
    return programs


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a line on the terminal."""

    def log_message(self, *_: object) -> None:
        pass


def imports_of(script: Path) -> str:
    """The import statements at the head of a script."""
    body = ast.parse(script.read_text()).body
    return "\n".join(ast.unparse(n) for n in body if isinstance(n, ast.Import | ast.ImportFrom))


def run_workflow(
    checkout: Path, source: str, workspace: Path, kept: Path, targets: list[str]
) -> None:
    """Run Snakemake on one video; copies of its jobs' programs are put into `kept`."""
    workspace.mkdir(parents=True, exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    (workspace / "videos.csv").write_text(f"video_id,source\nvideo,{source}\n")
    # Whatever is spoken, it is kept.
    lenient = {"min_face_height": 1, "min_frames": 25, "min_confidence": -100}
    lenient |= {"min_probability": 0, "min_mouth_motion": 0}
    # Settings that the checkout does not know it would refuse.
    known = (checkout / "config.yaml").read_text()
    thresholds = {name: value for name, value in lenient.items() if f"  {name}:" in known}
    features = [feature for feature in FEATURES if feature not in NOT_RUN]
    config = {"features": features, "segments": thresholds}
    (workspace / "settings.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "snakemake", "-s", str(checkout / "Snakefile")]
    command += ["-d", str(workspace), "--configfile", str(workspace / "settings.json")]
    command += ["--cores", str(len(os.sched_getaffinity(0))), "--quiet", "all", "--", *targets]
    environment = os.environ | {
        "PYTHONPATH": str(workspace.parents[1] / "hook"),
        "STARTUP_KEPT": str(kept),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the workflow of {checkout} failed:\n{done.stdout}{done.stderr}")


def measure(program: Program, checkout: Path, folder: Path) -> Seconds:
    """Run a job's program again."""
    report = folder / "report"
    paths = [str(folder / "hook"), str(checkout / "scripts")]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "OPENCV_FOR_THREADS_NUM": "1",
        "STARTUP_REPORT": str(report),
    }
    process = subprocess.Popen(
        [sys.executable, str(program.path)], cwd=program.workspace, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        sys.exit(f"{program.path.name} failed in {program.workspace}")
    return Seconds(float(report.read_text()), usage.ru_utime + usage.ru_stime)


def show(names: list[str], least: dict[tuple[str, str], Seconds]) -> None:
    """Print the table."""
    heads = [f"{name} {head}".strip() for name in names for head in ("import", "x", "job")]
    print(f"{'rule':<20}" + "".join(f"{head:>15}" for head in heads))
    for job in [LEAST, *rows()]:
        cells = ""
        for name in names:
            found = least[name, job]
            ratio = found.imports / least[name, LEAST].imports
            whole = f"{found.job:15.2f}" if job not in NOT_RUN else f"{'':15}"
            cells += f"{found.imports:15.3f}{ratio:15.2f}{whole}"
        print(f"{job + ('*' if job in NOT_RUN else ''):<20}{cells}")


if __name__ == "__main__":
    main()
