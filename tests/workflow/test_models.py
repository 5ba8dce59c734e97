"""The store of models in a run: weights of one's own, and stores that nobody can use."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from helpers.workspace import Workspace

WEIGHTS = b"weights of my own"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()
NAME = f"syncnet@{SHA256[:12]}"
RECORD = f"results/models/{NAME}.json"


def settings(folder: Path, more: str = "") -> tuple[str, ...]:
    (folder / "mine.yaml").write_text(f"sync: {{backend: syncnet}}\ndevice: cpu\n{more}")
    return "--configfile", "mine.yaml"


def test_a_checkpoint_of_ones_own_takes_the_place_of_the_published_one(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    (tmp_path / "a.mp4").touch()
    workspace.list_videos("one,a.mp4,,")
    assert workspace.planned(*settings(tmp_path))["models"] == {"syncnet"}
    options = settings(tmp_path, f"checkpoints: {{syncnet: {SHA256}}}\n")
    assert workspace.planned(*options)["models"] == {NAME}
    done = workspace.run(*options, "--", RECORD, check=False)
    path = tmp_path / "models" / NAME / "syncnet_v2.model"
    assert done.returncode != 0
    assert f"{path}: size unknown, sha256 {SHA256}" in done.stdout + done.stderr
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(WEIGHTS)
    workspace.run(*options, "--", RECORD)
    record = json.loads((tmp_path / RECORD).read_text())
    assert record["files"] == {path.name: {"size": len(WEIGHTS), "sha256": SHA256}}
    assert "models" not in workspace.planned(*options)


def test_a_store_with_a_pipe_in_it_ends_in_one_error(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("one,a.mp4,,")
    folder = tmp_path / "models/syncnet"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "syncnet_v2.model")
    done = workspace.run(*settings(tmp_path), "--", "results/models/syncnet.json", check=False)
    output = done.stdout + done.stderr
    assert done.returncode != 0 and "a pipe or a device, not a file" in output
    assert "sync.backend: mesh" in output
