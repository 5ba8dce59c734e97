"""Learned backends of stages that look at frames: loaded by name, from the model store's folder.

torch is imported only when one is loaded: it takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from talkingface.models.table import ModelError, find_model


def load_learned(
    module: str,
    folder: str | Path | None,
    *,
    device: str = "auto",
    precision: str = "float32",
    threads: int | None = None,
) -> Any:
    """The backend in the library's `module`, which is called like its model of the store.

    module: such as "talkingface.pictures.depth.dagan". folder: that of the model's files.
    device, threads: see devices.open_device. precision: float32, float16 or bfloat16, in which the
    network computes.
    Raises ModelError without a folder or where torch or transformers are not installed; for what
    else is raised see the backend's `load`.
    """
    backend = module.rpartition(".")[2]
    instead = find_model(backend).instead
    if folder is None:
        raise ModelError(f"{backend} needs the folder of its model; or set {instead}")
    try:
        devices = import_module("talkingface.networks.devices")
        loaded = import_module(module)
    except ImportError as error:
        raise ModelError(
            f"{backend} needs the package {error.name}, which cannot be imported ({error}): "
            f"pip install -c constraints.txt -e '.[learned]', or set {instead}"
        ) from error
    opened = devices.open_device(device, threads)
    return loaded.load(folder, opened, devices.number_format(precision))
