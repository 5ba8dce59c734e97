"""One video from the network, through yt-dlp, and what its failure means."""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import logging
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from yt_dlp import YoutubeDL
from yt_dlp.networking.exceptions import HTTPError, RequestError, TransportError
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    PagedList,
    PostProcessingError,
    UnavailableVideoError,
    UnsupportedError,
    YoutubeDLError,
)

logger = logging.getLogger(__name__)

# The best picture up to 1080 lines with the best sound; a single file where a site has no others.
DEFAULT_FORMAT = "bv*[height<=1080]+ba/b[height<=1080]/b"
# Statuses with which a server says: not now (RFC 9110, 6585, 8470); so do all from 500 on.
TRANSIENT_HTTP = {408, 425, 429}
# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30
# What sites say, as yt-dlp hands it on: text alone tells these apart. First match counts; None is
# a failure that may pass, and what matches nothing is `unavailable`.
SAID: tuple[tuple[str, str | None], ...] = (
    (r"not a bot|try again later|rate.?limit|captcha|too many requests", None),
    (r"\bprivate\b", "private"),
    (r"\bDRM\b", "unsupported"),
    (r"removed|deleted|terminated|no longer available|does not exist", "removed"),
    (r"log.?in|logged in|sign.?in|registered|members|password|your age|age.restricted", "refused"),
    (r"(video|content) (is )?(unavailable|not available)", "removed"),
)


class VideoUnavailable(Exception):
    """The video cannot be had, and trying again now would not help: a status and a reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason


class TransientError(Exception):
    """The video could not be had this time. `status` is what it becomes after the last try."""

    def __init__(self, reason: str, status: str = "unavailable") -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def fetch(
    url: str,
    media_path: Path,
    *,
    format: str = DEFAULT_FORMAT,
    cookies: Path | None = None,
    proxy: str | None = None,
    rate_limit: float | None = None,
    retries: int = 3,
    timeout: float = 30,
) -> dict[str, Any]:
    """Download one video to `media_path`, which appears whole or not at all; yt-dlp's description.

    What has arrived stays in a folder beside `media_path` after a TransientError, and the next
    call for the same `url` and `format` goes on from there. `cookies` is a Netscape cookie file,
    only read; `rate_limit` in bytes a second; `retries` within this call, of a connection, a
    fragment or a page; `timeout` of a connection in seconds.

    Raises VideoUnavailable, TransientError, and OSError when it is this machine that fails.
    """
    folder = _partial_folder(media_path, f"{url}\n{format}")
    options: dict[str, Any] = {
        "format": format,
        "outtmpl": {"default": "media.%(format_id)s.%(ext)s"},
        "ffmpeg_location": imageio_ffmpeg.get_ffmpeg_exe(),
        # A stream, since yt-dlp writes the cookies back: not to the user's file, and not from
        # several jobs at once.
        "cookiefile": io.StringIO(cookies.read_text("utf-8")) if cookies else None,
        "proxy": proxy,
        "ratelimit": rate_limit,
        "retries": retries,
        "fragment_retries": retries,
        "extractor_retries": retries,
        "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), _pause),
        # yt-dlp's default leaves out a fragment that it cannot get.
        "skip_unavailable_fragments": False,
        "socket_timeout": timeout,
        "noplaylist": True,
        "default_search": "error",
        "logger": _Log(),
        "noprogress": True,
        "progress_hooks": [_Progress()],
        "color": "no_color",
    }
    try:
        with _OneVideo(folder, options) as ydl:
            try:
                info = ydl.extract_info(url)
            except YoutubeDLError as error:
                raise _meaning(error, ydl.signed) from error
            os.replace(info["requested_downloads"][0]["filepath"], media_path)
            info = ydl.sanitize_info(info)
    except VideoUnavailable:
        shutil.rmtree(folder)
        raise
    except TransientError as error:
        if error.status == "broken":  # what has arrived is of no use
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
    return info


class _OneVideo(YoutubeDL):
    """A YoutubeDL that downloads one finished video and nothing else."""

    # Whether media is being read through addresses that a site made for this session: they
    # expire, and then their 403 or 404 says nothing about the video.
    signed = False

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.folder = folder
        super().__init__(options)

    def prepare_filename(self, *args: Any, **kwargs: Any) -> str:
        # Not in the template: yt-dlp expands $VARIABLES in it and has no way to escape them.
        return str(self.folder / super().prepare_filename(*args, **kwargs))

    def process_ie_result(
        self, ie_result: Any, download: bool = True, extra_info: Any = None
    ) -> Any:
        if ie_result.get("_type") in ("playlist", "multi_video"):
            entries = ie_result.get("entries") or []
            two = (
                entries.getslice(0, 2)
                if isinstance(entries, PagedList)
                else list(itertools.islice(entries, 2))
            )
            if len(two) != 1:
                raise VideoUnavailable("unsupported", "a list of videos, not one video")
            ie_result = two[0]
        return super().process_ie_result(ie_result, download, extra_info)

    def process_info(self, info_dict: dict[str, Any]) -> None:
        if info_dict.get("is_live"):
            raise VideoUnavailable("unavailable", "a live stream that has not ended")
        self.signed = info_dict.get("extractor_key") != "Generic"
        super().process_info(info_dict)


def _meaning(error: YoutubeDLError, signed: bool) -> Exception:
    """The exception that says what a failure of yt-dlp means."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, HTTPError):
            return _http_meaning(cause, signed)
    for cause in causes:
        if isinstance(
            cause, TransportError | ContentTooShortError | ConnectionError | TimeoutError
        ):
            return TransientError(_transport_reason(cause))
        if isinstance(cause, OSError):  # of this machine: no space, no permission
            return cause
        if isinstance(cause, UnsupportedError | RequestError):
            return VideoUnavailable("unsupported", _text(cause))
        if isinstance(cause, GeoRestrictedError):
            return VideoUnavailable("refused", _text(cause))
        if isinstance(cause, PostProcessingError):
            if os.strerror(errno.ENOSPC) in str(cause):
                return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return TransientError(f"the streams could not be merged: {_text(cause)}", "broken")
        if isinstance(cause, ExtractorError):
            return _said_meaning(cause)
    # When its tries are used up, yt-dlp's downloader gives their last error as text only. What it
    # tries again are broken connections, statuses from 500 on, and fragments.
    return TransientError(_text(error))


