"""One video from the network, through yt-dlp."""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import logging
import os
import re
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from yt_dlp import YoutubeDL
from yt_dlp.utils import PagedList, YoutubeDLError

from talkingface.download.errors import (
    Stopped,
    TransientError,
    VideoUnavailable,
    refuse_large,
    refuse_long,
)
from talkingface.download.limits import MEDIA, Limits, Meter
from talkingface.download.manifests import weigh_dash, weigh_hls, weigh_smooth
from talkingface.download.network import GuardedRH
from talkingface.download.ytdlp_errors import classify_error
from talkingface.job.files import write_json
from talkingface.text import clean

logger = logging.getLogger(__name__)

# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30
# Pages that lead to one another before it is a circle.
MOST_PAGES = 30
# Downloaders of yt-dlp that are not used: they fetch with other programs, or from manifests whose
# lists of fragments are not bounded (Flash's).
UNUSED_PROTOCOLS = re.compile(r"(?:rtmp|rtsp|mms|f4m)")
# What ffmpeg may take a downloaded file for: nothing that leads to other files.
CONTAINERS = (
    *("mov", "mp4", "matroska", "webm", "mpegts", "flv", "ogg", "avi", "asf", "mpeg", "wav"),
    *("aac", "mp3", "ac3", "eac3", "flac", "webvtt", "srt"),
)
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
        "postprocessor_args": {
            f"{step}+ffmpeg_i": [
                *("-protocol_whitelist", "file"),
                *("-format_whitelist", ",".join(CONTAINERS)),
            ]
            for step in _FFMPEG_STEPS
        },
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
            _OneVideo(folder, options, max_duration, meter, private_addresses) as ydl,
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


def _extract(ydl: _OneVideo, url: str) -> dict[str, Any]:
    """Download, with the exceptions of this room."""
    try:
        info: dict[str, Any] = ydl.extract_info(url)
        return info
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
    info: dict[str, Any], media_path: Path, ydl: YoutubeDL, info_json: bool
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


class _OneVideo(YoutubeDL):
    """A YoutubeDL that downloads one finished video and nothing else."""

    params: dict[str, Any]
    # Whether media is being read through addresses that a site made for this session: they
    # expire, and then their 403 or 404 says nothing about the video.
    signed = False

    def __init__(
        self,
        folder: Path,
        options: dict[str, Any],
        max_duration: float | None,
        meter: Meter,
        private_addresses: bool,
    ) -> None:
        self.folder = folder
        self.max_duration = max_duration
        self.meter = meter
        self.private_addresses = private_addresses
        self.pages = 0
        super().__init__(options)

    def build_request_director(self, handlers: Any, preferences: Any = None) -> Any:
        guarded = functools.partial(
            GuardedRH, meter=self.meter, private_addresses=self.private_addresses
        )
        return super().build_request_director([guarded])

    def get_info_extractor(self, ie_key: str) -> Any:
        extractor = super().get_info_extractor(ie_key)
        for name, weigh in _LISTS.items():
            self._bound_list(extractor, name, weigh)
        return extractor

    def _bound_list(self, extractor: Any, name: str, weigh: Callable[[Any], float]) -> None:
        """Let a method of an extractor that reads a list see only lists that are not too long."""
        method = getattr(extractor, name)
        if hasattr(method, "__wrapped__"):
            return

        @functools.wraps(method)
        def bounded(document: Any, *args: Any, **kwargs: Any) -> Any:
            self.meter.take_list(weigh(document))
            return method(document, *args, **kwargs)

        setattr(extractor, name, bounded)

    def prepare_filename(self, *args: Any, **kwargs: Any) -> str:
        # Not in the template: yt-dlp expands $VARIABLES in it and has no way to escape them.
        return str(self.folder / _short_name(super().prepare_filename(*args, **kwargs)))

    def dl(self, name: str, info: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        # Where yt-dlp's downloaders do not know how, they let ffmpeg fetch, from anywhere.
        options = self.params
        self.params = {key: options[key] for key in options if key != "ffmpeg_location"}
        try:
            return super().dl(name, info, *args, **kwargs)
        finally:
            self.params = options

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
        self.pages += 1
        if self.pages > MOST_PAGES:
            raise VideoUnavailable("unsupported", "its pages lead to one another without end")
        return super().process_ie_result(ie_result, download, extra_info)

    def process_info(self, info_dict: dict[str, Any]) -> None:
        self.meter.found()
        if info_dict.get("is_live"):
            raise VideoUnavailable("live", "a live stream that has not ended")
        refuse_long(info_dict.get("duration"), self.max_duration)
        parts = info_dict.get("requested_formats") or [info_dict]
        limit = self.meter.limits.max_size
        refuse_large(sum(_claimed_size(part) for part in parts), limit)
        for part in parts:
            part["format_id"] = _short_name(str(part.get("format_id")))
            if UNUSED_PROTOCOLS.match(str(part.get("protocol"))):
                raise VideoUnavailable("unsupported", f"a stream of {part['protocol']}")
        if info_dict.get("section_start") or info_dict.get("section_end"):
            raise VideoUnavailable("unsupported", "a part of a video: list the video itself")
        info_dict["requested_subtitles"] = {
            language: subtitle
            for language, subtitle in (info_dict.get("requested_subtitles") or {}).items()
            if re.fullmatch(r"[\w-]{1,50}\.\w{1,10}", f"{language}.{subtitle.get('ext')}")
        }
        self.signed = info_dict.get("extractor_key") != "Generic"
        super().process_info(info_dict)


# Methods of yt-dlp's extractors that read a list, and what counts its pieces and its formats.
_LISTS: dict[str, Callable[[Any], float]] = {
    "_parse_mpd_periods": weigh_dash,
    "_parse_ism_formats_and_subtitles": weigh_smooth,
    "_parse_m3u8_formats_and_subtitles": weigh_hls,
}


def _short_name(name: str) -> str:
    """A file's name, or a part of one, with a hash in the place of what is too long for a disk."""
    if len(name.encode()) <= 100:
        return name
    return hashlib.sha256(name.encode()).hexdigest()[:16] + Path(name).suffix[:10]


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
