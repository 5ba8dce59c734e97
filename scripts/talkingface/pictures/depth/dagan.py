"""Depth backend `dagan`: the face depth network of DaGAN (Hong et al., 2022).

It is monodepth2's (Godard et al., 2019): a ResNet, and a decoder whose finest output, a sigmoid, is
disparity. Names and shapes are those of its files `encoder.pth`, which says the size of the
pictures that it wants, and `depth.pth`. Frames are made that size by their pixels' mean, as
`extract_face_depth` of linxiagong/dataprocess-talkingface does, and disparity is brought back to
theirs (bilinear). Every pixel has depth, whether there is a face or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from talkingface.networks.checkpoints import load_state_dict
from talkingface.networks.frames import FrameBatches, Preprocessing
from talkingface.networks.resnet import ResNet, resnet_of
from talkingface.networks.weights import ADVICE, prepare, set_weights

ENCODER, DECODER = "encoder.pth", "depth.pth"
MEAN, STD = (0.45,) * 3, (0.225,) * 3
# A disparity of 1 stands for the first of these depths, one of 0 for the second.
NEAREST, FARTHEST = 0.1, 100.0

_WIDTHS = (16, 32, 64, 128, 256)
_SCALES = 4
_STEP = 32  # the ResNet halves the picture five times


class DaganDepth:
    """See `depth.Backend`. `batches` says how many frames are run at a time."""

    name = "dagan"
    quantity = (
        "inverse of the depth that DaGAN's network gives, which is 1 / quantity, from 0.1 to 100:"
        " larger is nearer"
    )
    unit = "1 / depth, the unit of which is unknown"
    nearer_is_smaller = False
    needs_frames = True

    def __init__(
        self, network: nn.Module, preprocessing: Preprocessing, size: tuple[int, int]
    ) -> None:
        """size: height and width of the network's input."""
        self._network, self._preprocessing, self._size = network, preprocessing, size
        self.batches = FrameBatches(self._measure, preprocessing.device)

    def limits(self, points: np.ndarray, present: np.ndarray) -> tuple[float, float]:
        """The network's own limits, the same for all clips."""
        return 1 / FARTHEST, 1 / NEAREST

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """(B, H, W) float32; landmarks are not looked at."""
        return self.batches(frames)

    @torch.inference_mode()
    def _measure(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        disparity = self._network(self._preprocessing(frames, self._size)).float()
        disparity = F.interpolate(
            disparity, frames[0].shape[:2], mode="bilinear", align_corners=False
        )
        inverse = disparity[:, 0].mul_(1 / NEAREST - 1 / FARTHEST).add_(1 / FARTHEST)
        return inverse.cpu().numpy()


class DepthDecoder(nn.Module):
    """monodepth2's decoder: five features of a ResNet -> (B, 1, H, W) sigmoid of disparity.

    `channels` are the features'. The outputs of the three coarser scales are for training: they
    have weights and are not run.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels[-1]
        for i in range(len(_WIDTHS) - 1, -1, -1):
            width = _WIDTHS[i]
            skipped = channels[i - 1] if i > 0 else 0
            layers += [_Block(inputs, width), _Block(width + skipped, width)]
            inputs = width
        layers += [_Convolution(_WIDTHS[scale], 1) for scale in range(_SCALES)]
        self.decoder = nn.ModuleList(layers)

    def forward(self, features: Sequence[torch.Tensor]) -> torch.Tensor:
        *skips, x = features
        for i in range(len(_WIDTHS)):
            x = F.interpolate(self.decoder[2 * i](x), scale_factor=2.0)
            if skips:
                x = torch.cat([x, skips.pop()], 1)
            x = self.decoder[2 * i + 1](x)
        return torch.sigmoid(self.decoder[2 * len(_WIDTHS)](x))


def load(folder: str | Path, device: torch.device, dtype: torch.dtype) -> DaganDepth:
    """Load the files in `folder` for `device`, computing in `dtype`.

    Raises CheckpointError where one cannot be read, ValueError where it is another network's.
    """
    path = Path(folder, ENCODER)
    state = load_state_dict(path)
    encoder = _Encoder(resnet_of(state, "encoder.", path))
    height, width = (state.get(name) for name in ("height", "width"))
    for side in (height, width):
        if not isinstance(side, int) or side < 2 * _STEP or side % _STEP:
            raise ValueError(
                f"{path}: height {height} and width {width} of its pictures must be multiples of "
                f"{_STEP}; {ADVICE}"
            )
    beside = ("height", "width", "use_stereo", "encoder.fc.")
    set_weights(encoder, state, path, ignored_prefixes=beside)
    path = Path(folder, DECODER)
    decoder = DepthDecoder(encoder.encoder.channels)
    set_weights(decoder, load_state_dict(path), path)
    network = prepare(nn.Sequential(encoder, decoder), device, dtype)
    return DaganDepth(network, Preprocessing("area", MEAN, STD, device, dtype), (height, width))


class _Encoder(nn.Module):
    """monodepth2's ResnetEncoder but for the pictures' mean and deviation."""

    def __init__(self, encoder: ResNet) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        return self.encoder(pictures)


class _Convolution(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = _Convolution(inputs, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.elu(self.conv(x), inplace=True)
