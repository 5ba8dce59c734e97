"""Published weights put into a network, and the network made ready to run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# What an error about a file of weights says at its end.
ADVICE = "delete it and fetch it again, or take it from its makers' page"


def fill(
    network: nn.Module, state: Mapping[str, Any], source: str | Path, unused: Sequence[str] = ()
) -> None:
    """Give a network the weights of a state dict, which must have exactly its names and shapes.

    `unused` are beginnings of names that may be there beside them. Counters of batch normalisation
    may be missing: old files have none, and inference does not look at them.
    Raises ValueError, which names `source`.
    """
    given = {name: value for name, value in state.items() if not name.startswith(tuple(unused))}
    expected = {name: value.shape for name, value in network.state_dict().items()}
    missing = (name for name in expected if name not in given)
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")]
    for name, value in given.items():
        if name not in expected or getattr(value, "shape", None) != expected[name]:
            wrong.append(name)
    if wrong:
        raise ValueError(
            f"{source}: not the weights of {type(network).__name__}: {len(wrong)} of "
            f"{len(expected)} tensors are missing, unknown or of another shape, among them "
            f"{min(wrong)}; {ADVICE}"
        )
    network.load_state_dict(given, strict=False)


def prepare(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Make a network ready to run on `device` in `dtype`, and return it.

    Batch normalisation becomes part of the convolution before it: wherever a module has a
    BatchNorm2d right after a Conv2d, it is taken to follow it.
    """
    network.eval().requires_grad_(False)
    for module in list(network.modules()):
        for (first, convolution), (second, norm) in itertools.pairwise(module.named_children()):
            if isinstance(norm, nn.BatchNorm2d) and isinstance(convolution, nn.Conv2d):
                setattr(module, first, fuse_conv_bn_eval(convolution, norm))
                setattr(module, second, nn.Identity())
    layout: Any = {"memory_format": torch.channels_last}
    return network.to(device, dtype, **layout)
