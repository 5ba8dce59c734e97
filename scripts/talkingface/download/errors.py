"""Why a download failed: a status in words, and whether trying again may help."""

from __future__ import annotations

# Longest wait before a failed try is given back, in seconds, whatever the server asks for.
LONGEST_WAIT = 600


class VideoUnavailable(Exception):
    """The video cannot be had, and trying again now would not help: a status and a reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


class TransientError(Exception):
    """The video could not be had this time. `status` is what it becomes after the last try.

    `retry_after` is how many seconds the server wants to be left alone, where it says so.
    """

    def __init__(
        self, reason: str, status: str = "unavailable", retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after


def refuse_long(seconds: float | None, limit: float | None) -> None:
    """Raise VideoUnavailable where a known duration is more than allowed."""
    if limit is not None and (seconds or 0) > limit:
        raise VideoUnavailable("too_long", f"{seconds:.0f} s, more than {limit:.0f}")


def refuse_large(size: float | None, limit: float | None) -> None:
    """Raise VideoUnavailable where a known size in bytes is more than allowed."""
    if limit is not None and (size or 0) > limit:
        raise VideoUnavailable("too_large", f"{size:.0f} bytes, more than {limit:.0f}")


def wait_before_retry(error: TransientError, attempt: int, backoff: float) -> float:
    """Seconds to wait after try `attempt` (from 1): what the server asks, else `backoff` doubled
    with every try; at most LONGEST_WAIT."""
    doubled = backoff * 2 ** (attempt - 1)
    return min(doubled if error.retry_after is None else error.retry_after, LONGEST_WAIT)
