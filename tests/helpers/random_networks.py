"""BiSeNet and DaGAN's depth network with weights made here, and what their makers' texts compute.

Nothing of the library is used: names and shapes are listed, and layers are called one by one by the
names of their weights.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
import torch.nn.functional as F

State = OrderedDict[str, torch.Tensor]
LAYERS = {18: ((2, 2, 2, 2), False), 50: ((3, 4, 6, 3), True)}


class Draw:
    """Random weights, in the order in which torch lists a network's."""

    def __init__(self, seed: int) -> None:
        self.state: State = OrderedDict()
        self._random = torch.Generator().manual_seed(seed)

    def conv(self, name: str, outputs: int, inputs: int, size: int, bias: bool = False) -> None:
        shape = (outputs, inputs, size, size)
        scale = (2 / (inputs * size * size)) ** 0.5
        self.state[f"{name}.weight"] = torch.randn(shape, generator=self._random) * scale
        if bias:
            self.state[f"{name}.bias"] = torch.randn(outputs, generator=self._random) * 0.1

    def norm(self, name: str, channels: int, gain: float = 1.0) -> None:
        for part, value in (
            ("weight", gain * (torch.rand(channels, generator=self._random) + 0.5)),
            ("bias", 0.2 * torch.randn(channels, generator=self._random)),
            ("running_mean", 0.2 * torch.randn(channels, generator=self._random)),
            ("running_var", torch.rand(channels, generator=self._random) + 0.5),
            ("num_batches_tracked", torch.tensor(80_000)),
        ):
            self.state[f"{name}.{part}"] = value

    def resnet(self, prefix: str, depth: int) -> None:
        """torchvision's names without the classifier."""
        counts, deep = LAYERS[depth]
        self.conv(f"{prefix}conv1", 64, 3, 7)
        self.norm(f"{prefix}bn1", 64)
        inputs = 64
        for number, (count, width) in enumerate(zip(counts, (64, 128, 256, 512), strict=True), 1):
            outputs = 4 * width if deep else width
            for k in range(count):
                name = f"{prefix}layer{number}.{k}"
                sizes = (1, 3, 1) if deep else (3, 3)
                widths = (inputs, width, width, outputs) if deep else (inputs, width, outputs)
                for i, size in enumerate(sizes):
                    self.conv(f"{name}.conv{i + 1}", widths[i + 1], widths[i], size)
                    last = i + 1 == len(sizes)
                    self.norm(f"{name}.bn{i + 1}", widths[i + 1], 0.3 if last else 1.0)
                if k == 0 and (number > 1 or deep):
                    self.conv(f"{name}.downsample.0", outputs, inputs, 1)
                    self.norm(f"{name}.downsample.1", outputs)
                inputs = outputs


def normalised(state: State, name: str, x: torch.Tensor) -> torch.Tensor:
    mean, variance, weight, bias = (
        state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, weight, bias)


def resnet_features(
    state: State, prefix: str, depth: int, pictures: torch.Tensor
) -> list[torch.Tensor]:
    """What torchvision's ResNet has after its first convolution and after its four layers."""
    counts, deep = LAYERS[depth]
    x = F.conv2d(pictures, state[f"{prefix}conv1.weight"], stride=2, padding=3)
    found = [F.relu(normalised(state, f"{prefix}bn1", x))]
    x = F.max_pool2d(found[0], kernel_size=3, stride=2, padding=1)
    for number, count in enumerate(counts, 1):
        for k in range(count):
            name, stride = f"{prefix}layer{number}.{k}", 2 if number > 1 and k == 0 else 1
            shortcut, y = x, x
            # The stride is the 3 x 3 convolution's, the first one's in a plain block.
            plan = [(1, 0), (stride, 1), (1, 0)] if deep else [(stride, 1), (1, 1)]
            for i, (step, padding) in enumerate(plan, 1):
                weight = state[f"{name}.conv{i}.weight"]
                y = normalised(state, f"{name}.bn{i}", F.conv2d(y, weight, None, step, padding))
                y = F.relu(y) if i < len(plan) else y
            if f"{name}.downsample.0.weight" in state:
                shortcut = F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride)
                shortcut = normalised(state, f"{name}.downsample.1", shortcut)
            x = F.relu(y + shortcut)
        found.append(x)
    return found


# zllrunning/face-parsing.PyTorch, model.py ------------------------------------------------------


def random_bisenet(seed: int = 0) -> State:
    """A state dict with the names and shapes of `79999_iter.pth`."""
    draw = Draw(seed)

    def block(name: str, outputs: int, inputs: int, size: int) -> None:
        draw.conv(f"{name}.conv", outputs, inputs, size)
        draw.norm(f"{name}.bn", outputs)

    draw.resnet("cp.resnet.", 18)
    for name, inputs in (("arm16", 256), ("arm32", 512)):
        block(f"cp.{name}.conv", 128, inputs, 3)
        draw.conv(f"cp.{name}.conv_atten", 128, 128, 1)
        draw.norm(f"cp.{name}.bn_atten", 128)
    block("cp.conv_head32", 128, 128, 3)
    block("cp.conv_head16", 128, 128, 3)
    block("cp.conv_avg", 128, 512, 1)
    block("ffm.convblk", 256, 256, 1)
    draw.conv("ffm.conv1", 64, 256, 1)
    draw.conv("ffm.conv2", 256, 64, 1)
    for name, inputs, width in (
        ("conv_out", 256, 256), ("conv_out16", 128, 64), ("conv_out32", 128, 64),
    ):  # fmt: skip
        block(f"{name}.conv", width, inputs, 3)
        draw.conv(f"{name}.conv_out", 19, width, 1)
    # Scores that no label wins everywhere.
    draw.state["conv_out.conv_out.weight"] -= draw.state["conv_out.conv_out.weight"].mean(1, True)
    return draw.state


