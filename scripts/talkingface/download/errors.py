"""Why a download failed: a status in words, and whether trying again may help."""

from __future__ import annotations

from talkingface.text import clean

# Longest wait before a failed try is given back, in seconds, whatever the server asks for.
LONGEST_WAIT = 600


class VideoUnavailable(Exception):
    """The video cannot be had, and trying again now would not help: a status and a reason.

    `value` is what was measured and `threshold` what is allowed, where that is the reason.
    """

    def __init__(
        self,
        status: str,
        reason: str,
        value: float | None = None,
        threshold: float | None = None,
    ) -> None:
        self.status = status
        self.reason = clean(reason)
        self.value = value
        self.threshold = threshold
        super().__init__(f"{status}: {self.reason}")


class TransientError(Exception):
    """The video could not be had this time. `status` is what it becomes after the last try.

    `retry_after` is how many seconds the server wants to be left alone, where it says so.
    """

    def __init__(
        self, reason: str, status: str = "unavailable", retry_after: float | None = None
    ) -> None:
        self.reason = clean(reason)
        self.status = status
        self.retry_after = retry_after
        super().__init__(self.reason)


class Stopped(BaseException):
    """Ends a download from inside yt-dlp, which passes over many an Exception; `failure` is why."""

    def __init__(self, failure: VideoUnavailable | TransientError) -> None:
        super().__init__(str(failure))
        self.failure = failure


def too_demanding(what: str, value: float, threshold: float, setting: str) -> VideoUnavailable:
    """What takes more than a video that is meant to be watched: `value` of the unit `what`."""
    reason = f"{value:.0f} {what}, more than {threshold:.0f} (download.{setting})"
    return VideoUnavailable("too_demanding", reason, value, threshold)


def refuse_long(seconds: float | None, limit: float | None) -> None:
    """Raise VideoUnavailable where a known duration is more than allowed."""
    if limit is not None and (seconds or 0) > limit:
        reason = f"{seconds:.0f} s, more than {limit:.0f}"
        raise VideoUnavailable("too_long", reason, seconds, limit)


def refuse_large(size: float | None, limit: float | None) -> None:
    """Raise VideoUnavailable where a known size in bytes is more than allowed."""
    if limit is not None and (size or 0) > limit:
        reason = f"{size:.0f} bytes, more than {limit:.0f}"
        raise VideoUnavailable("too_large", reason, size, limit)


def wait_before_retry(error: TransientError, attempt: int, backoff: float) -> float:
    """Seconds to wait after try `attempt` (from 1): what the server asks, else `backoff` doubled
    with every try; at most LONGEST_WAIT."""
    doubled = backoff * 2 ** (attempt - 1)
    return min(doubled if error.retry_after is None else error.retry_after, LONGEST_WAIT)
