"""SyncNet with weights made here, and syncnet_python's evaluation as its text describes it.

Nothing of the library is used: layers are called one by one, by the numbers of their weights in
the state dict, on whole arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import python_speech_features
import torch
import torch.nn.functional as F

State = dict[str, torch.Tensor]

# Number in the Sequential, shape of the weight, stride, padding; then pool: size, stride, padding.
AUDIO = [
    (0, (64, 1, 3, 3), 1, 1, (1, 1, 0)),
    (4, (192, 64, 3, 3), 1, 1, (3, (1, 2), 0)),
    (8, (384, 192, 3, 3), 1, 1, None),
    (11, (256, 384, 3, 3), 1, 1, None),
    (14, (256, 256, 3, 3), 1, 1, (3, 2, 0)),
    (18, (512, 256, 5, 4), 1, 0, None),
]
LIPS = [
    (0, (96, 3, 5, 7, 7), (1, 2, 2), 0, ((1, 3, 3), (1, 2, 2), 0)),
    (4, (256, 96, 1, 5, 5), (1, 2, 2), (0, 1, 1), ((1, 3, 3), (1, 2, 2), (0, 1, 1))),
    (8, (256, 256, 1, 3, 3), 1, (0, 1, 1), None),
    (11, (256, 256, 1, 3, 3), 1, (0, 1, 1), None),
    (14, (256, 256, 1, 3, 3), 1, (0, 1, 1), ((1, 3, 3), (1, 2, 2), 0)),
    (18, (512, 256, 1, 6, 6), 1, 0, None),
]
HEAD = [(0, (512, 512)), (3, (1024, 512))]
BRANCHES = {"aud": (AUDIO, "netcnnaud", "netfcaud"), "lip": (LIPS, "netcnnlip", "netfclip")}


def random_state(seed: int = 0) -> State:
    """A state dict of the published layout: 88 tensors, no counters of batch normalisation."""
    draw = torch.Generator().manual_seed(seed)
    state: State = {}

    def layer(name: str, shape: Sequence[int]) -> None:
        inputs = int(np.prod(shape[1:]))
        state[f"{name}.weight"] = torch.randn(*shape, generator=draw) * (2 / inputs) ** 0.5
        state[f"{name}.bias"] = torch.randn(shape[0], generator=draw) * 0.1

    def norm(name: str, channels: int) -> None:
        state[f"{name}.weight"] = torch.rand(channels, generator=draw) + 0.5
        state[f"{name}.bias"] = torch.randn(channels, generator=draw) * 0.2
        state[f"{name}.running_mean"] = torch.randn(channels, generator=draw) * 0.2
        state[f"{name}.running_var"] = torch.rand(channels, generator=draw) + 0.5

    for convolutions, features, head in BRANCHES.values():
        for number, shape, *_ in convolutions:
            layer(f"{features}.{number}", shape)
            norm(f"{features}.{number + 1}", shape[0])
        layer(f"{head}.0", HEAD[0][1])
        norm(f"{head}.1", 512)
        layer(f"{head}.3", HEAD[1][1])
    # The first layers see pixels from 0 to 255 and MFCC of some tens; the last ones are to put
    # windows some 10 apart, as the published weights do.
    state["netcnnlip.0.weight"] /= 100
    state["netcnnaud.0.weight"] /= 10
    state["netfclip.3.weight"] /= 30
    state["netfcaud.3.weight"] /= 30
    return state


def features(state: State, branch: str, windows: torch.Tensor) -> torch.Tensor:
    """(B, 512) of (B, 3, 5, 224, 224) frames or (B, 1, 13, 20) MFCC: what the last layer gets."""
    convolutions, name, head = BRANCHES[branch]
    x = windows
    for number, shape, stride, padding, pool in convolutions:
        convolve, shrink = (F.conv3d, F.max_pool3d) if len(shape) == 5 else (F.conv2d, F.max_pool2d)
        weight, bias = state[f"{name}.{number}.weight"], state[f"{name}.{number}.bias"]
        x = convolve(x, weight, bias, stride=stride, padding=padding)
        x = F.relu(_normalised(state, f"{name}.{number + 1}", x))
        x = shrink(x, *pool) if pool else x
    x = F.linear(x.flatten(1), state[f"{head}.0.weight"], state[f"{head}.0.bias"])
    return F.relu(_normalised(state, f"{head}.1", x))


def embedding(state: State, branch: str, windows: torch.Tensor) -> torch.Tensor:
    """(B, 1024)."""
    head = BRANCHES[branch][2]
    hidden = features(state, branch, windows)
    return F.linear(hidden, state[f"{head}.3.weight"], state[f"{head}.3.bias"])


def published_windows(crops: np.ndarray, samples: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """All windows of (N, 224, 224, 3) uint8 BGR crops and of int16 samples at 16 kHz."""
    count = min(len(crops), len(samples) // 640) - 5
    video = torch.from_numpy(crops.astype(np.float32)).permute(3, 0, 1, 2)
    mfcc = torch.from_numpy(python_speech_features.mfcc(samples, 16000).T.astype(np.float32))
    lips = torch.stack([video[:, f : f + 5] for f in range(count)])
    sounds = torch.stack([mfcc[None, :, 4 * f : 4 * f + 20] for f in range(count)])
    return lips, sounds


def published_distances(
    state: State, crops: np.ndarray, samples: np.ndarray, vshift: int = 15
) -> np.ndarray:
    """(windows, 31) distances of syncnet_python's evaluation."""
    lips, sounds = published_windows(crops, samples)
    with torch.inference_mode():
        lip, sound = embedding(state, "lip", lips), embedding(state, "aud", sounds)
        padded = F.pad(sound, (0, 0, vshift, vshift))
        rows = [
            F.pairwise_distance(lip[i].expand(2 * vshift + 1, -1), padded[i : i + 2 * vshift + 1])
            for i in range(len(lip))
        ]
    return torch.stack(rows).numpy()


def published_result(distances: np.ndarray, vshift: int = 15) -> tuple[int, float, float]:
    """Offset, confidence and lowest mean distance."""
    mean = torch.from_numpy(distances).mean(dim=0)
    lowest, place = torch.min(mean, 0)
    return vshift - int(place), float(torch.median(mean) - lowest), float(lowest)


def fitted_state(crops: np.ndarray, samples: np.ndarray, seed: int = 0) -> State:
    """Random weights but for the last layers, which put every window of this film and its sound
    at one point: a network that knows what belongs together there."""
    state = random_state(seed)
    lips, sounds = published_windows(crops, samples)
    with torch.inference_mode():
        for branch, windows in (("lip", lips), ("aud", sounds)):
            hidden = features(state, branch, windows).numpy()
            hidden = np.column_stack([hidden, np.ones(len(hidden))])
            targets = np.random.default_rng(seed).normal(size=(len(hidden), 1024)) / 3
            ridge = 1e-4 * np.trace(hidden @ hidden.T) / len(hidden) * np.eye(len(hidden))
            weight = hidden.T @ np.linalg.solve(hidden @ hidden.T + ridge, targets)
            head = BRANCHES[branch][2]
            state[f"{head}.3.weight"] = torch.from_numpy(weight[:-1].T.astype(np.float32))
            state[f"{head}.3.bias"] = torch.from_numpy(weight[-1].astype(np.float32))
    return state


def _normalised(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    mean, variance, weight, bias = (
        state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, weight, bias)
