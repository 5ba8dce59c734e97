"""Disks that are soon full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """Have a disk of `size`, such as 64k, at a folder; skip the test where that is forbidden."""
    if _mount(folder, f"size={size}"):
        pytest.skip("a small disk needs the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def resize(folder: Path, size: str) -> None:
    """Change the size of a disk that is in use."""
    assert _mount(folder, f"remount,size={size}") == 0


def _mount(folder: Path, options: str) -> int:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True).returncode
    except FileNotFoundError:
        return 1
