"""Published weights put into a network, and the network made ready to run."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

# An error about a file of weights ends with this.
ADVICE = "delete it and fetch it again, or take it from its makers' page"


def set_weights(
    network: nn.Module,
    state: Mapping[str, Any],
    source: str | Path,
    ignored_prefixes: Sequence[str] = (),
) -> None:
    """Give a network the weights of a state dict, which must have exactly its names and shapes.

    source: the file that an error names. ignored_prefixes: beginnings of names that may be there
    beside the network's own. Counters of batch normalisation may be missing: old files have none,
    and inference does not look at them.
    Raises ValueError where the names or shapes are others.
    """
    ignored = tuple(ignored_prefixes)
    weights = {name: value for name, value in state.items() if not name.startswith(ignored)}
    shapes = {name: value.shape for name, value in network.state_dict().items()}
    missing = (name for name in shapes if name not in weights)
    misfits = [name for name in missing if not name.endswith("num_batches_tracked")]
    for name, value in weights.items():
        if name not in shapes or getattr(value, "shape", None) != shapes[name]:
            misfits.append(name)
    if misfits:
        raise ValueError(
            f"{source}: not the weights of {type(network).__name__}: {len(misfits)} of "
            f"{len(shapes)} tensors are missing, unknown or of another shape, among them "
            f"{min(misfits)}; {ADVICE}"
        )
    network.load_state_dict(weights, strict=False)


def prepare(network: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Make a network ready to run on `device` in `dtype`, and return it.

    Batch normalisation becomes part of the convolution before it. A BatchNorm2d that a module lists
    right after a Conv2d is taken to follow it.
    """
    network.eval().requires_grad_(False)
    for module in list(network.modules()):
        for (first, convolution), (second, norm) in itertools.pairwise(module.named_children()):
            if isinstance(norm, nn.BatchNorm2d) and isinstance(convolution, nn.Conv2d):
                setattr(module, first, fuse_conv_bn_eval(convolution, norm))
                setattr(module, second, nn.Identity())
    layout: Any = {"memory_format": torch.channels_last}
    return network.to(device, dtype, **layout)
