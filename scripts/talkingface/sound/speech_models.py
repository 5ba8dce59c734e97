"""Speech networks of transformers: HuBERT, wav2vec 2.0, WavLM, and Whisper's encoder.

All of them give two steps a video frame (50 Hz), at every layer. They are loaded from a folder
with config.json, preprocessor_config.json and the weights, without a network and without running
code from it. Importing this takes seconds: only what computes features does.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME, SPEECH_STEPS_PER_FRAME
from talkingface.networks.transformers_io import LOCAL, read_pretrained, reading

WAVE_TYPES = ("hubert", "wav2vec2", "wavlm")
# Only training uses it, to mask steps; a checkpoint may do without.
UNUSED = ("masked_spec_embed",)


class WaveModel:
    """HuBERT, wav2vec 2.0 or WavLM; see hubert.SpeechModel.

    `model` is transformers' own. Sounds of different length share no batch (`mixed`) where features
    are normalised over time (`feat_extract_norm` "group"): padding changes them.
    """

    window: int | None = None

    def __init__(self, model: Any, normalise: bool) -> None:
        self.model, self._normalise = model, normalise
        config = model.config
        self.layers: int = config.num_hidden_layers + 1
        self.width: int = config.hidden_size
        self.mixed: bool = config.feat_extract_norm == "layer"
        steps = 10 * SAMPLES_PER_FRAME
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            steps = (steps - kernel) // stride + 1
        if steps != 10 * SPEECH_STEPS_PER_FRAME - 1:
            raise ValueError(f"{config.model_type}: {steps} steps for ten frames, expected 19")

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        """(n,) int16 to float32, of zero mean and unit variance where the model was trained so
        (Wav2Vec2FeatureExtractor's do_normalize)."""
        wave = (samples / 32768.0).astype(np.float32)
        if self._normalise:
            mean, variance = wave.mean(dtype=np.float64), wave.var(dtype=np.float64)
            wave = ((wave - mean) / np.sqrt(variance + 1e-7)).astype(np.float32)
        return wave

    @torch.inference_mode()
    def run(self, waves: Sequence[np.ndarray], layers: Sequence[int]) -> list[torch.Tensor]:
        """(len(layers), 2 N, width) on the model's device of each prepared (640 N,) wave.

        The last of the 2 N - 1 steps that the network gives is repeated.
        """
        lengths = [len(wave) for wave in waves]
        padded, mask = np.zeros((2, len(waves), max(lengths)), np.float32)
        for i, wave in enumerate(waves):
            padded[i, : len(wave)], mask[i, : len(wave)] = wave, 1
        values = torch.from_numpy(padded).to(self.model.device, self.model.dtype)
        if min(lengths) == max(lengths):
            states = self._states(values, None, layers)
        elif self.mixed:
            attended = torch.from_numpy(mask).long().to(self.model.device)
            states = self._states(values, attended, layers)
        else:
            raise ValueError("sounds of different length cannot be batched with this model")
        results = []
        for i, length in enumerate(lengths):
            steps = SPEECH_STEPS_PER_FRAME * (length // SAMPLES_PER_FRAME)
            of_wave = states[:, i, : steps - 1]
            results.append(torch.cat([of_wave, of_wave[:, -1:]], dim=1))
        return results

    @torch.inference_mode()
    def states(self, wave: np.ndarray, layers: Sequence[int]) -> torch.Tensor:
        """(len(layers), T, width) on the model's device of a prepared wave, (n,): the T steps that
        the network gives."""
        values = torch.from_numpy(wave[None]).to(self.model.device, self.model.dtype)
        return self._states(values, None, layers)[:, 0]

    def _states(
        self, values: torch.Tensor, mask: torch.Tensor | None, layers: Sequence[int]
    ) -> torch.Tensor:
        """(len(layers), B, T, width)."""
        output = self.model(values, attention_mask=mask, output_hidden_states=True)
        return _stacked(output, self.layers, layers)


class WhisperEncoder:
    """Whisper's encoder, whose input is always a window of 30 s, filled up with silence; see
    hubert.SpeechModel."""

    mixed = True

    def __init__(self, encoder: Any, extractor: Any) -> None:
        config = encoder.config
        if extractor.nb_max_frames != 2 * config.max_source_positions:
            raise ValueError(
                f"whisper: preprocessor_config.json makes {extractor.nb_max_frames} mel frames, "
                f"config.json wants {2 * config.max_source_positions}"
            )
        self._encoder, self._extractor = encoder, extractor
        self.layers: int = config.encoder_layers + 1
        self.width: int = config.d_model
        self.window: int | None = config.max_source_positions // SPEECH_STEPS_PER_FRAME

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        """(n,) int16 to float32 in [-1, 1)."""
        return (samples / 32768.0).astype(np.float32)

    @torch.inference_mode()
    def run(self, waves: Sequence[np.ndarray], layers: Sequence[int]) -> list[torch.Tensor]:
        """(len(layers), 2 N, width) on the model's device of each prepared (640 N,) wave."""
        mel = self._extractor(list(waves), sampling_rate=SAMPLE_RATE, return_tensors="pt")
        values = mel.input_features.to(self._encoder.device, self._encoder.dtype)
        output = self._encoder(values, output_hidden_states=True)
        states = _stacked(output, self.layers, layers)
        steps = [SPEECH_STEPS_PER_FRAME * (len(wave) // SAMPLES_PER_FRAME) for wave in waves]
        return [states[:, i, :count] for i, count in enumerate(steps)]


def load_network(
    folder: str | Path, names: Collection[str], device: torch.device, dtype: torch.dtype
) -> WaveModel | WhisperEncoder:
    """The network in a folder on `device`, computing in `dtype`.

    names: its files there; others are not looked at.
    Raises ValueError when it is another kind of model, or its file lacks some of the weights.
    """
    folder = Path(folder)
    kinds = (*WAVE_TYPES, "whisper")
    model, info = read_pretrained(folder, names, kinds, transformers.AutoModel, dtype)
    lacking = sorted(name for name in info["missing_keys"] if name not in UNUSED)
    lacking += sorted(str(name) for name in info.get("mismatched_keys", ()))
    if lacking:
        raise ValueError(f"{folder}: {len(lacking)} weights are missing, such as {lacking[0]}")
    model = model.eval()
    whisper = model.config.model_type == "whisper"
    kind: Any = (
        transformers.WhisperFeatureExtractor if whisper else transformers.Wav2Vec2FeatureExtractor
    )
    with reading(folder, names) as private:
        extractor = kind.from_pretrained(private, **LOCAL)
    if whisper:
        return WhisperEncoder(model.get_encoder().to(device), extractor)
    return WaveModel(model.to(device), extractor.do_normalize)


def _stacked(output: Any, count: int, layers: Sequence[int]) -> torch.Tensor:
    """(len(layers), B, T, width): hidden states of `count`, the last one as the model gives it.

    From transformers 5 on `hidden_states` of these models ends before their last layer norm;
    before that, and so in what liutaocode/talking_face_preprocessing published, it ended with
    `last_hidden_state`.
    """
    if len(output.hidden_states) != count:
        raise ValueError(f"{len(output.hidden_states)} hidden states, expected {count}")
    states = (*output.hidden_states[:-1], output.last_hidden_state)
    return torch.stack([states[layer] for layer in layers])
