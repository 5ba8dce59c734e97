"""How much a download may take: bytes of pages and of media, time, and how slow it may be."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface.download.errors import (
    Stopped,
    TransientError,
    VideoUnavailable,
    refuse_large,
    too_demanding,
)

# Media are let through so many bytes at a time before it is looked at what lies on the disk.
MEDIA_STEP = 16 << 20
# How the names of all parts begin.
MEDIA = "media."
# The name of a fragment on the disk, as yt-dlp gives it.
_FRAGMENT = re.compile(r"-Frag\d+(\.part)?$")
# Seconds between two looks at the time.
MOST_BETWEEN_CHECKS = 5.0
# How many waits without an answer (`timeout`) a slow connection is measured over.
PACE_TIMEOUTS = 4


@dataclass(frozen=True)
class Limits:
    """What one try may take; see the settings of the same names. None is any."""

    max_size: float | None
    max_time: float | None
    max_lookup_time: float | None
    min_rate: float | None
    max_page: float
    max_fragment: float
    max_fragments: float
    timeout: float


class Meter:
    """Counts what a download takes, and raises Stopped where that is too much.

    Bytes are counted as they come out of decompression. For media, those on the disk count, in the
    folder that all parts are written to: what arrived in an earlier try is part of it, and what was
    begun anew is not there twice.
    """

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.limits = limits
        self._folder = folder
        self._began = time.monotonic()
        self._found = False
        self._allowed = 0.0
        # Since when an answer is waited for, and since when a piece of its body.
        self._asked: float | None = None
        self._reading: float | None = None
        # Of the bodies' pace: seconds waited for pieces, and bytes that came.
        self._waited = 0.0
        self._came = 0

    def take_page(self, size: int) -> None:
        """Let pass a page, playlist, manifest or answer of which `size` bytes have come so far."""
        if size > self.limits.max_page:
            raise Stopped(too_demanding("bytes of a page", size, self.limits.max_page, "max_page"))

    def take_list(self, pieces: float) -> None:
        """Let pass a playlist or manifest that lists so many pieces, all its formats together."""
        most = self.limits.max_fragments
        if pieces > most:
            raise Stopped(too_demanding("pieces in a list", pieces, most, "max_fragments"))

    def take_media(self, size: int) -> None:
        """Let pass `size` bytes that are about to be written to the folder."""
        self._allowed -= size
        if self._allowed >= 0:
            return
        on_disk, largest_fragment = self._measure_folder()
        if largest_fragment > self.limits.max_fragment:
            raise Stopped(
                too_demanding(
                    "bytes of a fragment",
                    largest_fragment,
                    self.limits.max_fragment,
                    "max_fragment",
                )
            )
        try:
            refuse_large(on_disk + size, self.limits.max_size)
        except VideoUnavailable as failure:
            raise Stopped(failure) from None
        left = MEDIA_STEP if self.limits.max_size is None else self.limits.max_size - on_disk - size
        self._allowed = min(MEDIA_STEP, self.limits.max_fragment, left)

    def found(self) -> None:
        """Note that the site has led to a video: what takes time from now on is the download."""
        self._found = True

    @contextmanager
    def asking(self) -> Iterator[None]:
        """The time from a request to the head of its answer."""
        self._asked = time.monotonic()
        try:
            yield
        finally:
            self._asked = None
        self.check_time()

    def begin_piece(self) -> None:
        """Note that from now on a piece of an answer's body is waited for."""
        self._reading = time.monotonic()

    def end_piece(self, size: int) -> None:
        """Note that it has come, of `size` bytes."""
        if self._reading is not None:
            self._waited += time.monotonic() - self._reading
        self._reading = None
        self._came += size
        self.check_time()

    def check_time(self) -> None:
        """Raise Stopped where all of it takes too long, or a connection is too slow."""
        now, limits = time.monotonic(), self.limits
        spent = now - self._began
        if limits.max_time is not None and spent > limits.max_time:
            raise Stopped(too_demanding("s", spent, limits.max_time, "max_time"))
        lookup = limits.max_lookup_time
        if lookup is not None and not self._found and spent > lookup:
            raise Stopped(too_demanding("s of looking for it", spent, lookup, "max_lookup_time"))
        longest = PACE_TIMEOUTS * limits.timeout
        if self._asked is not None and now - self._asked > longest:
            raise Stopped(TransientError(f"no answer in {longest:.0f} s"))
        waited = self._waited + (0.0 if self._reading is None else now - self._reading)
        if waited < longest:
            return
        rate = self._came / waited
        self._waited, self._came = 0.0, 0
        if self._reading is not None:
            self._reading = now
        if limits.min_rate is not None and rate < limits.min_rate:
            reason = f"{rate:.0f} bytes a second, less than {limits.min_rate:.0f}"
            raise Stopped(TransientError(f"{reason} (download.min_rate)"))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Check the time even while nothing comes back: a server may send single bytes for ever.

        By a timer of the system, which only the main thread can have; others look at the time
        whenever something has come.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def on_time(*_: Any) -> None:
            self.check_time()

        given = (self.limits.timeout, self.limits.max_time, self.limits.max_lookup_time)
        every = min(MOST_BETWEEN_CHECKS, *(seconds for seconds in given if seconds is not None))
        before = signal.signal(signal.SIGALRM, on_time)
        signal.setitimer(signal.ITIMER_REAL, every, every)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)

    def _measure_folder(self) -> tuple[int, int]:
        """Bytes of all files, and of the largest fragment, which yt-dlp reads as a whole."""
        sizes: dict[str, int] = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if not entry.name.startswith(MEDIA):
                    continue
                try:
                    sizes[entry.name] = entry.stat().st_size
                except FileNotFoundError:  # It was renamed meanwhile.
                    continue
        fragments = [size for name, size in sizes.items() if _FRAGMENT.search(name)]
        return sum(sizes.values()), max(fragments, default=0)
