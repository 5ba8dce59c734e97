"""Arrays on disk, read again."""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from talkingface.job.files import DamagedFile, damage_in

# What numpy raises for a damaged npy, whose header is a Python literal, and for a damaged npz, an
# archive: it may say that it is enciphered, or of a kind that is yet to come.
_ERRORS = (
    ValueError, TypeError, KeyError, EOFError, SyntaxError, TokenError, OverflowError, RuntimeError,
    BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def damage_in_array(path: str | Path) -> Iterator[None]:
    """Turn what reading a damaged npy or npz raises into a DamagedFile of `path`."""
    try:
        with damage_in(path, *_ERRORS):
            yield
    except OSError as error:
        # As for a place before the beginning of a file; one of the system names the file.
        if error.errno != errno.EINVAL or error.filename is not None:
            raise
        raise DamagedFile(path, "it leads out of itself") from error


def read_array(path: str | Path, mmap_mode: Literal["r"] | None = None) -> np.ndarray:
    """Read an npy, of plain numbers only. Raises DamagedFile where it is none, or not whole.

    mmap_mode: as of `numpy.load`.
    """
    _check_head(path, b"\x93NUMPY", "npy")
    with damage_in_array(path):
        # A map of a file that is shorter than it says cannot be made; reading it takes the memory.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped if mmap_mode else np.array(mapped)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read all arrays of an npz, of plain numbers only, by name. Raises DamagedFile where it is
    none, or not whole."""
    _check_head(path, b"PK\x03\x04", "npz")
    with damage_in_array(path), np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _check_head(path: str | Path, head: bytes, name: str) -> None:
    """What is something else numpy takes for pickled objects."""
    with open(path, "rb") as file:
        if file.read(len(head)) != head:
            raise DamagedFile(path, f"no {name}")
