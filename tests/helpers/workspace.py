"""Workspaces: folders in which the workflow is run as a user would run it."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import pandas as pd

from helpers import forked_snakemake
from helpers.paths import ROOT
from helpers.tables import read_frame

# Most of the time of a plan goes to imports, so they are done once. None is of this project, which
# a workspace may have another copy of.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(forked_snakemake.IMPORTED)


@dataclass(frozen=True)
class Workspace:
    """A folder with a videos.csv in which the workflow of `project` is run."""

    folder: Path
    project: Path = ROOT

    def list_videos(self, *rows: str) -> None:
        (self.folder / "videos.csv").write_text(
            "\n".join(["video_id,source,identity,split", *rows, ""])
        )

    def arguments(self, *more: str) -> list[str]:
        """Those of snakemake for a run here, and `more`."""
        return ["-s", str(self.project / "Snakefile"), "-d", str(self.folder), *more]

    def run(self, *more: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run snakemake here on two cores; with `check`, fail the test when it does."""
        command = [sys.executable, "-m", "snakemake", *self.arguments("--cores", "2", *more)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE")}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1800
        )
        if check:
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
        return done

    def ask(self, *more: str) -> subprocess.CompletedProcess[str]:
        """What a run says that ends before its first job: of a plan, or of what it refuses.

        It is a fork of a process with snakemake imported, for speed.
        """
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder, "stdout"), Path(folder, "stderr")
            arguments = self.arguments("--cores", "2", *more)
            process = _FORKS.Process(
                target=forked_snakemake.run, args=(arguments, self.folder, *files)
            )
            process.start()
            process.join(600)
            process.kill()  # where it has not ended
            process.join()
            output = [file.read_text() for file in files]
        return subprocess.CompletedProcess(arguments, int(process.exitcode or 0), *output)

    def planned(self, *more: str) -> dict[str, set[str]]:
        """What a dry run would do: the videos of every rule, and the models of `models`."""
        done = self.ask("--dry-run", *more)
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-6000:]
        plan: dict[str, set[str]] = {}
        rule = ""
        for line in output.splitlines():
            words = line.split()
            if len(words) == 2 and words[0] in ("rule", "localrule"):
                rule = words[1].rstrip(":")
                plan.setdefault(rule, set())
            elif words[:1] == ["wildcards:"]:
                plan[rule].add(line.partition("=")[2].strip())
        assert bool(plan) != ("Nothing to be done" in output), output[-6000:]
        return plan

    def copy(self, folder: Path) -> Self:
        """The workspace as it is now, in another folder, where a test may change it.

        Nothing runs again there for having been moved, as long as sources are absolute paths.
        """
        shutil.copytree(self.folder, folder, symlinks=True, dirs_exist_ok=True)
        return replace(self, folder=folder)

    def table(self, name: str) -> pd.DataFrame:
        return read_frame(self.folder / "results" / name)

    def json(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / "results" / name).read_text())
