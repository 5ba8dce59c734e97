"""Weights read from a file without running what is in it.

A pickle can run any program when it is read. Here nothing is unpickled: safetensors hold numbers
only, and torch's files, of all ages, are read with `weights_only`, which knows tensors, numbers
and containers and refuses everything else.
"""

from __future__ import annotations

import os
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

from talkingface.models.untrusted import open_plain


class CheckpointError(Exception):
    """A checkpoint cannot be read; the message names the file and what to do."""


class CheckpointRefused(CheckpointError):
    """A checkpoint wants more than weights."""


def load_state_dict(path: str | Path) -> dict[str, Any]:
    """The entries of a checkpoint by name: tensors on the CPU, and numbers and texts beside them.

    `path` is a .safetensors file, or one written by torch.save, also in the format before torch
    1.6. Files that allow it are mapped, not read: their tensors' pages come from the disk when
    they are used.

    Raises CheckpointRefused for a file that would run code, CheckpointError for one that is
    missing, broken, or holds something else than named entries.
    """
    path = Path(path)
    try:
        loaded = _read(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: no such file") from error
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except Exception as error:  # What a broken file raises depends on where it is broken.
        # The system's own errors say what is wrong; the others are the file's.
        system = MemoryError | ImportError | PermissionError | IsADirectoryError
        if isinstance(error, system) or "allocate memory" in str(error):
            raise
        raise CheckpointError(
            f"{path}: broken, or no checkpoint ({_first_line(error)}). Delete it and fetch it again"
        ) from error
    if not isinstance(loaded, dict) or not all(isinstance(key, str) for key in loaded):
        raise CheckpointError(
            f"{path}: holds a {type(loaded).__name__}, not weights by name (a state dict)"
        )
    return loaded


def _read(path: Path) -> Any:
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path, device="cpu")
    import torch

    mapped = zipfile.is_zipfile(path)
    if mapped:
        with zipfile.ZipFile(path) as archive:
            # torch.save packs nothing: what is packed could unpack to any size.
            if sum(entry.file_size for entry in archive.infolist()) > size:
                raise ValueError("its parts are larger than the file")
    return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)


def _refusal(path: Path, error: pickle.UnpicklingError) -> CheckpointRefused:
    call = re.search(r"GLOBAL (\S+) was not an allowed|whose module (\S+) is blocked", str(error))
    cause = f"it wants {call[1] or call[2]}" if call else "or it is broken"
    return CheckpointRefused(
        f"{path}: refused: reading it could run a program ({cause}). Delete it and take the file "
        "from its makers' own page; they can write one that is safe to read with "
        "torch.save(model.state_dict(), ...) or as safetensors"
    )


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:200]
