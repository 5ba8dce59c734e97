"""Hidden states of a speech network on the time grid: two steps per video frame (50 Hz).

torch and transformers are imported when the first clip is computed: they take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from talkingface.grid import FPS, SAMPLES_PER_FRAME
from talkingface.media.audio import read_wav

if TYPE_CHECKING:
    from talkingface.sound.speech_models import SpeechModel

# Of the products' manifest, beside clip_id and n_frames.
COLUMNS = ["layers", "dtype", "model", "sha256"]
STORAGE = ("float32", "float16")
STEPS_PER_FRAME = 2
WEIGHTS = (".safetensors", ".bin")


class Features:
    """The features of a video's clips; clips in a row are computed together.

    `clips` is the clips' manifest, `sounds` the folder with their wavs, `record` and `model` what
    the store says of the model and the folder it lies in (models.model_record, model_folder).

    `device` and `threads`: see devices.open_device. `precision`: float32, float16 or bfloat16, in
    which is computed. `layers`: "all", or numbers of hidden states, -1 the last. `dtype`: float32
    or float16, in which is written. `max_seconds`: most sound in one pass, of one clip or several.
    A longer clip is computed in parts that hear `overlap_seconds` more on both sides; Whisper hears
    windows of 30 s, whatever these two are.
    Raises ValueError for settings that make no sense.
    """

    def __init__(
        self,
        clips: pd.DataFrame,
        sounds: str | Path,
        record: Mapping[str, Any],
        model: str | Path,
        *,
        device: str = "auto",
        threads: int | None = None,
        precision: str = "float32",
        layers: str | Sequence[int] = "all",
        dtype: str = "float32",
        max_seconds: float = 30,
        overlap_seconds: float = 5,
    ) -> None:
        if dtype not in STORAGE:
            raise ValueError(f"unknown storage dtype {dtype!r}: choose {' or '.join(STORAGE)}")
        if int(overlap_seconds * FPS) < 1 or max_seconds <= 2 * overlap_seconds:
            raise ValueError(
                f"parts of {max_seconds} s cannot overlap by {overlap_seconds} s on both sides"
            )
        self._clips = dict(zip(clips.clip_id, clips.n_frames.astype(int), strict=True))
        self._sounds, self._folder = Path(sounds), Path(model)
        self._device, self._threads, self._precision = device, threads, precision
        self._layers, self._dtype = layers, np.dtype(dtype)
        self._most, self._overlap = int(max_seconds * FPS), int(overlap_seconds * FPS)
        self._model: SpeechModel | None = None
        self._batches: dict[str, list[str]] = {}
        files = record["files"]
        hashes = [files[name]["sha256"] for name in files if name.endswith(WEIGHTS)]
        chosen = layers if isinstance(layers, str) else " ".join(map(str, layers))
        values = (chosen, dtype, record["model"], " ".join(hashes))
        self.columns = dict(zip(COLUMNS, values, strict=True))

    def write(self, clip_id: str, folder: Path) -> None:
        """Write `{clip_id}.npy`, (layers, 2 N, width), into `folder`, and with it those of the
        clips computed together with it. To be called clip by clip in the manifest's order.

        Raises ValueError for a sound that has not 640 samples a frame, FloatingPointError where a
        value is not finite or beyond the dtype.
        """
        model = self._model or self._load()
        batch = self._batches.get(clip_id, [])
        if batch:
            from talkingface.networks.devices import run_batches

            waves = {name: self._wave(model, name) for name in batch}
            passes = (part for name in batch for part in self._passes(model, name, waves[name]))
            run = partial(model.run, layers=self._numbers)
            states = run_batches(run, passes, len(batch))
            for name in batch:
                self._write_clip(model, name, folder / f"{name}.npy", states)

    def _load(self) -> SpeechModel:
        from talkingface.networks.devices import number_format, open_device
        from talkingface.sound import speech_models

        device = open_device(self._device, self._threads)
        model = speech_models.load(self._folder, device, number_format(self._precision))
        self._numbers = choose_layers(self._layers, model.layers)
        names, lengths = list(self._clips), list(self._clips.values())
        costs = [model.window or length for length in lengths]
        for batch in plan_batches(costs, lengths if not model.mixed else None, self._most):
            self._batches[names[batch[0]]] = [names[i] for i in batch]
        self._model = model
        return model

    def _wave(self, model: SpeechModel, name: str) -> np.ndarray:
        path, expected = self._sounds / f"{name}.wav", SAMPLES_PER_FRAME * self._clips[name]
        samples = read_wav(path)
        if samples.shape != (expected,):
            raise ValueError(f"{path}: {samples.shape} samples, its manifest says ({expected},)")
        return model.prepare(samples)

    def _parts(self, model: SpeechModel, name: str) -> list[tuple[int, int, int, int]]:
        if model.window is not None:
            return plan_parts(self._clips[name], model.window, 0)
        return plan_parts(self._clips[name], self._most, self._overlap)

    def _passes(self, model: SpeechModel, name: str, wave: np.ndarray) -> Iterator[np.ndarray]:
        for begin, end, _, _ in self._parts(model, name):
            yield wave[begin * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]

    def _write_clip(self, model: SpeechModel, name: str, path: Path, states: Iterator[Any]) -> None:
        shape = (len(self._numbers), STEPS_PER_FRAME * self._clips[name], model.width)
        with open(path, "wb") as file:
            header = np.lib.format.header_data_from_array_1_0(np.empty((0, 0, 0), self._dtype))
            np.lib.format.write_array_header_1_0(file, header | {"shape": shape})
            origin, row = file.tell(), self._dtype.itemsize * model.width
            for begin, _, first, last in self._parts(model, name):
                steps = slice(STEPS_PER_FRAME * (first - begin), STEPS_PER_FRAME * (last - begin))
                found = next(states)[:, steps].float().cpu().numpy()
                with np.errstate(over="ignore"):
                    found = found.astype(self._dtype)
                if not np.isfinite(found).all():
                    raise FloatingPointError(f"{path}: values that {self._dtype} cannot hold")
                # Not through a map: on a full disk that kills the process without a word.
                for i, layer in enumerate(found):
                    file.seek(origin + row * (i * shape[1] + STEPS_PER_FRAME * first))
                    file.write(np.ascontiguousarray(layer).data)


def choose_layers(layers: str | Sequence[int], count: int) -> list[int]:
    """Numbers from 0 of the hidden states kept, of `count`: `all`, or a list, where -1 is the last.

    Raises ValueError for numbers that are not there, or none.
    """
    if isinstance(layers, str):
        if layers != "all":
            raise ValueError(f"layers is {layers!r}: all, or a list of numbers")
        return list(range(count))
    if not layers or not all(-count <= layer < count for layer in layers):
        raise ValueError(f"layers {list(layers)}: there are {-count} to {count - 1}")
    return [layer % count for layer in layers]


def plan_batches(costs: Sequence[int], lengths: Sequence[int] | None, most: int) -> list[list[int]]:
    """Which clips to compute together, by number: runs of clips in a row.

    `costs` are the frames that each takes in a pass; a batch has at most `most`, padding to its
    longest included. Where `lengths` are given, all clips of a batch have the same.
    """
    batches: list[list[int]] = []
    longest = 0
    for i, cost in enumerate(costs):
        longest = max(longest, cost)
        fits = bool(batches) and longest * (len(batches[-1]) + 1) <= most
        if fits and (lengths is None or lengths[i] == lengths[batches[-1][0]]):
            batches[-1].append(i)
        else:
            batches.append([i])
            longest = cost
    return batches


def plan_parts(n_frames: int, most: int, overlap: int) -> list[tuple[int, int, int, int]]:
    """Begin and end of every pass over a clip, and of what is kept of it, in frames.

    A pass has at most `most` frames, `overlap` of them at each end for hearing only.
    """
    if n_frames <= most:
        return [(0, n_frames, 0, n_frames)]
    kept = most - 2 * overlap
    edges = [*range(0, n_frames, kept), n_frames]
    return [
        (max(0, first - overlap), min(n_frames, last + overlap), first, last)
        for first, last in pairwise(edges)
    ]
