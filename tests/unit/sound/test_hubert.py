from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.paths import SCRIPTS
from helpers.settings import default_settings
from talkingface.media.audio import write_wav
from talkingface.media.clip_files import Clip
from talkingface.models.store import StoredModel
from talkingface.sound.hubert import choose_layers, make_hubert, plan_batches, plan_parts

COLUMNS = ["layers", "dtype", "model", "sha256"]
SHAPES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 7,
    "feat_proj_layer_norm": True,
    "num_conv_pos_embedding_groups": 8,
}


def sound(frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 2000, 640 * frames).astype(np.int16)


@pytest.fixture(scope="module", params=["layer", "group"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the store with a random HuBERT, large or base in kind."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    stable = request.param == "layer"
    config = transformers.HubertConfig(
        **SHAPES, feat_extract_norm=request.param, do_stable_layer_norm=stable
    )
    folder = tmp_path_factory.mktemp("model")
    transformers.HubertModel(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


@cache
def reference(model: Path) -> Any:
    import transformers

    return transformers.HubertModel.from_pretrained(model).eval()


def one_pass(model: Path, samples: np.ndarray) -> np.ndarray:
    """One clip through transformers in one pass: (4, 2 N, 32)."""
    import torch
    import transformers

    network = reference(model)
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(model)
    audio = samples.astype(np.float32) / 32768
    values = extractor(audio, sampling_rate=16000, return_tensors="pt").input_values
    with torch.no_grad():
        found = network(values, output_hidden_states=True)
    states = torch.cat([*found.hidden_states[:-1], found.last_hidden_state]).numpy()
    return np.pad(states, ((0, 0), (0, 1), (0, 0)), "edge")


def run_stage(
    clips: list[Clip], folder: Path, manifest: Path, model: Path, **settings: Any
) -> None:
    """The stage with default settings but for those given."""
    defaults = default_settings("hubert")
    del defaults["model"], defaults["revision"]
    stored = StoredModel("someone--small-hubert", model, "f00d")
    settings = defaults | settings
    make_hubert(clips, folder, manifest, model=stored, device="cpu", threads=1, **settings)


def make(
    tmp_path: Path, model: Path, lengths: list[int], **settings: Any
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """The stage over clips of these lengths: their features, and the manifest."""
    folder = tmp_path / "clips"
    folder.mkdir(exist_ok=True)
    names = [f"v_{i:06d}" for i in range(len(lengths))]
    for i, name in enumerate(names):
        write_wav(folder / f"{name}.wav", sound(lengths[i], i), 16000)
    clips = [Clip(name, frames, 0, 0, folder) for name, frames in zip(names, lengths, strict=True)]
    out = tmp_path / "hubert"
    run_stage(clips, out, tmp_path / "hubert.csv", model, **settings)
    table = pd.read_csv(tmp_path / "hubert.csv", dtype=str)
    assert sorted(p.name for p in out.iterdir()) == [f"{name}.npy" for name in names]
    return [np.load(out / f"{name}.npy") for name in names], table


def test_every_clip_is_as_if_computed_alone(model: Path, tmp_path: Path) -> None:
    """In batches that mix lengths where the model allows it, and one of a single length."""
    lengths = [30, 31, 30, 30, 1, 2, 55]
    found, table = make(tmp_path, model, lengths, max_seconds=5, overlap_seconds=1)
    for i, frames in enumerate(lengths):
        assert found[i].shape == (4, 2 * frames, 32) and found[i].dtype == np.float32
        np.testing.assert_allclose(found[i], one_pass(model, sound(frames, i)), atol=1e-4)
    assert list(table.columns) == ["clip_id", "n_frames", *COLUMNS]
    assert set(table.layers) == {"all"} and set(table.dtype) == {"float32"}
    assert set(table.model) == {"someone--small-hubert"} and set(table.sha256) == {"f00d"}


def test_chosen_layers_in_half_the_space(model: Path, tmp_path: Path) -> None:
    (found,), table = make(tmp_path, model, [20], layers=[-1, 1], dtype="float16")
    assert found.dtype == np.float16
    expected = one_pass(model, sound(20))[[3, 1]]
    np.testing.assert_allclose(found, expected, atol=5e-3)
    assert table.layers[0] == "-1 1" and table.dtype[0] == "float16"


def test_a_long_clip_is_computed_in_parts(model: Path, tmp_path: Path) -> None:
    """Joined without a seam: every part of it is what a pass over that part gives."""
    (found,), _ = make(tmp_path, model, [200], max_seconds=4, overlap_seconds=1)
    assert found.shape == (4, 400, 32)
    # The whole clip's mean and variance, then the second pass: frames 25 to 125, 50 to 100 kept.
    wave = sound(200).astype(np.float64)
    wave = (wave - wave.mean()) / wave.std()
    import torch

    network = reference(model)
    part = torch.from_numpy(wave[640 * 25 : 640 * 125].astype(np.float32))[None]
    with torch.no_grad():
        states = network(part, output_hidden_states=True).hidden_states
    expected = torch.cat(states[:-1]).numpy()
    np.testing.assert_allclose(found[:3, 100:200], expected[:, 50:150], atol=1e-4)
    # And not far from one pass over all of it.
    whole = one_pass(model, sound(200))
    assert np.abs(found - whole).mean() < 0.1 * np.abs(whole).mean()


def test_whisper_hears_its_own_windows(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = transformers.WhisperConfig(
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=20,
        max_source_positions=50, vocab_size=60, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=1, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = tmp_path / "whisper"
    transformers.WhisperModel(config).save_pretrained(model)
    transformers.WhisperFeatureExtractor(feature_size=20, chunk_length=1).save_pretrained(model)
    (long, short), _ = make(tmp_path, model, [60, 10])
    assert long.shape == (2, 120, 16) and short.shape == (2, 20, 16)
    (again,), _ = make(tmp_path, model, [25])
    # The first second of a clip is a window of its own: what follows does not change it.
    np.testing.assert_allclose(long[:, :50], again_of(model, sound(60)[: 640 * 25]), atol=1e-4)
    np.testing.assert_allclose(long[:, 100:], again_of(model, sound(60)[640 * 50 :]), atol=1e-4)
    np.testing.assert_allclose(again, again_of(model, sound(25)), atol=1e-4)


def again_of(model: Path, samples: np.ndarray) -> np.ndarray:
    """Whisper's encoder on one window, by transformers: (2, 2 N, 16)."""
    import torch
    import transformers

    encoder = transformers.WhisperModel.from_pretrained(model).eval().encoder
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(model)
    audio = samples.astype(np.float32) / 32768
    mel = extractor(audio, sampling_rate=16000, return_tensors="pt").input_features
    with torch.no_grad():
        found = encoder(mel, output_hidden_states=True)
    states = torch.cat([found.hidden_states[0], found.last_hidden_state]).numpy()
    return states[:, : 2 * len(samples) // 640]


def test_no_clips_need_no_model(tmp_path: Path) -> None:
    """Nor the seconds that torch takes."""
    found, table = make(tmp_path, tmp_path / "not there", [])
    assert found == [] and list(table.columns) == ["clip_id", "n_frames", *COLUMNS]
    code = "import sys, talkingface.sound.hubert; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS).returncode == 0


def test_values_beyond_the_storage_are_an_error(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from talkingface.sound.speech_models import WaveModel

    run = WaveModel.run
    monkeypatch.setattr(
        WaveModel, "run", lambda self, waves, layers: [1e6 * x for x in run(self, waves, layers)]
    )
    with pytest.raises(FloatingPointError, match=r"v_000000\.npy: values that float16"):
        make(tmp_path, model, [5], dtype="float16")


def test_a_sound_of_another_length_is_an_error(model: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "v_000000.wav", sound(9), 16000)
    clips = [Clip("v_000000", 10, 0, 0, tmp_path)]
    said = r"v_000000\.wav: damaged \(\(5760,\) samples, not \(6400,\)\)"
    with pytest.raises(ValueError, match=said):
        run_stage(clips, tmp_path / "hubert", tmp_path / "hubert.csv", model)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"dtype": "int8"}, "storage"),
        ({"max_seconds": 9, "overlap_seconds": 5}, "overlap"),
        ({"overlap_seconds": 0}, "overlap"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], match: str, tmp_path: Path) -> None:
    """They are refused before anything is loaded, and where there is no clip."""
    with pytest.raises(ValueError, match=match):
        run_stage([], tmp_path / "hubert", tmp_path / "hubert.csv", tmp_path, **settings)
    assert not any(tmp_path.iterdir())


def test_layers() -> None:
    assert choose_layers("all", 4) == [0, 1, 2, 3]
    assert choose_layers([-1, 0, 2], 4) == [3, 0, 2]
    for wrong in ("first", [], [4], [-5]):
        with pytest.raises(ValueError, match="layers"):
            choose_layers(wrong, 4)


def test_batches_are_filled_in_order() -> None:
    assert plan_batches([500, 250, 250, 400, 900, 100], None, 1000) == [[0, 1], [2, 3], [4], [5]]
    assert plan_batches([250] * 5, None, 1000) == [[0, 1, 2, 3], [4]]
    # One length only, and clips that are too long by themselves.
    assert plan_batches([30, 30, 31, 30], [30, 30, 31, 30], 1000) == [[0, 1], [2], [3]]
    assert plan_batches([2000, 10], None, 1000) == [[0], [1]]
    assert plan_batches([], None, 1000) == []


def test_parts_cover_a_clip_once() -> None:
    assert plan_parts(100, 100, 10) == [(0, 100, 0, 100)]
    parts = plan_parts(333, 100, 10)
    kept = [k for _, _, first, last in parts for k in range(first, last)]
    assert kept == list(range(333))
    for begin, end, first, last in parts:
        assert end - begin <= 100
        assert begin == max(0, first - 10) and end == min(333, last + 10)
