"""ResNet (He et al., 2016) without its classifier, under torchvision's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from talkingface.networks.weights import ADVICE

WIDTHS = (64, 128, 256, 512)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (ResNet-18 and 34)."""

    widening = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(inner)) + self.downsample(x))


class Bottleneck(nn.Module):
    """A 3 x 3 convolution, which has the stride, between two of 1 x 1 (ResNet-50 and deeper)."""

    widening = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.widening
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = F.relu(self.bn1(self.conv1(x)))
        inner = F.relu(self.bn2(self.conv2(inner)))
        return F.relu(self.bn3(self.conv3(inner)) + self.downsample(x))


class ResNet(nn.Module):
    """The convolutions of a ResNet.

    blocks: number of blocks of the four layers, (2, 2, 2, 2) for ResNet-18. block: their kind.
    `channels` are those of the five features that `forward` gives.
    """

    def __init__(
        self,
        blocks: Sequence[int] = (2, 2, 2, 2),
        block: type[BasicBlock] | type[Bottleneck] = BasicBlock,
    ) -> None:
        super().__init__()
        self.channels = [64, *(block.widening * width for width in WIDTHS)]
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        inputs = 64
        for number, (count, width) in enumerate(zip(blocks, WIDTHS, strict=True), start=1):
            layers = []
            for k in range(count):
                layers.append(block(inputs, width, 2 if number > 1 and k == 0 else 1))
                inputs = width * block.widening
            self.add_module(f"layer{number}", nn.Sequential(*layers))

    def forward(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        """(B, 3, H, W) -> features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the size."""
        features = [F.relu(self.bn1(self.conv1(pictures)))]
        x = F.max_pool2d(features[0], 3, 2, 1)
        for number in (1, 2, 3, 4):
            x = self.get_submodule(f"layer{number}")(x)
            features.append(x)
        return features


def resnet_of(state: Mapping[str, Any], prefix: str, source: str | Path) -> ResNet:
    """A ResNet as deep as the one whose names in `state` begin with `prefix`; weights not set.

    Raises ValueError, which names `source`, where there is none.
    """
    counts = [0] * len(WIDTHS)
    for i in range(len(WIDTHS)):
        while f"{prefix}layer{i + 1}.{counts[i]}.conv1.weight" in state:
            counts[i] += 1
    if not all(counts):
        raise ValueError(f"{source}: no ResNet in it ({prefix}layer1 to 4); {ADVICE}")
    has_bottlenecks = f"{prefix}layer1.0.conv3.weight" in state
    return ResNet(counts, Bottleneck if has_bottlenecks else BasicBlock)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