def bisenet_scores(state: State, pictures: torch.Tensor) -> torch.Tensor:
    """The first of the network's three outputs, before it is brought to the pictures' size
    (bilinear, align_corners=True): (B, 3, H, W) -> (B, 19, H / 8, W / 8)."""

    def block(name: str, x: torch.Tensor) -> torch.Tensor:
        weight = state[f"{name}.conv.weight"]
        x = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        return F.relu(normalised(state, f"{name}.bn", x))

    def refined(name: str, x: torch.Tensor) -> torch.Tensor:
        x = block(f"{name}.conv", x)
        share = F.conv2d(F.adaptive_avg_pool2d(x, 1), state[f"{name}.conv_atten.weight"])
        return torch.mul(x, torch.sigmoid(normalised(state, f"{name}.bn_atten", share)))

    *_, at8, at16, at32 = resnet_features(state, "cp.resnet.", 18, pictures)
    average = block("cp.conv_avg", F.adaptive_avg_pool2d(at32, 1))
    x = refined("cp.arm32", at32) + F.interpolate(average, at32.shape[2:], mode="nearest")
    x = block("cp.conv_head32", F.interpolate(x, at16.shape[2:], mode="nearest"))
    x = refined("cp.arm16", at16) + x
    x = block("cp.conv_head16", F.interpolate(x, at8.shape[2:], mode="nearest"))
    x = block("ffm.convblk", torch.cat([at8, x], dim=1))
    share = F.relu(F.conv2d(F.adaptive_avg_pool2d(x, 1), state["ffm.conv1.weight"]))
    x = torch.mul(x, torch.sigmoid(F.conv2d(share, state["ffm.conv2.weight"]))) + x
    return F.conv2d(block("conv_out.conv", x), state["conv_out.conv_out.weight"])


# monodepth2, networks/resnet_encoder.py and depth_decoder.py -------------------------------------


def random_dagan(depth: int, height: int, width: int, seed: int = 0) -> tuple[dict, State]:
    """What `encoder.pth` and `depth.pth` hold, with an encoder of ResNet-`depth`."""
    encoder, decoder = Draw(seed), Draw(seed + 1)
    encoder.resnet("encoder.", depth)
    features = 2048 if depth == 50 else 512
    encoder.state["encoder.fc.weight"] = torch.zeros(1000, features)
    encoder.state["encoder.fc.bias"] = torch.zeros(1000)
    skipped = [64, *(w * features // 512 for w in (64, 128, 256, 512))]
    inputs = features
    for number, (i, channels) in enumerate(
        (i, channels) for i, channels in ((4, 256), (3, 128), (2, 64), (1, 32), (0, 16))
    ):
        decoder.conv(f"decoder.{2 * number}.conv.conv", channels, inputs, 3, bias=True)
        beside = channels + (skipped[i - 1] if i > 0 else 0)
        decoder.conv(f"decoder.{2 * number + 1}.conv.conv", channels, beside, 3, bias=True)
        inputs = channels
    for scale, channels in enumerate((16, 32, 64, 128)):
        decoder.conv(f"decoder.{10 + scale}.conv", 1, channels, 3, bias=True)
    # A disparity of some tenths, as of faces.
    decoder.state["decoder.10.conv.weight"] *= 0.5
    decoder.state["decoder.10.conv.bias"] -= 2
    sizes = {"height": height, "width": width, "use_stereo": False}
    return {**encoder.state, **sizes}, decoder.state


def dagan_disparity(
    encoder: dict, decoder: State, depth: int, pictures: torch.Tensor
) -> torch.Tensor:
    """`("disp", 0)` of (B, 3, H, W) RGB from 0 to 1."""
    features = resnet_features(encoder, "encoder.", depth, (pictures - 0.45) / 0.225)

    def padded(name: str, x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, decoder[f"{name}.weight"], decoder[f"{name}.bias"])

    x = features[4]
    for number, skip in enumerate([*features[3::-1], None]):
        x = F.elu(padded(f"decoder.{2 * number}.conv.conv", x))
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = x if skip is None else torch.cat([x, skip], 1)
        x = F.elu(padded(f"decoder.{2 * number + 1}.conv.conv", x))
    return torch.sigmoid(padded("decoder.10.conv", x))


def pictures_of(frames: Sequence, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """torchvision's ToTensor and Normalize of (H, W, 3) uint8 RGB arrays."""
    stacked = torch.stack([torch.from_numpy(frame.copy()).permute(2, 0, 1) for frame in frames])
    values = [torch.tensor(v).view(3, 1, 1) for v in (mean, std)]
    return (stacked.float() / 255 - values[0]) / values[1]
