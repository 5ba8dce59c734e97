from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from safetensors.torch import load_file  # noqa: E402

from talkingface.sound.speech_models import load_network  # noqa: E402

# chinese-hubert-large in small: layer norm everywhere, before attention, no bias in convolutions.
LARGE: dict[str, Any] = {
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "conv_dim": [32] * 7,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "feat_proj_layer_norm": True,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
}
# hubert-base: group norm over time in the first convolution.
BASE = {**LARGE, "feat_extract_norm": "group", "do_stable_layer_norm": False}
CLASSES = {
    "hubert": (transformers.HubertConfig, transformers.HubertModel),
    "wav2vec2": (transformers.Wav2Vec2Config, transformers.Wav2Vec2Model),
    "wavlm": (transformers.WavLMConfig, transformers.WavLMModel),
}


def save(folder: Path, kind: str = "hubert", settings: dict[str, Any] | None = None) -> Any:
    torch.manual_seed(0)
    config, model_class = CLASSES[kind]
    model = model_class(config(**(LARGE if settings is None else settings))).eval()
    for name, weight in model.named_parameters():
        # What training would have made of ones and zeros.
        if "norm" in name or name.endswith("bias"):
            weight.data += 0.2 * torch.randn_like(weight)
    model.save_pretrained(folder)
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    extractor.save_pretrained(folder)
    return model


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Any:
    """The network on the processor."""
    return load_network(
        folder, [file.name for file in folder.iterdir()], torch.device("cpu"), dtype
    )


def sound(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 2000, 640 * frames) + 300).astype(np.int16)


def published(model: Any, samples: np.ndarray) -> np.ndarray:
    """What liutaocode/talking_face_preprocessing computes, with the transformers of its time: all
    hidden states, where the last is the encoder's output after its final layer norm, and the last
    step twice.

    The model's modules are called one by one: nothing here knows `output_hidden_states`.
    """
    audio = samples.astype(np.float32) / 32768
    audio = (audio - audio.mean()) / np.sqrt(audio.var() + 1e-7)
    with torch.no_grad():
        x = model.feature_extractor(torch.from_numpy(audio)[None]).transpose(1, 2)
        x = model.feature_projection(x)
        x = x[0] if isinstance(x, tuple) else x
        x = x + model.encoder.pos_conv_embed(x)
        stable = model.config.do_stable_layer_norm
        if not stable:
            x = model.encoder.layer_norm(x)
        states = [x]
        bias = None
        for layer in model.encoder.layers:
            if model.config.model_type == "wavlm":
                x, bias = layer(x, position_bias=bias)[:2]
            else:
                x = layer(x)
                x = x[0] if isinstance(x, tuple) else x
            states.append(x)
        if stable:
            states[-1] = model.encoder.layer_norm(states[-1])
    found = torch.cat(states).numpy()
    return np.pad(found, ((0, 0), (0, 1), (0, 0)), "edge")


def features(model: Any, *sounds: np.ndarray) -> list[np.ndarray]:
    waves = [model.prepare(samples) for samples in sounds]
    return [found.numpy() for found in model.run(waves, range(model.layers))]


@pytest.mark.parametrize("kind", ["hubert", "wav2vec2", "wavlm"])
@pytest.mark.parametrize("settings", [LARGE, BASE], ids=["large", "base"])
def test_all_hidden_states_as_published(
    kind: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    reference = save(tmp_path, kind, settings)
    model = load(tmp_path)
    assert (model.layers, model.width, model.window) == (4, 48, None)
    for frames in (1, 2, 30):
        expected = published(reference, sound(frames))
        assert expected.shape == (4, 2 * frames, 48)
        (found,) = features(model, sound(frames))
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_as_talking_face_preprocessing_calls_transformers(tmp_path: Path) -> None:
    """That project's own lines. The last layer stands apart: transformers gives it otherwise since
    version 5."""
    reference = save(tmp_path)
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(tmp_path)
    audio = sound(40).astype(np.float32) / 32768
    values = extractor(
        audio, sampling_rate=16000, padding=True, do_normalize=True, return_tensors="pt"
    ).input_values
    with torch.no_grad():
        outputs = reference(values, output_hidden_states=True)
    states = [state.numpy() for state in outputs.hidden_states[:-1]]
    states.append(outputs.last_hidden_state.numpy())
    expected = np.pad(np.squeeze(np.array(states), 1), ((0, 0), (0, 1), (0, 0)), "edge")
    (found,) = features(load(tmp_path), sound(40))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_batch_gives_what_each_clip_gives(tmp_path: Path) -> None:
    save(tmp_path)
    model = load(tmp_path)
    assert model.mixed
    sounds = [sound(frames, seed) for seed, frames in enumerate((31, 8, 31, 1, 77))]
    for one, together in zip(sounds, features(model, *sounds), strict=True):
        np.testing.assert_allclose(together, features(model, one)[0], atol=1e-4)


def test_group_norm_batches_one_length_only(tmp_path: Path) -> None:
    save(tmp_path, settings=BASE)
    model = load(tmp_path)
    assert not model.mixed
    sounds = [sound(20, seed) for seed in range(3)]
    for one, together in zip(sounds, features(model, *sounds), strict=True):
        np.testing.assert_allclose(together, features(model, one)[0], atol=1e-4)
    with pytest.raises(ValueError, match="different length"):
        features(model, sound(20), sound(21))


def test_sound_is_normalised_only_where_the_model_was_trained_so(tmp_path: Path) -> None:
    save(tmp_path)
    assert load(tmp_path).prepare(sound(5)).std() == pytest.approx(1, abs=1e-3)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=False).save_pretrained(tmp_path)
    plain = load(tmp_path).prepare(sound(5))
    np.testing.assert_array_equal(plain, sound(5).astype(np.float32) / 32768)


