"""Errors of a media file, which are results, and errors of this machine, which are not."""

from __future__ import annotations


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
