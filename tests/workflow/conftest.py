"""Whole runs of the workflow, as a user would start them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.paths import ROOT
from talkingface.demo.videos import make_demo
from talkingface.job.files import read_table

# Every feature there is.
FEATURES = (
    "features=[landmarks,pose,expression,mfcc,mel,parsing,background,torso,depth,frames,overlay]"
)


@dataclass
class Workspace:
    """A folder with a videos.csv in which the workflow of `project` is run."""

    folder: Path
    project: Path = ROOT

    def list_videos(self, *rows: str) -> None:
        (self.folder / "videos.csv").write_text(
            "\n".join(["video_id,source,identity,split", *rows, ""])
        )

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run snakemake here; with `check`, fail the test when it does."""
        command = [sys.executable, "-m", "snakemake", "-s", str(self.project / "Snakefile")]
        command += ["-d", str(self.folder), "--cores", "2", *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SNAKEMAKE")}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=1800
        )
        if check:
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:]
        return done

    def table(self, name: str) -> pd.DataFrame:
        return read_table(self.folder / "results" / name)

    def json(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / "results" / name).read_text())


@pytest.fixture(scope="session")
def demo_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration videos, made once; `truth.json` says what is in them."""
    folder = tmp_path_factory.mktemp("demo_videos")
    make_demo(folder)
    return folder


@pytest.fixture(scope="session")
def demo(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on the demonstration videos, with every feature."""
    workspace = Workspace(tmp_path_factory.mktemp("demo"))
    for file in demo_videos.iterdir():
        (workspace.folder / file.name).symlink_to(file)
    workspace.run("--config", FEATURES)
    return workspace