def _http_meaning(error: HTTPError, signed: bool) -> Exception:
    reason = f"HTTP {error.status} {error.reason}".rstrip()
    if error.status >= 500 or error.status in TRANSIENT_HTTP or signed:
        return TransientError(reason)
    status = {404: "not_found", 410: "removed"}.get(error.status, "refused")
    return VideoUnavailable(status, reason)


def _said_meaning(error: ExtractorError) -> Exception:
    reason = _text(error)
    if not error.expected:  # yt-dlp did not understand the site's answer
        return TransientError(reason)
    for pattern, status in SAID:
        if re.search(pattern, reason, re.IGNORECASE):
            return VideoUnavailable(status, reason) if status else TransientError(reason)
    return VideoUnavailable("unavailable", reason)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what its raiser named as its cause, outermost first.

    `__context__` is not followed: an extractor may have dealt with one failure (an API's 404) and
    then meet another, which is the one that counts.
    """
    waiting, seen = [error], set()
    while waiting:
        error = waiting.pop(0)
        if id(error) in seen:
            continue
        seen.add(id(error))
        yield error
        named = [getattr(error, "cause", None), error.__cause__, getattr(error, "reason", None)]
        if isinstance(error, DownloadError) and error.exc_info:
            named.append(error.exc_info[1])
        if isinstance(error, UnavailableVideoError):  # raised in `except OSError`
            named.append(error.__context__)
        named += error.args
        waiting += [cause for cause in named if isinstance(cause, BaseException)]


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


def _partial_folder(media_path: Path, what: str) -> Path:
    """The folder for what has arrived, emptied when it holds parts of something else."""
    folder = media_path.absolute().with_name(f".fetch-{media_path.name}")
    key = hashlib.sha256(what.encode()).hexdigest()
    marker = folder / "source.sha256"
    if folder.exists() and (not marker.exists() or marker.read_text() != key):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(key)
    return folder


def _pause(n: int) -> float:
    """Seconds to wait after try `n` (from 0): 1, 2, 4, ..., at most 30."""
    return min(2.0**n, 30.0)


class _Log:
    """yt-dlp's messages as log records."""

    def debug(self, message: str) -> None:  # yt-dlp gives its ordinary messages here, too
        logger.log(logging.DEBUG if message.startswith("[debug] ") else logging.INFO, "%s", message)

    def info(self, message: str) -> None:
        logger.info("%s", message)

    def warning(self, message: str) -> None:
        logger.warning("%s", message)

    def error(self, message: str) -> None:  # raised as well
        logger.warning("%s", message)


class _Progress:
    """A line in the log now and then."""

    def __init__(self) -> None:
        self.due = time.monotonic() + PROGRESS_EVERY

    def __call__(self, state: dict[str, Any]) -> None:
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + PROGRESS_EVERY
            total = state.get("total_bytes") or state.get("total_bytes_estimate") or 0
            logger.info("%s of %s bytes", state.get("downloaded_bytes"), total or "unknown")
