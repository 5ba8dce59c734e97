"""Errors of a media file, which are results, and errors of this machine, which are not."""

from __future__ import annotations

import errno
import resource
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

# What libav says where it is this machine that fails.
_OF_MACHINE = {
    *(errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.ESTALE),
    *(errno.ENXIO, errno.ENODEV, errno.EINTR),
}
# A process that came this near to the limit of its address space, in bytes, was refused memory, as
# far as anybody can tell: libav hides many such failures. Threads ask for 128 MB at once.
_SHORT = 128 << 20
_BLOCK = 1 << 20


class UnreadableMedia(Exception):
    """A file that is there but is no video that can be used: a status in one word, and why.

    `value` is what was measured of it, and `threshold` what it was compared with, where that is
    why.
    """

    def __init__(
        self,
        reason: str,
        status: str = "broken",
        value: float | None = None,
        threshold: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.value = value
        self.threshold = threshold


def refuse_errors_of_machine(error: av.FFmpegError) -> None:
    """Raise MemoryError or OSError where an error of libav says nothing of the file.

    Where memory is not limited, Linux refuses none that a video needs: libav says that it has too
    little then where a file asks for absurdly much.
    """
    if isinstance(error, MemoryError):
        if _memory_is_limited():
            raise MemoryError(f"libav: {error.strerror}") from error
    elif error.errno in _OF_MACHINE:
        raise OSError(error.errno, f"libav: {error.strerror}") from error


def refuse_to_blame(path: str | Path) -> None:
    """Before a file is called damaged: raise MemoryError or OSError where it may be this machine.

    libav gives the same errors where there is too little memory, or a disk fails. The file is read
    to its end.
    """
    refuse_short_memory()
    with open(path, "rb", buffering=0) as file:
        while file.read(_BLOCK):
            pass


def refuse_short_memory() -> None:
    """Raise MemoryError where this process has come near the limit of its address space."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and (peak := _peak_address_space()) > limit - _SHORT:
        raise MemoryError(
            f"{peak >> 20} of {limit >> 20} MB of address space were used, so what cannot be "
            "decoded may be for want of memory"
        )


def _peak_address_space() -> int:
    """In bytes; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(x.split()[1]) << 10 for x in lines if x.startswith("VmPeak:")), 0)


def _memory_is_limited() -> bool:
    """Whether this process may be refused memory before the system has to end it."""
    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    if any(resource.getrlimit(limit)[0] != resource.RLIM_INFINITY for limit in limits):
        return True
    try:
        return Path("/proc/sys/vm/overcommit_memory").read_text("ascii").strip() == "2"
    except OSError:  # Not Linux: nothing is known.
        return True
