"""One video from the network, through yt-dlp."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import shutil
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from yt_dlp.utils import YoutubeDLError

from talkingface.download.errors import (
    Stopped,
    TransientError,
    VideoUnavailable,
    refuse_large,
)
from talkingface.download.limits import MEDIA, Limits, Meter
from talkingface.download.one_video import OneVideo
from talkingface.download.ytdlp_errors import classify_error
from talkingface.job.files import write_json
from talkingface.media.formats import FORMATS
from talkingface.text import clean

logger = logging.getLogger(__name__)

# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30
# What ffmpeg may take a downloaded file for: nothing that leads to other files.
OF_FILES = ("-protocol_whitelist", "file", "-format_whitelist", ",".join(FORMATS))
# The steps in which yt-dlp lets ffmpeg work on files, as its settings call them.
_FFMPEG_STEPS = (
    *("merger", "fixupm3u8", "fixupm4a", "fixupduplicatemoov", "fixupstretched"),
    *("fixuptimestamp", "fixupduration"),
)


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
    max_time: float | None,
    max_lookup_time: float | None,
    min_rate: float | None,
    max_page: float,
    max_fragment: float,
    max_fragments: float,
    private_addresses: bool,
    cookies: str | Path | None,
    proxy: str | None,
    js_runtime: str | None,
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
    The limits from `max_size` to `max_fragments` are those of `limits.Limits`; what passes one is
    `too_large` or `too_demanding`. Only http(s) is spoken, and only with public addresses unless
    `private_addresses` allows others (see `network`). yt-dlp runs without plugins, and without
    other programs than the ffmpeg of imageio-ffmpeg, which is given files only, and `js_runtime`,
    which is given YouTube's scripts.

    Raises VideoUnavailable, TransientError, and OSError when it is this machine that fails.
    """
    folder = _partial_folder(media_path, f"{url}\n{format}\n{resolution}")
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    options: dict[str, Any] = {
        "format": format,
        "format_sort": [f"res:{resolution}"] if resolution else [],
        "writesubtitles": bool(subtitles),
        "subtitleslangs": list(subtitles),
        "subtitlesformat": "vtt/best",
        "outtmpl": {"default": f"{MEDIA}%(format_id)s.%(ext)s"},
        # It may be the system's, which is known by name only.
        "ffmpeg_location": shutil.which(ffmpeg) or ffmpeg,
        "postprocessor_args": {f"{step}+ffmpeg_i": [*OF_FILES] for step in _FFMPEG_STEPS},
        "external_downloader": "native",
        "hls_prefer_native": True,
        "js_runtimes": _js_runtimes(js_runtime),
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
    limits = Limits(
        max_size=max_size,
        max_time=max_time,
        max_lookup_time=max_lookup_time,
        min_rate=min_rate,
        max_page=max_page,
        max_fragment=max_fragment,
        max_fragments=max_fragments,
        timeout=timeout,
    )
    meter = Meter(folder, limits)
    try:
        with (
            _alone(),
            meter.watching(),
            OneVideo(folder, options, max_duration, meter, private_addresses) as ydl,
        ):
            info = _extract(ydl, url)
            info = _move_into_place(info, media_path, ydl, info_json)
    except (Stopped, VideoUnavailable, TransientError) as error:
        failure = error.failure if isinstance(error, Stopped) else error
        if isinstance(failure, VideoUnavailable) or failure.status == "broken":
            shutil.rmtree(folder)  # What has arrived is of no use.
        # Not with its causes, which hold a site's own words.
        raise failure from None
    shutil.rmtree(folder)
    return info


def _extract(ydl: OneVideo, url: str) -> dict[str, Any]:
    """Download, with the exceptions of this room."""
    try:
        info: dict[str, Any] | None = ydl.extract_info(url)
    except YoutubeDLError as error:
        raise classify_error(error, ydl.signed) from error
    except (VideoUnavailable, TransientError, OSError, MemoryError):
        raise
    except Exception as error:
        # What a site answers may be of any shape, and yt-dlp has readers for 1,800 sites.
        for line in traceback.format_exc().splitlines():
            logger.warning("%s", clean(line))
        reason = f"yt-dlp cannot read what the site answers: {type(error).__name__}: {error}"
        raise TransientError(reason) from error
    if not info or not info.get("requested_downloads"):
        raise TransientError("yt-dlp found nothing to download")
    return info


def _js_runtimes(program: str | None) -> dict[str, dict[str, str]]:
    """yt-dlp's setting for the one program that may run scripts."""
    if program is None:
        return {}
    name = {"qjs": "quickjs"}.get(Path(program).name, Path(program).name)
    return {name: {"path": shutil.which(program) or os.path.abspath(program)}}


@contextmanager
def _alone() -> Iterator[None]:
    """No plugins of the user's, and no programs that would be found by their names."""
    changed = {"PATH": os.devnull, "YTDLP_NO_PLUGINS": "1"}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _move_into_place(
    info: dict[str, Any], media_path: Path, ydl: OneVideo, info_json: bool
) -> dict[str, Any]:
    """Move what was asked for beside `media_path`, the media last; yt-dlp's description."""
    described = ydl.sanitize_info(info)
    arrived = info["requested_downloads"][0]["filepath"]
    refuse_large(os.stat(arrived).st_size, ydl.meter.limits.max_size)
    if info_json:
        write_json(described, media_path.with_suffix(".info.json"))
    for language, subtitle in (info.get("requested_subtitles") or {}).items():
        if subtitle.get("filepath"):
            target = media_path.with_suffix(f".{language}.{subtitle['ext']}")
            os.replace(subtitle["filepath"], target)
    os.replace(arrived, media_path)
    return described


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
        level = logging.DEBUG if message.startswith("[debug] ") else logging.INFO
        logger.log(level, "%s", clean(message))

    def info(self, message: str) -> None:
        logger.info("%s", clean(message))

    def warning(self, message: str) -> None:
        logger.warning("%s", clean(message))

    def error(self, message: str) -> None:  # yt-dlp raises it as well.
        logger.warning("%s", clean(message))


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
