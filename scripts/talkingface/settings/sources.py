"""What a `source` of videos.csv names: a local file or an address (light, for the Snakefile)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The many addresses of one YouTube video.
YOUTUBE_PAGE = re.compile(
    r"https?://(?:(?:www|m|music)\.)?(?:youtu\.be/|youtube(?:-nocookie)?\.com/"
    r"(?:watch\?(?:[^#]*&)?v=|shorts/|embed/|live/|v/))([\w-]{11})(?![\w-])",
    re.ASCII,
)


def local_path(source: str) -> Path | None:
    """The absolute path of a local source, existing or not; None when the source is an address.

    A path is absolute or relative to the working directory; `file:///...` is a path, too (with
    another host in it, it is an address, which `download.ytdlp.fetch` finds unsupported).
    """
    if source.lower().startswith("file://"):
        address = urlsplit(source)
        if address.netloc not in ("", "localhost"):
            return None
        return Path(os.path.abspath(unquote(address.path)))
    if "://" in source or _youtube_id(source):
        return None
    return Path(os.path.abspath(source))


def address(source: str) -> str:
    """The address of a source that is not local: a URL as given, `youtube:ID` as its page."""
    video = _youtube_id(source)
    return f"https://www.youtube.com/watch?v={video}" if video else source


def canonical(source: str) -> str:
    """One spelling of a source, so that a video listed in two ways is known to be one."""
    path = local_path(source)
    if path:
        return str(path)
    page = YOUTUBE_PAGE.match(source)
    return address(f"youtube:{page[1]}" if page else source)


def _youtube_id(source: str) -> str | None:
    match = re.fullmatch(r"youtube:([\w-]{11})", source, re.ASCII)
    return match[1] if match else None
