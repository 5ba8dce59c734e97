"""One GPU for one job, on a machine where several jobs run at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

logger = logging.getLogger(__name__)

VARIABLE = "CUDA_VISIBLE_DEVICES"
# Seconds between looks for a GPU that has become free.
PAUSE = 0.2


def visible_gpus() -> list[str]:
    """Names of the GPUs this process may use, as CUDA_VISIBLE_DEVICES takes them.

    Where that variable is set, what it lists up to a -1, which ends the list for CUDA too; where
    it is not, the numbers of all GPUs that `nvidia-smi -L` lists, none without that program.
    """
    given = os.environ.get(VARIABLE)
    if given is not None:
        names = [name.strip() for name in given.split(",")]
        return [name for name in names[: names.index("-1") if "-1" in names else None] if name]
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    done = subprocess.run([program, "-L"], capture_output=True, text=True)
    gpus = [line for line in done.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(gpus))]


@contextmanager
def reserve(count: int, folder: str | Path | None = None) -> Iterator[str | None]:
    """Set CUDA_VISIBLE_DEVICES to one GPU that no other job has, as long as the block lasts.

    `count` is 1 or 0, a job's resource `gpu`; with 0 all GPUs are hidden. Enter before CUDA is
    started. Gives the GPU's name, or None, and changes nothing, where there is no GPU. Where none
    is free it waits. A GPU that CUDA_VISIBLE_DEVICES names alone is taken to be given to this job,
    as SLURM does it, and other jobs are not asked.

    A reservation is a lock on a file in `folder` (the temporary folder unless given), so it ends
    with the process, however that ends, and only jobs with the same folder see it.
    Raises ValueError for another number.
    """
    if count not in (0, 1):
        raise ValueError(f"a job has 0 or 1 GPUs, not {count}")
    names = visible_gpus() if count else []
    if count and not names:
        logger.info("no GPU on this machine")
        yield None
        return
    before = os.environ.get(VARIABLE)
    with ExitStack() as held:
        if not count:
            name = None
        elif len(names) == 1 and before is not None:
            name = names[0]
        else:
            name, lock = _first_free(names, Path(folder or tempfile.gettempdir()))
            held.callback(os.close, lock)
        os.environ[VARIABLE] = name or ""
        try:
            if name:
                logger.info("GPU %s", name)
            yield name
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before


def _first_free(names: list[str], folder: Path) -> tuple[str, int]:
    """A GPU and the file descriptor that holds its lock, as soon as one can be had."""
    waiting = False
    while True:
        for name in names:
            lock = _open_lock(folder / f"talkingface-gpu-{name.replace('/', '_')}.lock")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return name, lock
            except BlockingIOError:
                os.close(lock)
        if not waiting:
            logger.info("waiting for one of the GPUs %s", ", ".join(names))
            waiting = True
        time.sleep(PAUSE)


def _open_lock(path: Path) -> int:
    """A file descriptor of the lock's file, which is made where it is not there."""
    # These are two steps, as Linux may refuse to create what another user already made in /tmp.
    # Programs that a job starts do not inherit the descriptor, so none of them can keep the lock.
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o644))
    return os.open(path, os.O_RDONLY)
