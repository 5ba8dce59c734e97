"""Hidden states of a speech network on the time grid: two steps per video frame (50 Hz).

Networks: see `speech_models`. torch and transformers are imported when one is loaded: they take
seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from talkingface.grid import FPS, SAMPLES_PER_FRAME, SPEECH_STEPS_PER_FRAME
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.models.store import StoredModel
from talkingface.networks.backend import import_learned
from talkingface.tables import HUBERT

if TYPE_CHECKING:
    import torch

STORAGE = ("float32", "float16")


class SpeechModel(Protocol):
    """A speech network, loaded.

    `layers` is the number of hidden states (the transformer's input and the output of each of its
    layers), `width` that of their channels. `mixed` says whether sounds of different length may
    share a batch. `window` is the longest pass in frames; None: a pass may be of any length.
    """

    layers: int
    width: int
    mixed: bool
    window: int | None

    def prepare(self, samples: np.ndarray) -> np.ndarray:
        """A clip's (n,) int16 samples as the network was trained on them, (n,) float32."""

    def run(self, waves: Sequence[np.ndarray], layers: Sequence[int]) -> list[torch.Tensor]:
        """(len(layers), 2 N, width) on the model's device of each prepared (640 N,) wave.

        layers: numbers of hidden states, from 0.
        """


def load(model: StoredModel, *, device: str, threads: int, precision: str) -> SpeechModel:
    """The network of a model of the store.

    device, threads: see devices.open_device. precision: float32, float16 or bfloat16, in which it
    computes. For what is raised see backend.import_learned and speech_models.load_network.
    """
    devices, speech_models = import_learned("talkingface.sound.speech_models", model.name)
    return speech_models.load_network(
        model.checked_folder(),
        model.files,
        devices.open_device(device, threads),
        devices.number_format(precision),
    )


def make_hubert(
    clips: Sequence[Clip],
    folder: str | Path,
    manifest: str | Path,
    *,
    model: StoredModel,
    device: str,
    threads: int,
    precision: str,
    layers: str | Sequence[int],
    dtype: str,
    max_seconds: float,
    overlap_seconds: float,
) -> None:
    """Write the hidden states of every clip's sound: `folder`/{clip}.npy, (layers, 2 N, width), and
    the table HUBERT. Without clips nothing is loaded.

    model, device, threads, precision: see load. layers: "all", or numbers of hidden states, -1 the
    last. dtype: float32 or float16, in which is written. max_seconds: most sound in one pass, of
    one clip or several. A longer clip is computed in parts that hear `overlap_seconds` more on both
    sides; Whisper hears windows of 30 s, whatever these two are.
    Raises ValueError for settings that make no sense and for a sound that has not 640 samples a
    frame, FloatingPointError where a value is not finite or beyond `dtype`.
    """
    if dtype not in STORAGE:
        raise ValueError(f"unknown storage dtype {dtype!r}: choose {' or '.join(STORAGE)}")
    most, overlap = int(max_seconds * FPS), int(overlap_seconds * FPS)
    if overlap < 1 or max_seconds <= 2 * overlap_seconds:
        raise ValueError(
            f"parts of {max_seconds} s cannot overlap by {overlap_seconds} s on both sides"
        )
    cells = {
        "layers": layers if isinstance(layers, str) else " ".join(map(str, layers)),
        "dtype": dtype,
        "model": model.name,
        "sha256": model.weights_sha256,
    }
    writer: HiddenStateWriter | None = None
    if clips:
        network = load(model, device=device, threads=threads, precision=precision)
        numbers = choose_layers(layers, network.layers)
        writer = HiddenStateWriter(network, clips, numbers, np.dtype(dtype), most, overlap)

    def make(clip: Clip, into: Path) -> dict[str, str]:
        writer.write(clip, into)
        return cells

    make_for_clips(make, clips, folder, manifest, HUBERT)


class HiddenStateWriter:
    """Writes the hidden states of clips; clips in a row are computed together.

    layers: numbers of the hidden states written. most: frames in one pass, of one clip or several.
    overlap: frames that a part of a longer clip hears more on both sides.
    """

    def __init__(
        self,
        network: SpeechModel,
        clips: Sequence[Clip],
        layers: Sequence[int],
        dtype: np.dtype,
        most: int,
        overlap: int,
    ) -> None:
        self._network, self._layers, self._dtype = network, layers, dtype
        self._most, self._overlap = most, overlap
        lengths = [clip.n_frames for clip in clips]
        costs = [network.window or length for length in lengths]
        batches = plan_batches(costs, lengths if not network.mixed else None, most)
        self._batches = {clips[batch[0]].clip_id: [clips[i] for i in batch] for batch in batches}

    def write(self, clip: Clip, folder: Path) -> None:
        """Write `{clip}.npy` into `folder`, and with it those of the clips computed together with
        it. To be called clip by clip, in the order of the clips.

        Raises ValueError for a sound that has not 640 samples a frame, FloatingPointError where a
        value is not finite or beyond the dtype.
        """
        batch = self._batches.get(clip.clip_id, [])
        if batch:
            from talkingface.networks.devices import run_batches

            waves = [self._wave(member) for member in batch]
            passes = (
                wave[begin * SAMPLES_PER_FRAME : end * SAMPLES_PER_FRAME]
                for member, wave in zip(batch, waves, strict=True)
                for begin, end, _, _ in self._parts(member)
            )
            run = partial(self._network.run, layers=self._layers)
            states = run_batches(run, passes, len(batch))
            for member in batch:
                self._write_clip(member, folder / f"{member.clip_id}.npy", states)

    def _wave(self, clip: Clip) -> np.ndarray:
        samples, expected = clip.sound(), SAMPLES_PER_FRAME * clip.n_frames
        if samples.shape != (expected,):
            path = clip.folder / f"{clip.clip_id}.wav"
            raise ValueError(f"{path}: {samples.shape} samples, its manifest says ({expected},)")
        return self._network.prepare(samples)

    def _parts(self, clip: Clip) -> list[tuple[int, int, int, int]]:
        """The passes over a clip, see plan_parts."""
        if self._network.window is not None:
            return plan_parts(clip.n_frames, self._network.window, 0)
        return plan_parts(clip.n_frames, self._most, self._overlap)

    def _write_clip(self, clip: Clip, path: Path, states: Iterator[Any]) -> None:
        width, per_frame = self._network.width, SPEECH_STEPS_PER_FRAME
        shape = (len(self._layers), per_frame * clip.n_frames, width)
        with open(path, "wb") as file:
            header = np.lib.format.header_data_from_array_1_0(np.empty((0, 0, 0), self._dtype))
            np.lib.format.write_array_header_1_0(file, header | {"shape": shape})
            origin, row = file.tell(), self._dtype.itemsize * width
            for begin, _, first, last in self._parts(clip):
                kept = slice(per_frame * (first - begin), per_frame * (last - begin))
                part = next(states)[:, kept].float().cpu().numpy()
                with np.errstate(over="ignore"):
                    part = part.astype(self._dtype)
                if not np.isfinite(part).all():
                    raise FloatingPointError(f"{path}: values that {self._dtype} cannot hold")
                # Not through a map: on a full disk that kills the process without a word.
                for i, layer in enumerate(part):
                    file.seek(origin + row * (i * shape[1] + per_frame * first))
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
