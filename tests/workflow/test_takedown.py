"""A source taken out of a finished run leaves no trace, and no other is made again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

from helpers.paths import ROOT
from helpers.workspace import Workspace
from talkingface.dataset.removal import SUMMARY, TABLES

from .conftest import FEATURES

EXPORT = "talking_face_preprocessing"
SETTINGS = ("--config", FEATURES, f"exports=[{EXPORT}]")
GONE = "interview"


def test_no_trace_is_left_and_nothing_else_is_made_again(demo: Workspace, tmp_path: Path) -> None:
    workspace = demo.copy(tmp_path / "workspace")
    clip, *_ = workspace.table("dataset/clips.csv").query("video_id == @GONE").clip_id
    decisions = workspace.folder / "decisions.csv"
    decisions.write_text(f"clip_id,decision,note\n{clip},reject,once\n")
    workspace.run(*SETTINGS)
    dataset = workspace.folder / "results/dataset"
    header = yaml.safe_load((dataset / "README.md").read_text().split("---\n")[1])
    assert header["license"] == "unknown" and header["size_categories"] == ["n<1K"]
    assert named(workspace.folder)
    command = [sys.executable, str(ROOT / "scripts/takedown.py"), str(workspace.folder), GONE]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert named(workspace.folder) == []
    assert decisions.read_text() == "clip_id,decision,note\n"
    kept = set(workspace.table("dataset/clips.csv").video_id)
    assert kept == {"vlog", "lecture"}
    # Sides depend on all videos, so the tables are worked out again; here nobody changed sides.
    cleaned = {name: (dataset / name).read_bytes() for name in (*TABLES, SUMMARY, "README.md")}
    plan = workspace.planned(*SETTINGS)
    assert set(plan) == {"dataset", "card", f"export_{EXPORT}", "all"}
    workspace.run(*SETTINGS)
    assert {name: (dataset / name).read_bytes() for name in cleaned} == cleaned
    assert workspace.planned(*SETTINGS) == {}


def named(folder: Path) -> list[Path]:
    """What is called after the video, leads to its file, or has its name anywhere in it."""
    return [
        path
        for path in folder.rglob("*")
        if GONE in str(path.relative_to(folder))
        or (path.is_symlink() and GONE in str(path.readlink()))
        or (path.is_file() and not path.is_symlink() and GONE.encode() in path.read_bytes())
    ]
