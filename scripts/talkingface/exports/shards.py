"""Tar archives of bounded size, each of whole samples: the shards of WebDataset.

A sample is some files of one name up to the first dot. In an archive the samples stand in the order
of their names and the files of each side by side, in the order of theirs; owner, mode and time are
the same for all, so that the same content is the same archive, byte for byte.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

# Of a tar archive, in bytes: everything is padded to blocks, and the whole to records.
_BLOCK, _RECORD = 512, 10_240
# What a zip archive has for a file beside its content and twice its name, and for itself.
_ZIP_FILE, _ZIP_END = 76, 22
_OLDEST = (1980, 1, 1, 0, 0, 0)  # the first time that a zip archive can hold


@dataclass(frozen=True)
class Member:
    """A file of a sample: what its name has after the sample's and a dot, such as `pose.npy`, and
    its content: a file, bytes, or a folder, whose files go into a zip archive without compression.
    """

    suffix: str
    content: Path | bytes

    def size(self) -> int:
        """Bytes of its content, as it will be in the archive."""
        if isinstance(self.content, bytes):
            return len(self.content)
        if not self.content.is_dir():
            return self.content.stat().st_size
        with os.scandir(self.content) as entries:
            sizes = [_ZIP_FILE + 2 * len(e.name) + e.stat().st_size for e in entries]
        return _ZIP_END + sum(sizes)


@dataclass(frozen=True)
class Sample:
    """A sample: its name, without a dot, and its files."""

    key: str
    members: tuple[Member, ...]

    def size(self) -> int:
        """Bytes that it takes in a tar archive."""
        return sum(_BLOCK + _padded(member.size(), _BLOCK) for member in self.members)


def divide_samples(samples: Iterable[Sample], max_bytes: float) -> Iterator[list[Sample]]:
    """Divide samples, in their order, among shards of at most `max_bytes` each.

    None is divided: one that is larger has a shard of its own. The same samples at the beginning
    make the same shards at the beginning, whatever follows.
    """
    shard: list[Sample] = []
    total = 0
    for sample in samples:
        size = sample.size()
        if shard and _padded(total + size + 2 * _BLOCK, _RECORD) > max_bytes:
            yield shard
            shard, total = [], 0
        shard.append(sample)
        total += size
    if shard:
        yield shard


def write_shard(path: str | Path, samples: Sequence[Sample]) -> None:
    """Write a tar archive of samples; memory does not grow with their size.

    Names of more than 100 characters and files of 8 GiB and more need extended headers (POSIX
    pax), which are written for these alone.
    """
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for sample in sorted(samples, key=lambda sample: sample.key):
            for member in sorted(sample.members, key=lambda member: member.suffix):
                with _opened(member.content, Path(path).parent) as file:
                    info = tarfile.TarInfo(f"{sample.key}.{member.suffix}")
                    info.size = file.seek(0, os.SEEK_END)
                    file.seek(0)
                    tar.addfile(info, file)


@contextmanager
def _opened(content: Path | bytes, folder: Path) -> Iterator[IO[bytes]]:
    if isinstance(content, bytes):
        yield BytesIO(content)
    elif content.is_dir():
        # Without a name, so that nothing is left behind, and on the disk that has room anyway.
        with tempfile.TemporaryFile(dir=folder) as file:
            _zip(content, file)
            yield file
    else:
        with open(content, "rb") as source:
            yield source


def _zip(folder: Path, file: IO[bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(os.listdir(folder)):
            info = zipfile.ZipInfo(name, _OLDEST)
            info.external_attr = 0o644 << 16
            info.file_size = (folder / name).stat().st_size
            with open(folder / name, "rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(source, target)


def _padded(size: int, unit: int) -> int:
    return -(-size // unit) * unit
