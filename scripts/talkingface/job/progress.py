"""How far a job is and how fast, told to its log while it goes on."""

from __future__ import annotations

import logging
import time
from typing import Self

logger = logging.getLogger(__name__)

# Seconds between two lines in the log.
EVERY = 30


class Progress:
    """Counts frames, and says every 30 s and at the end how many there are and how many a second.

    A context manager: its end is where it is left without an error. In a generator, that is also
    where nobody wants more of it.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._where = ""
        self._reported_frames = -1
        self._began = self._reported_at = time.monotonic()

    def add(self, frames: int, where: str = "") -> None:
        """Count `frames` more; `where` is said with them, such as "2 of 3 clips"."""
        self.frames += frames
        self._where = where
        if time.monotonic() - self._reported_at > EVERY:
            self._report()

    def _report(self) -> None:
        self._reported_at, self._reported_frames = time.monotonic(), self.frames
        speed = self.frames / max(0.001, self._reported_at - self._began)
        counts = f"{self._where}, " if self._where else ""
        logger.info("%s%d frames, %.1f frames/s", counts, self.frames, speed)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if (kind is None or kind is GeneratorExit) and self._reported_frames != self.frames:
            self._report()
