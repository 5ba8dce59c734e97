"""yt-dlp, bent to what is wanted of it here: one finished video, from the network alone."""

from __future__ import annotations

import functools
import hashlib
import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.utils import PagedList

from talkingface.download.errors import VideoUnavailable, refuse_large, refuse_long
from talkingface.download.limits import Meter
from talkingface.download.manifests import weigh_dash, weigh_hls, weigh_smooth
from talkingface.download.network import GuardedRH

# Pages that lead to one another before it is a circle.
MOST_PAGES = 30
# Downloaders of yt-dlp that are not used: they fetch with other programs, or from manifests whose
# lists of fragments are not bounded (Flash's).
UNUSED_PROTOCOLS = re.compile(r"(?:rtmp|rtsp|mms|f4m)")


class OneVideo(YoutubeDL):
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
