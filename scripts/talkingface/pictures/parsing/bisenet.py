"""Face parsing backend `bisenet`: zllrunning/face-parsing.PyTorch's BiSeNet (Yu et al., 2018).

Names and shapes are those of its checkpoint `79999_iter.pth`. Frames of any size and shape are
made 512 x 512, as there. Its test script gives a map of 512 x 512: scores at an eighth of that,
brought to 512 x 512 (bilinear, corners on corners), then the best label. Here scores are brought
to the clip's own size, which for clips of 512 x 512 is the same.

What it does not know: it was trained on portraits cut as CelebAMask-HQ's are, and it labels every
face that it sees, whether the landmarks have one or not.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from talkingface.networks.checkpoints import load_state_dict
from talkingface.networks.frames import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from talkingface.networks.resnet import ResNet
from talkingface.networks.weights import prepare, set_weights
from talkingface.pictures.parsing.labels import LABELS
from talkingface.pictures.parsing.network import LabelNetwork

WEIGHTS = "79999_iter.pth"
SIDE = 512


class BiSeNet(nn.Module):
    """The network as it was trained: (B, 3, 512, 512) normalised RGB -> (B, 19, 64, 64) scores.

    `conv_out16` and `conv_out32` are for training: they have weights and are not run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cp = _ContextPath()
        self.ffm = _FeatureFusion(256, 256)
        self.conv_out = _Output(256, 256)
        self.conv_out16 = _Output(128, 64)
        self.conv_out32 = _Output(128, 64)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        eighth, context = self.cp(pictures)
        return self.conv_out(self.ffm(eighth, context))


def load(folder: str | Path, device: torch.device, dtype: torch.dtype) -> LabelNetwork:
    """Load the checkpoint in `folder` for `device`, computing in `dtype`.

    Raises CheckpointError where it cannot be read, ValueError where it is another network's.
    """
    path = Path(folder, WEIGHTS)
    network = BiSeNet()
    set_weights(network, load_state_dict(path), path)
    preprocessing = Preprocessing("bilinear", IMAGENET_MEAN, IMAGENET_STD, device, dtype)
    ready = prepare(network, device, dtype)
    return LabelNetwork(ready, preprocessing, (SIDE, SIDE), align_corners=True)


class _ConvBNReLU(nn.Module):
    def __init__(self, inputs: int, outputs: int, size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.bn(self.conv(x)))


class _AttentionRefinement(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = _ConvBNReLU(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(_average(x))))


class _ContextPath(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet()
        self.arm16 = _AttentionRefinement(256, 128)
        self.arm32 = _AttentionRefinement(512, 128)
        self.conv_head32 = _ConvBNReLU(128, 128)
        self.conv_head16 = _ConvBNReLU(128, 128)
        self.conv_avg = _ConvBNReLU(512, 128, 1)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The ResNet's features at 1/8, and their context at 1/8."""
        *_, eighth, sixteenth, last = self.resnet(pictures)
        x = self.arm32(last) + self.conv_avg(_average(last))
        x = self.conv_head32(F.interpolate(x, sixteenth.shape[2:]))
        x = self.arm16(sixteenth) + x
        return eighth, self.conv_head16(F.interpolate(x, eighth.shape[2:]))


class _FeatureFusion(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convblk = _ConvBNReLU(inputs, outputs, 1)
        self.conv1 = nn.Conv2d(outputs, outputs // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs // 4, outputs, 1, bias=False)

    def forward(self, spatial: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        x = self.convblk(torch.cat([spatial, context], 1))
        return x + x * torch.sigmoid(self.conv2(F.relu(self.conv1(_average(x)))))


class _Output(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.conv = _ConvBNReLU(inputs, width)
        self.conv_out = nn.Conv2d(width, len(LABELS), 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return cast(torch.Tensor, self.conv_out(self.conv(x)))


def _average(x: torch.Tensor) -> torch.Tensor:
    return x.mean((2, 3), keepdim=True)
