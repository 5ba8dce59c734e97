"""Outputs that are either whole or absent, and what is said of those that were damaged later."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A disk with less space than this, in bytes, is full: writers stop short of its very end.
FULL = 1 << 20
_REMEDY = "`python scripts/verify.py --remake` finds all that is, and the next run makes it again"


class DamagedFile(ValueError):
    """A file that a job wrote whole and that is no longer: `path`, and `how` it shows."""

    def __init__(self, path: str | Path, how: str) -> None:
        super().__init__(f"{path}: damaged ({how}): {_REMEDY}")
        self.path, self.how = Path(path), how


@contextmanager
def damage_in(path: str | Path, *errors: type[Exception]) -> Iterator[None]:
    """Turn `errors` into a DamagedFile of `path`, which come of what is in it.

    What this machine has to do with, such as memory or a file that is not there, is left as it is.
    """
    try:
        yield
    except (DamagedFile, MemoryError, OSError):
        raise
    except errors as error:
        words = (str(error).splitlines() or [""])[0] or type(error).__name__
        if isinstance(error, KeyError) and error.args:
            words = f"it has no {error.args[0]}"
        raise DamagedFile(path, words) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a path beside `path` to write a file or a folder to; rename it when all went well.

    The suffix is kept, so that writers that choose a format by it still can. What an earlier,
    killed run left there is removed first; after an error nothing is left behind. Where the disk
    is full, the error is an OSError that says so and names `path`: not every library's does.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    _remove(partial)
    try:
        yield partial
    except BaseException as error:
        full = shutil.disk_usage(path.parent).free < FULL
        _remove(partial)
        if full and isinstance(error, Exception):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error
        raise
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    partial.replace(path)


def write_json(record: dict[str, Any], path: str | Path) -> None:
    """Write a record as indented JSON with its keys in the order given."""
    text = json.dumps(record, indent=2, ensure_ascii=False)
    try:
        data = text.encode()
    except UnicodeEncodeError:  # Half a surrogate pair in somebody's text, which ASCII can escape.
        data = json.dumps(record, indent=2).encode()
    with atomic_path(path) as partial:
        partial.write_bytes(data + b"\n")


def read_json(path: str | Path, *required: str) -> dict[str, Any]:
    """Read a JSON record. Raises DamagedFile where it is none, or has not all `required` keys."""
    with damage_in(path, ValueError, RecursionError):
        record = json.loads(Path(path).read_text("utf-8"))
    if not isinstance(record, dict):
        raise DamagedFile(path, f"a {type(record).__name__} instead of a record")
    lacking = [key for key in required if key not in record]
    if lacking:
        raise DamagedFile(path, f"it has no {', '.join(lacking)}")
    return record
