"""One video from the network, through yt-dlp."""

from __future__ import annotations

import hashlib
import io
import itertools
import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from yt_dlp import YoutubeDL
from yt_dlp.utils import PagedList, YoutubeDLError

from talkingface.download.errors import (
    TransientError,
    VideoUnavailable,
    refuse_large,
    refuse_long,
)
from talkingface.download.ytdlp_errors import classify_error
from talkingface.job.files import write_json

logger = logging.getLogger(__name__)

# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30


def fetch(
    url: str,
    media_path: Path,
    *,
    format: str,
    resolution: int | None,
    subtitles: Sequence[str],
    info_json: bool,
    max_duration: float | None,
    max_size: float | None,
    cookies: str | Path | None,
    proxy: str | None,
    rate_limit: float | None,
    timeout: float,
    retries: int = 3,
) -> dict[str, Any]:
    """Download one video to `media_path`, which appears whole or not at all; yt-dlp's description.

    What has arrived stays in a folder beside `media_path` after a TransientError, and the next
    call for the same `url`, `format` and `resolution` goes on from there. Of the formats, the one
    whose shorter side comes closest to `resolution` from below is taken, or the smallest.
    `subtitles` (languages, as yt-dlp names them) and `info_json` are kept beside the media, as
    `{stem}.{language}.vtt` and `{stem}.info.json`. A video of more than `max_duration` seconds or
    `max_size` bytes is refused, before it is downloaded where the site says how long or large it
    is. `cookies` is a Netscape cookie file, only read; `rate_limit` in bytes a second; `retries`
    within this call, of a connection, a fragment or a page; `timeout` of a connection in seconds.

    Raises VideoUnavailable, TransientError, and OSError when it is this machine that fails.
    """
    folder = _partial_folder(media_path, f"{url}\n{format}\n{resolution}")
    options: dict[str, Any] = {
        "format": format,
        "format_sort": [f"res:{resolution}"] if resolution else [],
        "writesubtitles": bool(subtitles),
        "subtitleslangs": list(subtitles),
        "subtitlesformat": "vtt/best",
        "outtmpl": {"default": "media.%(format_id)s.%(ext)s"},
        "ffmpeg_location": imageio_ffmpeg.get_ffmpeg_exe(),
        # A stream, since yt-dlp writes the cookies back: not to the user's file, and not from
        # several jobs at once.
        "cookiefile": io.StringIO(Path(cookies).read_text("utf-8")) if cookies else None,
        "proxy": proxy,
        "ratelimit": rate_limit,
        "retries": retries,
        "fragment_retries": retries,
        "extractor_retries": retries,
        "retry_sleep_functions": dict.fromkeys(("http", "fragment", "extractor"), _retry_pause),
        # yt-dlp's default leaves out a fragment that it cannot get.
        "skip_unavailable_fragments": False,
        "socket_timeout": timeout,
        "noplaylist": True,
        "default_search": "error",
        "logger": _Log(),
        "noprogress": True,
        "progress_hooks": [_Progress(max_size)],
        "color": "no_color",
    }
    try:
        with _OneVideo(folder, options, max_duration, max_size) as ydl:
            try:
                info = ydl.extract_info(url)
            except YoutubeDLError as error:
                raise classify_error(error, ydl.signed) from error
            info = _move_into_place(info, media_path, ydl, info_json)
    except VideoUnavailable:
        shutil.rmtree(folder)
        raise
    except TransientError as error:
        if error.status == "broken":  # What has arrived is of no use.
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
    return info


def _move_into_place(
    info: dict[str, Any], media_path: Path, ydl: YoutubeDL, info_json: bool
) -> dict[str, Any]:
    """Move what was asked for beside `media_path`, the media last; yt-dlp's description."""
    described = ydl.sanitize_info(info)
    if info_json:
        write_json(described, media_path.with_suffix(".info.json"))
    for language, subtitle in (info.get("requested_subtitles") or {}).items():
        if subtitle.get("filepath"):
            target = media_path.with_suffix(f".{language}.{subtitle['ext']}")
            os.replace(subtitle["filepath"], target)
    os.replace(info["requested_downloads"][0]["filepath"], media_path)
    return described