def test_silence_is_no_error(tmp_path: Path) -> None:
    save(tmp_path)
    assert np.isfinite(features(load(tmp_path), np.zeros(6400, np.int16))[0]).all()


def test_old_checkpoints_are_read(tmp_path: Path) -> None:
    """pytorch_model.bin with the names of 2022, as chinese-hubert-large has them."""
    reference = save(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    old = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in state.items()
        if name != "masked_spec_embed"
    }
    assert "encoder.pos_conv_embed.conv.weight_g" in old
    (tmp_path / "model.safetensors").unlink()
    torch.save(old, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    (found,) = features(load(tmp_path), sound(12))
    np.testing.assert_allclose(found, published(reference, sound(12)), atol=1e-4)


class Evil:
    def __reduce__(self) -> Any:
        return (Path("stolen").touch, ())


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({"weight": Evil()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(Exception, match="(?i)weights.only|unpickl|unsupported"):
        load(tmp_path)
    assert not (tmp_path / "stolen").exists()


def test_nothing_is_loaded_but_the_files_that_are_named(tmp_path: Path) -> None:
    """transformers prefers safetensors to what was hashed, and takes adapters that it finds."""
    save(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    name = "encoder.layers.1.attention.k_proj.weight"
    state[name] = 3 * state[name]
    torch.save(state, tmp_path / "pytorch_model.bin")
    for stray in ("adapter_config.json", "model.safetensors.index.json", "processor_config.json"):
        (tmp_path / stray).write_text("{")
    files = ["config.json", "preprocessor_config.json", "pytorch_model.bin"]
    network = load_network(tmp_path, files, torch.device("cpu"), torch.float32)
    weights = dict(network.model.named_parameters())
    assert torch.equal(weights[name], state[name])


def test_an_index_leads_to_no_other_file(tmp_path: Path) -> None:
    model = save(tmp_path / "whole")
    folder = tmp_path / "parts"
    model.save_pretrained(folder, max_shard_size="200KB")
    shutil.copy(tmp_path / "whole/preprocessor_config.json", folder)
    names = [file.name for file in folder.iterdir()]
    path = folder / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    assert len(set(index["weight_map"].values())) > 1
    for there, back in zip(model.state_dict().values(), load(folder).model.state_dict().values(),
                           strict=True):  # fmt: skip
        assert torch.equal(there, back)
    first = min(index["weight_map"])
    for other in ("../whole/model.safetensors", str(tmp_path / "x"), "model.safetensors", 3, []):
        changed = index["weight_map"] | {first: other}
        path.write_text(json.dumps(index | {"weight_map": changed}))
        with pytest.raises(ValueError, match=rf"{path.name}: leads to another file"):
            load_network(folder, names, torch.device("cpu"), torch.float32)
    path.write_text('{"weight_map": []}')
    with pytest.raises(ValueError, match=rf"{path.name}: leads to another file .nothing"):
        load_network(folder, names, torch.device("cpu"), torch.float32)


def test_missing_weights_are_an_error_not_noise(tmp_path: Path) -> None:
    save(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state["encoder.layers.1.attention.k_proj.weight"]
    (tmp_path / "model.safetensors").unlink()
    torch.save(state, tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"1 weights are missing.*layers\.1\.attention\.k_proj"):
        load(tmp_path)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="type bert"):
        load(tmp_path)
    config = {**LARGE, "conv_stride": [5, 2, 2, 2, 2, 2, 4]}
    save(tmp_path / "slow", settings=config)
    with pytest.raises(ValueError, match="steps for ten frames"):
        load(tmp_path / "slow")


def test_half_precision_is_near(tmp_path: Path) -> None:
    save(tmp_path)
    (exact,) = features(load(tmp_path), sound(30))
    rough = load(tmp_path, dtype=torch.bfloat16)
    (found,) = rough.run([rough.prepare(sound(30))], range(rough.layers))
    assert found.dtype == torch.bfloat16
    assert 0 < np.abs(found.float().numpy() - exact).mean() < 0.03 * np.abs(exact).mean()


def save_whisper(folder: Path) -> Any:
    """A Whisper whose window is 2 s."""
    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        d_model=32, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, num_mel_bins=40,
        max_source_positions=100, vocab_size=60, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        decoder_start_token_id=1, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = transformers.WhisperModel(config).eval()
    model.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=40, chunk_length=2).save_pretrained(folder)
    return model


def test_whisper_gives_the_first_steps_of_its_window(tmp_path: Path) -> None:
    reference = save_whisper(tmp_path)
    model = load(tmp_path)
    assert (model.layers, model.width, model.window) == (3, 32, 50)
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(tmp_path)
    sounds = [sound(13), sound(50, 1), sound(1, 2)]
    for samples, found in zip(sounds, features(model, *sounds), strict=True):
        audio = samples.astype(np.float32) / 32768
        mel = extractor(audio, sampling_rate=16000, return_tensors="pt").input_features
        assert mel.shape == (1, 40, 200)
        encoder = reference.encoder
        with torch.no_grad():
            x = torch.nn.functional.gelu(encoder.conv1(mel))
            x = torch.nn.functional.gelu(encoder.conv2(x)).transpose(1, 2)
            states = [x + encoder.embed_positions.weight]
            for layer in encoder.layers:
                x = layer(states[-1], None)
                states.append(x[0] if isinstance(x, tuple) else x)
            states[-1] = encoder.layer_norm(states[-1])
        expected = torch.cat(states)[:, : 2 * len(samples) // 640].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_whisper_whose_files_disagree_is_refused(tmp_path: Path) -> None:
    save_whisper(tmp_path)
    transformers.WhisperFeatureExtractor(feature_size=40).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="3000 mel frames"):
        load(tmp_path)
