"""Whole runs with learned backends, on networks of the published layout with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from talkingface.job.files import write_json
from talkingface.models.store import model_record
from talkingface.models.table import MODELS, digest

from .conftest import Workspace

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

FRAMES_OF_VLOG = 226


@pytest.fixture(scope="module")
def workspace(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("learned"))
    folder = workspace.folder
    shutil.copy(demo_videos / "vlog.mp4", folder / "vlog.mp4")
    shutil.copy(demo_videos / "landscape.mp4", folder / "view.mp4")
    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,")
    put_syncnet(folder)
    put_bisenet(folder)
    put_dagan(folder / "models/dagan")
    put_hubert(folder / "models/test--tiny-hubert")
    (folder / "mine.yaml").write_text(
        "features: [hubert, parsing, depth, background, torso]\n"
        "device: cpu\n"
        "sync: {backend: syncnet}\n"
        "segments: {min_confidence: -100, max_offset: 15}\n"
        "parsing: {backend: bisenet}\n"
        "depth: {backend: dagan}\n"
        "hubert: {model: test/tiny-hubert, layers: [0, -1]}\n"
    )
    workspace.run("--configfile", "mine.yaml")
    return workspace


def put_syncnet(folder: Path) -> None:
    from helpers.random_syncnet import random_state

    put(folder, "syncnet", random_state())


def put_bisenet(folder: Path) -> None:
    from helpers.random_networks import random_bisenet

    put(folder, "bisenet", random_bisenet())


def put(folder: Path, name: str, state: dict[str, Any]) -> None:
    """Its hash is not the published one, so its record is written here."""
    [file] = MODELS[name].files
    path = folder / "models" / name / file.name
    path.parent.mkdir(parents=True)
    torch.save(state, path)
    record = model_record(MODELS[name], {path.name: digest(path)})
    write_json(record, folder / f"results/models/{name}.json")


def put_dagan(folder: Path) -> None:
    from helpers.random_networks import random_dagan

    folder.mkdir(parents=True)
    for name, state in zip(("encoder", "depth"), random_dagan(18, 64, 64), strict=True):
        torch.save(state, folder / f"{name}.pth")


def put_hubert(folder: Path) -> None:
    config = transformers.HubertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        conv_dim=[32] * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=4,
        feat_extract_norm="layer", do_stable_layer_norm=True,
    )  # fmt: skip
    torch.manual_seed(0)
    transformers.HubertModel(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)


def test_every_face_is_judged_by_syncnet(workspace: Workspace) -> None:
    tracks = workspace.table("sync/vlog.csv")
    assert list(tracks.backend) == ["syncnet"]
    frames = workspace.table("sync/vlog.frames.csv")
    assert list(frames.frame) == list(range(FRAMES_OF_VLOG))
    assert np.isfinite(frames.score).all()
    clips = workspace.table("dataset/clips.csv")
    assert list(clips.clip_id) == [f"vlog_000000_{FRAMES_OF_VLOG:06d}_00"]


def test_hubert_has_two_rows_a_frame(workspace: Workspace) -> None:
    [clip] = workspace.table("dataset/clips.csv").itertuples()
    features = np.load(workspace.folder / "results" / clip.hubert)
    assert features.shape == (2, 2 * clip.n_frames, 32) and features.dtype == np.float32
    manifest = workspace.table("hubert/vlog.csv")
    assert list(manifest.model) == ["test--tiny-hubert"]
    assert len(workspace.table("hubert/view.csv")) == 0


def test_pictures_come_from_the_networks(workspace: Workspace) -> None:
    results = workspace.folder / "results"
    [clip] = workspace.table("dataset/clips.csv").itertuples()
    numbered = [f"{k:06d}.png" for k in range(1, clip.n_frames + 1)]
    for folder in (clip.parsing, clip.depth, clip.torso):
        assert sorted(file.name for file in (results / folder).iterdir()) == numbered
    labels = cv2.imread(str(results / clip.parsing / numbered[7]), cv2.IMREAD_UNCHANGED)
    assert labels.shape == (clip.height, clip.width) and labels.max() <= 18
    assert json.loads((results / clip.depth_scale).read_text())["backend"] == "dagan"
    for stage, name, files in (("parsing", "bisenet", 1), ("depth", "dagan", 2)):
        [row] = workspace.table(f"{stage}/vlog.csv").itertuples()
        record = workspace.json(f"models/{name}.json")
        assert row.backend == name
        assert row.sha256.split() == [file["sha256"] for file in record["files"].values()]
        assert len(record["files"]) == files


def test_a_gpu_needs_a_budget(workspace: Workspace) -> None:
    mine = (workspace.folder / "mine.yaml").read_text()
    (workspace.folder / "gpu.yaml").write_text(mine.replace("device: cpu", "device: cuda"))
    done = workspace.run("--configfile", "gpu.yaml", check=False)
    assert done.returncode != 0
    assert "On a GPU: depth, hubert, parsing, sync." in done.stdout + done.stderr
    assert "--resources gpu=1" in done.stdout + done.stderr


def test_a_second_run_does_nothing(workspace: Workspace) -> None:
    assert "Nothing to be done" in workspace.run("--configfile", "mine.yaml").stderr
