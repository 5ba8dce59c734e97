"""What yt-dlp's errors mean for a download."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    PostProcessingError,
    UnavailableVideoError,
    UnsupportedError,
    YoutubeDLError,
)

from talkingface.download.errors import TransientError, VideoUnavailable

# Statuses with which a server says: not now (RFC 9110, 6585, 8470); so do all from 500 on.
TRANSIENT_HTTP = {408, 425, 429}
# What sites say, as yt-dlp hands it on: text alone tells these apart. First match counts, what
# matches nothing is `unavailable`.
MESSAGE_PATTERNS = (
    (r"not a bot|captcha", "bot_check"),
    (r"try again later|rate.?limit|too many requests", "rate_limited"),
    (r"requested format is not available|no video formats found", "no_format"),
    (r"live event (will|has not)|premieres? (in|will)|live stream recording is not", "live"),
    (r"(in|from) your (country|region|location)|geo.?(restrict|block)", "geo_blocked"),
    (r"\bprivate\b", "private"),
    (r"\bDRM\b", "unsupported"),
    (r"removed|deleted|terminated|no longer available|does not exist", "removed"),
    (r"your age|age.restricted", "age_check"),
    (r"log.?in|logged in|sign.?in|registered|members|password", "refused"),
    (r"(video|content) (is )?(unavailable|not available)", "removed"),
)
# With these words yt-dlp misses ffmpeg, by which it is not to fetch anything.
NO_FFMPEG = "ffmpeg could not be found"
# Statuses that may pass by themselves.
TRANSIENT_STATUSES = ("unavailable", "rate_limited", "bot_check")


def classify_error(error: YoutubeDLError, signed: bool) -> Exception:
    """The exception that says what a failure of yt-dlp means: VideoUnavailable, TransientError, or
    OSError where this machine failed.

    signed: whether media was being read through addresses that a site made for this session, which
    expire.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, VideoUnavailable | TransientError):
            return cause
    for cause in causes:
        if isinstance(cause, HTTPError):
            return _classify_http_error(cause, signed)
    for cause in causes:
        if isinstance(
            cause, TransportError | ContentTooShortError | ConnectionError | TimeoutError
        ):
            return TransientError(_transport_reason(cause))
        if isinstance(cause, OSError):  # It is this machine's: no space, no permission.
            return cause
        if isinstance(cause, UnsupportedError | RequestError):
            return VideoUnavailable("unsupported", _text(cause))
        if isinstance(cause, GeoRestrictedError):
            return VideoUnavailable("geo_blocked", _text(cause))
        if isinstance(cause, PostProcessingError):
            if os.strerror(errno.ENOSPC) in str(cause):
                return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return TransientError(f"the streams could not be merged: {_text(cause)}", "broken")
        if isinstance(cause, ExtractorError):
            return classify_message(cause)
    if NO_FFMPEG in str(error):
        return VideoUnavailable("unsupported", "a stream that only other programs could fetch")
    # When its tries are used up, yt-dlp's downloader gives their last error as text only. What it
    # tries again are broken connections, statuses from 500 on, and fragments.
    return TransientError(_text(error))


def _classify_http_error(error: HTTPError, signed: bool) -> Exception:
    reason = f"HTTP {error.status} {error.reason}".rstrip()
    if error.redirect_loop:
        reason = "it leads from address to address without end"
    if error.status == 429:
        return TransientError(reason, "rate_limited", _retry_after(error))
    if error.status == 451:  # RFC 7725: unavailable for legal reasons.
        return VideoUnavailable("geo_blocked", reason)
    if error.status >= 500 or error.status in TRANSIENT_HTTP or signed:
        return TransientError(reason)
    status = {404: "not_found", 410: "removed"}.get(error.status, "refused")
    return VideoUnavailable(status, reason)


def classify_message(error: ExtractorError) -> Exception:
    """The exception that says what a site's own words mean."""
    reason = _text(error)
    if not error.expected:  # yt-dlp did not understand the site's answer.
        return TransientError(reason)
    matching = (
        status for pattern, status in MESSAGE_PATTERNS if re.search(pattern, reason, re.IGNORECASE)
    )
    status = next(matching, None)
    if status in TRANSIENT_STATUSES:
        return TransientError(reason, status)
    return VideoUnavailable(status or "unavailable", reason)


def _retry_after(error: HTTPError) -> float | None:
    """Seconds the server asks to wait (RFC 9110); None where it gives none, or a date."""
    asked = error.response.headers.get("Retry-After", "")
    return float(asked) if re.fullmatch("[0-9]+", asked) else None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what its raiser named as its cause, outermost first.

    `__context__` is not followed: an extractor may have dealt with one failure (an API's 404) and
    then meet another, which is the one that counts.
    """
    pending, seen = [error], set()
    while pending:
        error = pending.pop(0)
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        named = [getattr(error, "cause", None), error.__cause__, getattr(error, "reason", None)]
        if isinstance(error, DownloadError) and error.exc_info:
            named.append(error.exc_info[1])
        if isinstance(error, UnavailableVideoError):  # It is raised in `except OSError`.
            named.append(error.__context__)
        named += error.args
        pending += [cause for cause in named if isinstance(cause, BaseException)]


def _transport_reason(error: BaseException) -> str:
    """The innermost system error in words: requests' own text holds memory addresses."""
    for cause in reversed(list(_causes(error))):
        if isinstance(cause, TimeoutError):
            return "timed out"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return _text(error)


def _text(error: BaseException) -> str:
    text = error.orig_msg if isinstance(error, ExtractorError) else str(error)
    text = re.sub(r"^(ERROR:|\[download\] Got error:|\s)+", "", text)
    text = re.sub(r" at 0x[0-9a-f]+", "", text)
    return re.sub(r"\s+", " ", text).strip() or type(error).__name__
