from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from talkingface.sound import frame_states  # noqa: E402

# wav2vec2-base-960h in small.
BASE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": [16] * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_norm": "group",
    "do_stable_layer_norm": False,
}


def save(folder: Path) -> Any:
    """A random network, as published with its head for letters, and the network itself."""
    torch.manual_seed(0)
    model = transformers.Wav2Vec2ForCTC(transformers.Wav2Vec2Config(**BASE)).eval()
    for name, weight in model.named_parameters():
        if "norm" in name or name.endswith("bias"):
            weight.data += 0.2 * torch.randn_like(weight)
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return model.wav2vec2


def load(folder: Path) -> frame_states.FrameStates:
    names = [file.name for file in folder.iterdir()]
    return frame_states.load(folder, names, torch.device("cpu"), torch.float32)


def sound(frames: int) -> np.ndarray:
    return np.random.default_rng(frames).normal(200, 2000, 640 * frames).astype(np.int16)


def hallo_s(model: Any, samples: np.ndarray) -> np.ndarray:
    """(N, 3, 32): the network's modules called one by one.

    Of the 2 N - 1 steps of its convolutions every second one goes on: linear interpolation to N
    steps that keeps the ends puts each of them exactly there.
    """
    wave = samples / 32768
    wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    with torch.no_grad():
        steps = model.feature_extractor(torch.from_numpy(wave.astype(np.float32))[None])
        assert steps.shape[2] == 2 * len(samples) // 640 - 1
        x, _ = model.feature_projection(steps[..., ::2].transpose(1, 2))
        x = model.encoder.layer_norm(x + model.encoder.pos_conv_embed(x))
        found = []
        for layer in model.encoder.layers:
            x = layer(x)
            x = x[0] if isinstance(x, tuple) else x
            found.append(x[0])
    return torch.stack(found, dim=1).numpy()


@pytest.mark.parametrize("frames", [1, 2, 75, 130])
def test_every_frame_has_what_every_layer_makes_of_it(frames: int, tmp_path: Path) -> None:
    model = save(tmp_path)
    network = load(tmp_path)
    assert (network.layers, network.width) == (3, 32)
    found = network.run(sound(frames))
    assert found.shape == (frames, 3, 32) and found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), hallo_s(model, sound(frames)), atol=1e-5)


def test_clips_do_not_change_one_another(tmp_path: Path) -> None:
    save(tmp_path)
    network = load(tmp_path)
    first = network.run(sound(20))
    network.run(sound(33))
    assert torch.equal(network.run(sound(20)), first)


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    model = save(tmp_path)
    with torch.no_grad():
        model.encoder.layers[1].final_layer_norm.bias[3] = float("nan")
    transformers.Wav2Vec2Model.save_pretrained(model, tmp_path)
    with pytest.raises(FloatingPointError):
        load(tmp_path).run(sound(10))


def test_whisper_is_refused(tmp_path: Path) -> None:
    config = transformers.WhisperConfig(
        d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, vocab_size=60,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
        suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    transformers.WhisperModel(config).save_pretrained(tmp_path)
    transformers.WhisperFeatureExtractor().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="Whisper has no"):
        load(tmp_path)
