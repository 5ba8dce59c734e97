"""SyncNet (Chung and Zisserman, 2016): five frames of a mouth and 0.2 s of sound as points of one
space, near each other where they belong together.

Layers and names are those of joonson/syncnet_python, so that its checkpoint `syncnet_v2.model`
fits. Inference folds the batch normalisation into the layer before it and takes the five frames
as 15 channels of one picture: the same numbers, up to rounding, at twice the speed on a processor.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from talkingface.networks.checkpoints import load_state_dict
from talkingface.networks.weights import set_weights

# Frames of one window, their side in pixels, and the rows of MFCC (4 a frame) that go with them.
WINDOW = 5
SIDE = 224
ROWS = 20
EMBEDDING = 1024
_LIP_CHANNELS = 3 * WINDOW


class SyncNet(nn.Module):
    """The network as it was trained: state dict and numbers of syncnet_python."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_conv(nn.Conv2d(1, 64, 3, padding=1)),
            nn.MaxPool2d(1, 1),
            *_conv(nn.Conv2d(64, 192, 3, padding=1)),
            nn.MaxPool2d(3, (1, 2)),
            *_conv(nn.Conv2d(192, 384, 3, padding=1)),
            *_conv(nn.Conv2d(384, 256, 3, padding=1)),
            *_conv(nn.Conv2d(256, 256, 3, padding=1)),
            nn.MaxPool2d(3, 2),
            *_conv(nn.Conv2d(256, 512, (5, 4))),
        )
        self.netfcaud = _head()
        self.netcnnlip = nn.Sequential(
            *_conv(nn.Conv3d(3, 96, (WINDOW, 7, 7), (1, 2, 2))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv(nn.Conv3d(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_conv(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_conv(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_conv(nn.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv(nn.Conv3d(256, 512, (1, 6, 6))),
        )
        self.netfclip = _head()

    def forward_lip(self, windows: torch.Tensor) -> torch.Tensor:
        """(B, 3, 5, 224, 224) float BGR, 0 to 255 -> (B, 1024)."""
        return self.netfclip(self.netcnnlip(windows).flatten(1))

    def forward_aud(self, windows: torch.Tensor) -> torch.Tensor:
        """(B, 1, 13, 20) float MFCC of int16 samples -> (B, 1024)."""
        return self.netfcaud(self.netcnnaud(windows).flatten(1))


class Embedder:
    """SyncNet for inference on `device`, computing in `dtype`."""

    def __init__(self, network: SyncNet, device: torch.device, dtype: torch.dtype) -> None:
        exact = copy.deepcopy(network).double().eval()
        parts = (
            [*_folded(exact.netcnnlip), nn.Flatten(), *_folded(exact.netfclip)],
            [*_folded(exact.netcnnaud), nn.Flatten(), *_folded(exact.netfcaud)],
        )
        branches: list[Any] = [nn.Sequential(*part).eval().to(device, dtype) for part in parts]
        self._lips, self._sounds = (
            branch.to(memory_format=torch.channels_last) for branch in branches
        )
        self.device, self.dtype = device, dtype
        # Kept from batch to batch: new memory of this size is slow.
        self._input = torch.empty(0, device=device, dtype=dtype)

    @torch.inference_mode()
    def lips(self, windows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
        """(B, 1024) float32 of B windows of five (224, 224, 3) uint8 BGR crops each."""
        pictures = np.empty((len(windows), SIDE, SIDE, _LIP_CHANNELS), np.uint8)
        for crops, picture in zip(windows, pictures, strict=True):
            # Channel i of all crops is channel i of the picture.
            cv2.mixChannels(list(crops), [picture], np.arange(_LIP_CHANNELS).repeat(2).tolist())
        # The channels are last in memory already, as the convolutions want them.
        values = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(self.device)
        if len(self._input) < len(values):
            self._input = torch.empty_like(values, dtype=self.dtype)
        return self._lips(self._input[: len(values)].copy_(values)).float().cpu().numpy()

    @torch.inference_mode()
    def sounds(self, mfcc: np.ndarray) -> np.ndarray:
        """(B, 1024) float32 of the B windows in (4 B + 16, 13) rows of MFCC of int16 samples."""
        rows = torch.from_numpy(np.asarray(mfcc, np.float32)).to(self.device)
        windows = rows.unfold(0, ROWS, ROWS // WINDOW)[:, None]
        return self._sounds(windows.to(self.dtype)).float().cpu().numpy()


def load_embedder(path: str | Path, device: torch.device, dtype: torch.dtype) -> Embedder:
    """syncnet_python's checkpoint for inference on `device`, computing in `dtype`.

    Raises CheckpointError for a file that cannot be read, ValueError when its names or shapes are
    not SyncNet's.
    """
    return Embedder(read_network(load_state_dict(path), path), device, dtype)


def read_network(state: Mapping[str, Any], source: str | Path) -> SyncNet:
    """The network with the weights of a state dict.

    Raises ValueError, which names `source`, when names or shapes are not SyncNet's.
    """
    network = SyncNet()
    set_weights(network, state, source)
    return network.eval()


def _conv(layer: Any) -> tuple[nn.Module, nn.Module, nn.Module]:
    norm = nn.BatchNorm3d if isinstance(layer, nn.Conv3d) else nn.BatchNorm2d
    return layer, norm(layer.out_channels), nn.ReLU(inplace=True)


def _head() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, EMBEDDING)
    )


def _folded(layers: nn.Sequential) -> list[nn.Module]:
    """The layers without batch normalisation, and in two dimensions."""
    plain: list[Any] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm1d):
            plain[-1] = fuse_linear_bn_eval(plain[-1], layer)
        elif isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
            plain[-1] = fuse_conv_bn_eval(plain[-1], layer)
        else:
            plain.append(layer)
    return [_flat(layer) for layer in plain]


def _flat(layer: Any) -> nn.Module:
    """A layer whose input has one step in time, or as many as it looks at, without time."""
    if isinstance(layer, nn.MaxPool3d):
        sizes: Any = (layer.kernel_size, layer.stride, layer.padding)
        size, stride, padding = (s if isinstance(s, int) else s[1:] for s in sizes)
        return nn.MaxPool2d(size, stride, padding)
    if not isinstance(layer, nn.Conv3d):
        return layer
    # Channels of one frame after those of the frame before, as `Embedder.lips` lays them out.
    weight = layer.weight.transpose(1, 2).flatten(1, 2)
    outputs, inputs, *size = weight.shape
    options: Any = (size, layer.stride[1:], layer.padding[1:])
    flat = nn.Conv2d(inputs, outputs, *options)
    flat.weight, flat.bias = nn.Parameter(weight), layer.bias
    return flat
