"""A whole run with config/learned.yaml, on networks of the published layout with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from helpers.demo_parts import demo_video, draw, shortened
from helpers.paths import ROOT
from helpers.workspace import Workspace
from talkingface.job.files import write_json
from talkingface.models.store import model_record
from talkingface.models.table import MODELS, digest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

# The first 50 frames of `vlog`, which has 30000 / 1001 a second, on the grid of 25 a second.
FRAMES = 42
HUBERT = "TencentGameMate--chinese-hubert-large"
SETTINGS = ("--configfile", str(ROOT / "config/learned.yaml"), "mine.yaml")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("learned"))
    folder = workspace.folder
    draw(shortened(demo_video("vlog"), [0], 50), folder / "vlog.mp4")
    draw(shortened(demo_video("landscape"), [0], 50), folder / "view.mp4")
    workspace.list_videos(f"vlog,{folder}/vlog.mp4,,", f"view,{folder}/view.mp4,,")
    put_networks(folder)
    (folder / "mine.yaml").write_text(
        "device: cpu\n"
        # A short video, and random weights, which are never certain.
        "segments: {min_frames: 40, min_probability: 0, max_offset: 15}\n"
        "hubert: {layers: [0, -1]}\n"
    )
    workspace.run(*SETTINGS)
    return workspace


def put_networks(folder: Path) -> None:
    from helpers.random_networks import random_bisenet, random_dagan
    from helpers.random_syncnet import random_state
    from helpers.tiny_transformers import put_depth_anything, put_hubert

    models = folder / "models"
    size = next(f.size for f in MODELS[HUBERT].files if f.name == "preprocessor_config.json")
    assert size is not None
    put_hubert(models / HUBERT, size)
    put_hubert(models / "test--tiny-hubert", size)
    put_weights(models / "dagan", *random_dagan(18, 64, 64))
    # Of these the hash is known, and it is not that of random weights.
    put_weights(models / "syncnet", random_state())
    put_weights(models / "bisenet", random_bisenet())
    put_depth_anything(models / "depth_anything")
    for name in ("syncnet", "bisenet", "depth_anything"):
        files = [models / name / file.name for file in MODELS[name].files]
        record = model_record(MODELS[name], {file.name: digest(file) for file in files})
        write_json(record, folder / f"results/models/{name}.json")


def put_weights(folder: Path, *states: dict[str, Any]) -> None:
    """Write a file of weights for each of the model's files."""
    folder.mkdir(parents=True)
    for file, state in zip(MODELS[folder.name].files, states, strict=True):
        torch.save(state, folder / file.name)


def weights(workspace: Workspace, model: str) -> list[str]:
    """The hashes of the model's files, of those with weights where others are among them."""
    files = workspace.json(f"models/{model}.json")["files"]
    assert list(files) == sorted(file.name for file in MODELS[model].files)
    return [file["sha256"] for name, file in files.items() if not name.endswith(".json")]


def test_every_face_is_judged_by_syncnet(workspace: Workspace) -> None:
    tracks = workspace.table("sync/vlog.csv")
    assert list(tracks.backend) == ["syncnet"]
    frames = workspace.table("sync/vlog.frames.csv")
    assert list(frames.frame) == list(range(FRAMES))
    assert np.isfinite(frames.score).all()
    clips = workspace.table("dataset/clips.csv")
    assert list(clips.clip_id) == [f"vlog_000000_{FRAMES:06d}_00"]


def test_hubert_has_two_rows_a_frame(workspace: Workspace) -> None:
    [clip] = workspace.table("dataset/clips.csv").itertuples()
    features = np.load(workspace.folder / "results" / clip.hubert)
    assert features.shape == (2, 2 * clip.n_frames, 32) and features.dtype == np.float32
    [row] = workspace.table("hubert/vlog.csv").itertuples()
    assert row.model == HUBERT and row.sha256.split() == weights(workspace, HUBERT)
    assert len(workspace.table("hubert/view.csv")) == 0


def test_pictures_come_from_the_networks(workspace: Workspace) -> None:
    results = workspace.folder / "results"
    [clip] = workspace.table("dataset/clips.csv").itertuples()
    numbered = [f"{k:06d}.png" for k in range(1, clip.n_frames + 1)]
    for folder in (clip.frames, clip.parsing, clip.depth, clip.torso):
        assert sorted(file.name for file in (results / folder).iterdir()) == numbered
    labels = cv2.imread(str(results / clip.parsing / numbered[7]), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (clip.height, clip.width) and labels.max() <= 18
    assert json.loads((results / clip.depth_scale).read_text())["backend"] == "depth_anything"
    for stage, name in (("parsing", "bisenet"), ("depth", "depth_anything")):
        [row] = workspace.table(f"{stage}/vlog.csv").itertuples()
        assert row.backend == name
        assert row.sha256.split() == weights(workspace, name)
        assert len(row.sha256.split()) == 1


def test_a_gpu_needs_a_budget(workspace: Workspace) -> None:
    (workspace.folder / "gpu.yaml").write_text("device: cuda\n")
    done = workspace.ask(*SETTINGS, "gpu.yaml")
    assert done.returncode != 0
    assert "On a GPU: depth, hubert, parsing, sync." in done.stdout + done.stderr
    assert "--resources gpu=1" in done.stdout + done.stderr


def test_a_second_run_does_nothing(workspace: Workspace) -> None:
    assert "Nothing to be done" in workspace.ask(*SETTINGS).stderr


def test_another_backend_and_another_model(workspace: Workspace, tmp_path: Path) -> None:
    """Of two files of weights, and of a name that is not in the table of models."""
    other = workspace.copy(tmp_path / "other")
    (other.folder / "other.yaml").write_text(
        "depth: {backend: dagan}\nhubert: {model: test/tiny-hubert}\n"
    )
    asked = (*SETTINGS, "other.yaml", "--", "results/depth/vlog.csv", "results/hubert/vlog.csv")
    assert other.planned(*asked) == {
        "models": {"dagan", "test--tiny-hubert"},
        "depth": {"vlog"},
        "hubert": {"vlog"},
    }
    other.run(*asked)
    [row] = other.table("depth/vlog.csv").itertuples()
    assert row.backend == "dagan" and row.sha256.split() == weights(other, "dagan")
    assert len(row.sha256.split()) == 2
    results = other.folder / "results"
    [record] = (results / "depth/vlog").glob("*.json")
    assert json.loads(record.read_text())["backend"] == "dagan"
    [row] = other.table("hubert/vlog.csv").itertuples()
    assert row.model == "test--tiny-hubert"
    [features] = (results / "hubert/vlog").glob("*.npy")
    assert np.load(features).shape == (2, 2 * FRAMES, 32)
