"""Where a network runs, in which number format, and batches that fit the card's memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import torch

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

PRECISIONS = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}


def open_device(name: str, threads: int | None = None) -> torch.device:
    """The device called `name`, ready to compute.

    name: `auto` (a CUDA card where there is one, else the processor), `cpu`, `cuda`, or the number
    of a card as `cuda:1`. threads: how many torch uses on the processor; None leaves them as they
    are.
    float32 is computed as float32: TensorFloat-32, torch's default for convolutions on a card,
    keeps 10 bits of the mantissa.
    Raises ValueError for another name, RuntimeError for a card that is not there.
    """
    if threads:
        torch.set_num_threads(threads)
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device_type, _, index = name.partition(":")
    is_card = device_type == "cuda"
    if device_type not in ("cpu", "cuda") or (index and not (is_card and index.isdigit())):
        raise ValueError(f"unknown device {name!r}: choose auto, cpu, cuda or cuda:NUMBER")
    device = torch.device(name)
    if device.type == "cuda":
        cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= cards:
            raise RuntimeError(f"device {name} is not there: torch sees {cards} CUDA cards")
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    return device


def number_format(name: str) -> torch.dtype:
    """The torch dtype of a precision: `float32`, `float16` or `bfloat16`.

    Raises ValueError for another name.
    """
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}: choose {', '.join(PRECISIONS)}")
    return PRECISIONS[name]


def run_batches(
    run: Callable[[Sequence[Item]], Iterable[Result]], items: Iterable[Item], batch: int
) -> Iterator[Result]:
    """Yield what `run` makes of `items`, one result an item, in order.

    batch: how many items `run` is given at a time. Where the card's memory does not suffice, it is
    halved, for all that follows too.
    Raises torch.OutOfMemoryError when a single item does not fit, ValueError when `run` gives
    another number of results than it got items.
    """
    remaining = iter(items)
    while part := list(islice(remaining, batch)):
        while part:
            results = _attempt(run, part[:batch])
            if results is None:
                # The failed run's tensors are gone only here, so only here is memory to give back.
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
                batch = max(1, min(batch, len(part)) // 2)
                logger.warning("the card's memory is full: going on in batches of %d", batch)
                continue
            yield from results
            part = part[batch:]


def _attempt(
    run: Callable[[Sequence[Item]], Iterable[Result]], part: Sequence[Item]
) -> list[Result] | None:
    """The results, or None where memory ran out and a smaller batch may be tried."""
    try:
        results = list(run(part))
    except torch.OutOfMemoryError:
        if len(part) == 1:
            raise
        return None
    if len(results) != len(part):
        raise ValueError(f"{len(results)} results for {len(part)} items")
    return results
