"""Sizes and checksums of what a job has made, by which damage is found later.

They stand in `checksums/`, in a table called like the table or record that the job writes last:
`checksums/landmarks/{video}.csv` for `landmarks/{video}.csv`. No rule knows of it, so results that
were made without it stay as they are.

The checksum is CRC-32, which tells any burst of 32 wrong bits and overlooks one in 4 billion other
changes. It is there to find damage, not deceit, and takes less than half the time of sha256.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns, read_table, table_of_columns, write_table
from talkingface.tables import CHECKSUMS

_BLOCK = 1 << 20  # bytes


class Checksum(NamedTuple):
    """Size in bytes and CRC-32 of a file."""

    size: int
    crc32: int


@contextmanager
def checksummed(
    outputs: Sequence[str | Path], manifest: str | Path | None = None
) -> Iterator[None]:
    """Note the checksums of a job's outputs when it has made them.

    outputs: files and folders in the folders of the results folder, `results/{folder}/{name}`; the
    last one, or the `manifest` in such a folder, is the table or record by which they are known to
    be whole, and names the table of their checksums. That of an earlier job is deleted first, so
    that none is left of outputs that are gone.
    """
    last = Path(outputs[-1] if manifest is None else manifest)
    results = last.parent.parent
    table = checksums_path(results, last.relative_to(results))
    table.unlink(missing_ok=True)
    yield
    write_checksums(table, take_checksums(results, outputs))


def checksums_path(results: str | Path, manifest: str | Path) -> Path:
    """The table of checksums of the job that writes `manifest`, which is relative to `results`."""
    return Path(results, "checksums", manifest).with_suffix(".csv")


def take_checksums(
    results: str | Path, outputs: Iterable[str | Path]
) -> Iterator[tuple[str, Checksum]]:
    """The files of `outputs`, folders among them, by their paths relative to `results`, in order.

    Links are left out, and so is what is hidden.
    """
    for output in map(str, outputs):
        name = os.path.relpath(output, results)
        for path in sorted(_files(output)):
            yield f"{name}{path.removeprefix(output)}", take_checksum(path)


def take_checksum(path: str | Path) -> Checksum:
    """The checksum of a file as it is now."""
    size = crc = 0
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            crc = zlib.crc32(block, crc)
    return Checksum(size, crc)


def write_checksums(path: str | Path, checksums: Iterable[tuple[str, Checksum]]) -> None:
    """Write a table of checksums."""
    names, taken = [], []
    for name, checksum in checksums:
        names.append(name)
        taken.append(checksum)
    columns = {
        "path": names,
        "size": [checksum.size for checksum in taken],
        "crc32": [f"{checksum.crc32:08x}" for checksum in taken],
    }
    write_table(table_of_columns(CHECKSUMS, columns), path, CHECKSUMS)


def read_checksums(path: str | Path) -> Mapping[str, Checksum]:
    """A table of checksums by path; raises DamagedFile where it cannot be read."""
    try:
        table = read_table(path, CHECKSUMS)
        sums = (int(text, 16) for text in table["crc32"])
        checksums = map(Checksum, table["size"].tolist(), sums)
        return dict(zip(table["path"], checksums, strict=True))
    except DamagedFile:
        raise
    except (OtherColumns, ValueError) as error:
        raise DamagedFile(path, str(error)) from error


def _files(path: str) -> Iterator[str]:
    """The regular files at and below a path, without what is hidden and without following links."""
    if os.path.islink(path):
        return
    if not os.path.isdir(path):
        yield path
        return
    with os.scandir(path) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                yield from _files(entry.path)