class _OneVideo(YoutubeDL):
    """A YoutubeDL that downloads one finished video and nothing else."""

    # Whether media is being read through addresses that a site made for this session: they
    # expire, and then their 403 or 404 says nothing about the video.
    signed = False

    def __init__(
        self,
        folder: Path,
        options: dict[str, Any],
        max_duration: float | None,
        max_size: float | None,
    ) -> None:
        self.folder = folder
        self.max_duration = max_duration
        self.max_size = max_size
        super().__init__(options)

    def prepare_filename(self, *args: Any, **kwargs: Any) -> str:
        # Not in the template: yt-dlp expands $VARIABLES in it and has no way to escape them.
        return str(self.folder / super().prepare_filename(*args, **kwargs))

    def process_ie_result(
        self, ie_result: Any, download: bool = True, extra_info: Any = None
    ) -> Any:
        if ie_result.get("_type") in ("playlist", "multi_video"):
            entries = ie_result.get("entries") or []
            # Two are enough to know: a list may have thousands, each a request.
            first_two = (
                entries.getslice(0, 2)
                if isinstance(entries, PagedList)
                else list(itertools.islice(entries, 2))
            )
            if len(first_two) != 1:
                raise VideoUnavailable("unsupported", "a list of videos, not one video")
            ie_result = first_two[0]
        return super().process_ie_result(ie_result, download, extra_info)

    def process_info(self, info_dict: dict[str, Any]) -> None:
        if info_dict.get("is_live"):
            raise VideoUnavailable("live", "a live stream that has not ended")
        refuse_long(info_dict.get("duration"), self.max_duration)
        parts = info_dict.get("requested_formats") or [info_dict]
        refuse_large(sum(_claimed_size(part) for part in parts), self.max_size)
        self.signed = info_dict.get("extractor_key") != "Generic"
        super().process_info(info_dict)


def _claimed_size(format: dict[str, Any]) -> float:
    return format.get("filesize") or format.get("filesize_approx") or 0


def _partial_folder(media_path: Path, request: str) -> Path:
    """The folder for what has arrived, emptied when it holds parts of another request."""
    folder = media_path.absolute().with_name(f".fetch-{media_path.name}")
    key = hashlib.sha256(request.encode()).hexdigest()
    marker = folder / "source.sha256"
    if folder.exists() and (not marker.exists() or marker.read_text() != key):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text(key)
    return folder


def _retry_pause(n: int) -> float:
    """Seconds to wait after try `n` (from 0): 1, 2, 4, ..., at most 30."""
    return min(2.0**n, 30.0)


class _Log:
    """yt-dlp's messages as log records."""

    def debug(self, message: str) -> None:  # yt-dlp gives its ordinary messages here, too.
        logger.log(logging.DEBUG if message.startswith("[debug] ") else logging.INFO, "%s", message)

    def info(self, message: str) -> None:
        logger.info("%s", message)

    def warning(self, message: str) -> None:
        logger.warning("%s", message)

    def error(self, message: str) -> None:  # yt-dlp raises it as well.
        logger.warning("%s", message)


class _Progress:
    """A line in the log now and then; refuses what grows too large."""

    def __init__(self, max_size: float | None) -> None:
        self.max_size = max_size
        self.due = time.monotonic() + PROGRESS_EVERY

    def __call__(self, state: dict[str, Any]) -> None:
        refuse_large(state.get("total_bytes") or state.get("downloaded_bytes"), self.max_size)
        if time.monotonic() >= self.due:
            self.due = time.monotonic() + PROGRESS_EVERY
            total = state.get("total_bytes") or state.get("total_bytes_estimate") or 0
            logger.info("%s of %s bytes", state.get("downloaded_bytes"), total or "unknown")
