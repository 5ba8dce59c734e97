"""Elements of a dataset put together to a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from talkingface.loader.items import ITEMS


def collate(samples: Sequence[Mapping[str, Any]], *, tensors: bool = False) -> dict[str, Any]:
    """A batch of B elements of a TalkingFaceDataset, also of clips of unequal length.

    Arrays are put together along a new first axis. Those with time are filled up at its end, with
    zeros, to the longest of the batch. `lengths`, (B,) int64, are the elements' frames, and `mask`,
    (B, longest) bool, is true where an element has a frame. Text becomes lists, `start` (B,) int64.

    tensors: gives tensors of PyTorch; for a DataLoader with them
    `collate_fn=functools.partial(collate, tensors=True)`.
    A batch of float16 of one dataset and float32 of another is float32.
    Raises ValueError where arrays do not fit together in another axis, such as pictures of unequal
    size, or have another number of rows a frame, as the two layouts of `mel` do.
    """
    if not samples:
        raise ValueError("a batch of no elements")
    batch: dict[str, Any] = {}
    for name in samples[0]:
        values = [sample[name] for sample in samples]
        if name in ITEMS:
            _refuse_other_rates(name, values, [sample["n_frames"] for sample in samples])
            batch[name] = _stacked(name, values)
        elif name == "start":
            batch[name] = np.array(values, np.int64)
        elif name != "n_frames":
            batch[name] = values
    lengths = np.array([sample["n_frames"] for sample in samples], np.int64)
    batch |= {"lengths": lengths, "mask": np.arange(lengths.max()) < lengths[:, None]}
    return _as_tensors(batch) if tensors else batch


def _refuse_other_rates(name: str, arrays: Sequence[np.ndarray], lengths: Sequence[int]) -> None:
    """Row k is of another time where rows a frame are not as many: filling up would hide that."""
    item = ITEMS[name]
    fitting = [item.rates_of(array.shape, n) for array, n in zip(arrays, lengths, strict=True)]
    if all(fitting) and not set.intersection(*fitting):
        rates = " and ".join(sorted({f"{float(rate):g}" for rates in fitting for rate in rates}))
        raise ValueError(
            f"{name} with {rates} rows a frame in one batch: give datasets that were made with one "
            f"value of the setting `{name}.layout`"
        )


def _stacked(name: str, arrays: Sequence[np.ndarray]) -> np.ndarray:
    axis = ITEMS[name].axis
    shapes = np.array([array.shape for array in arrays])
    longest = shapes.max(axis=0)
    unequal = (shapes != longest).any(axis=0)
    if axis is not None:
        unequal[axis] = False
    if unequal.any():
        raise ValueError(
            f"{name} of shapes {', '.join(map(str, sorted(set(map(tuple, shapes.tolist())))))} in "
            "one batch: pictures of one size come of the setting `clips.size` with a `clips.crop` "
            "other than `none`"
        )
    stacked = np.zeros((len(arrays), *longest), np.result_type(*arrays))
    for element, array in zip(stacked, arrays, strict=True):
        element[tuple(slice(length) for length in array.shape)] = array
    return stacked


def _as_tensors(batch: dict[str, Any]) -> dict[str, Any]:
    try:
        import torch
    except ImportError as error:
        raise ImportError("collate(tensors=True) needs PyTorch: pip install torch") from error
    return {
        name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value
        for name, value in batch.items()
    }
