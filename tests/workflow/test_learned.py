"""Whole runs with learned backends, on networks of the published layout with random weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from talkingface.files import write_json
from talkingface.models import MODELS, digest, model_record

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
    put_hubert(folder / "models/test--tiny-hubert")
    (folder / "mine.yaml").write_text(
        "features: [hubert]\n"
        "device: cpu\n"
        "sync: {backend: syncnet}\n"
        "segments: {min_confidence: -100, max_offset: 15}\n"
        "hubert: {model: test/tiny-hubert, layers: [0, -1]}\n"
    )
    workspace.run("--configfile", "mine.yaml")
    return workspace


def put_syncnet(folder: Path) -> None:
    """Its hash is not the published one, so its record is written here."""
    from random_syncnet import random_state

    path = folder / "models/syncnet/syncnet_v2.model"
    path.parent.mkdir(parents=True)
    torch.save(random_state(), path)
    record = model_record(MODELS["syncnet"], {path.name: digest(path)})
    write_json(record, folder / "results/models/syncnet.json")


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


def test_a_second_run_does_nothing(workspace: Workspace) -> None:
    assert "Nothing to be done" in workspace.run("--configfile", "mine.yaml").stderr
