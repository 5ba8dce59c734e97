"""Learned backends of stages that look at frames: loaded by name, from the model store's folder.

torch is imported only when one is loaded: it takes seconds.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from talkingface.models.store import StoredModel
from talkingface.models.table import ModelError, find_model


def load_learned(
    module: str, model: StoredModel | None, *, device: str, precision: str, threads: int
) -> Any:
    """The backend of the library's `module`, which has the name of its model in the store.

    module: such as "talkingface.pictures.depth.dagan"; its `load(folder, device, dtype)` is called.
    model: with the backend's weights. device, threads: see devices.open_device. precision: float32,
    float16 or bfloat16, in which the network computes.
    Raises ModelError without a model or where torch or transformers are not installed; for what
    else is raised see the backend's `load`.
    """
    name = module.rpartition(".")[2]
    if model is None:
        raise ModelError(f"{name} needs the folder of its model; or set {find_model(name).instead}")
    devices, backend = import_learned(module, name)
    return backend.load(
        model.checked_folder(),
        devices.open_device(device, threads),
        devices.number_format(precision),
    )


def import_learned(module: str, model: str) -> tuple[ModuleType, ModuleType]:
    """`networks.devices` and the library's `module`, which both import torch.

    Raises ModelError, which names what is to be installed and how to do without `model`, a name in
    the store, where torch or transformers cannot be imported.
    """
    try:
        return import_module("talkingface.networks.devices"), import_module(module)
    except ImportError as error:
        raise ModelError(
            f"{model} needs the package {error.name}, which cannot be imported ({error}): "
            f"pip install -c constraints.txt -e '.[learned]', or set {find_model(model).instead}"
        ) from error
