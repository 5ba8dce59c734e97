"""What a `source` of videos.csv names: a local file or an address (light, for the Snakefile)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_YOUTUBE = r"(?:(?:www|m|music)\.)?(?:youtube(?:-nocookie)?\.com|youtu\.be)"
# Hosts that are written without https:// before them, as browsers show them.
_SCHEMELESS = re.compile(
    rf"(?://)?((?:www\.(?:[\w-]+\.)+[a-z]{{2,}}|{_YOUTUBE})(?::\d+)?)/", re.ASCII | re.IGNORECASE
)
# A host and a path, or a scheme with too few slashes: it may be meant for an address.
_LIKE_ADDRESS = re.compile(
    r"(?:https?:/?)?(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?/", re.ASCII | re.IGNORECASE
)
_YOUTUBE_HOST = re.compile(_YOUTUBE, re.IGNORECASE)
_YOUTUBE_ID = re.compile(r"[\w-]{11}", re.ASCII)
# Paths of youtube.com that go on with an id.
_YOUTUBE_PATHS = ("shorts", "embed", "live", "v", "e", "watch")
# The end of a name that Snakemake refuses: it takes what is repeated twenty times for a circle.
_REPEATED = re.compile(r"(.{1,5})\1{19}$")


def local_path(source: str) -> Path | None:
    """The absolute path of a local source, existing or not; None when the source is an address.

    A path is absolute or relative to the working directory; `file:///...` is a path, too (with
    another host in it, it is an address, which `download.ytdlp.fetch` finds unsupported). What
    begins with `www.` or a host of YouTube's is an address also without `https://`, unless there is
    a folder of that name.
    """
    if source.lower().startswith("file://"):
        try:
            address = urlsplit(source)
        except ValueError:  # Brackets that do not match.
            return None
        if address.netloc not in ("", "localhost"):
            return None
        return Path(os.path.abspath(unquote(address.path)))
    if "://" in source or _short_id(source) or _schemeless(source):
        return None
    return Path(os.path.abspath(source))


def address(source: str) -> str:
    """The address of a source that is not local: a URL as given, `youtube:ID` as its page."""
    video = _short_id(source)
    if video:
        return f"https://www.youtube.com/watch?v={video}"
    if "://" not in source and _schemeless(source):
        return f"https://{source.removeprefix('//')}"
    return source


def address_fault(url: str) -> str | None:
    """What is wrong with an address as it is written; None where nothing is."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - It is read only here, which raises.
    except ValueError as error:
        return f"no address: {error}"
    host = parts.hostname or ""
    if parts.scheme.lower() in ("http", "https") and not host:
        return "no address: no host in it"
    if len(host) > 253 or max(map(len, host.split("."))) > 63:  # RFC 1035
        return "no address: its host is longer than names may be"
    return None


def is_like_address(source: str) -> bool:
    """Whether a local source may be meant for an address, by the look of it."""
    return bool(_LIKE_ADDRESS.match(source))


def canonical(source: str) -> str:
    """One spelling of a source, so that a video listed in two ways is known to be one.

    Of an address, what does not reach the server (`#...`) and the case of scheme and host do not
    count; of YouTube's, only the video's id does.
    """
    path = local_path(source)
    if path:
        return str(path)
    url = address(source)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url
    video = _youtube_id(host, parts.path, parts.query)
    if video:
        return address(f"youtube:{video}")
    scheme = parts.scheme.lower()
    if port in (None, {"http": 80, "https": 443}.get(scheme)):
        netloc = host
    else:
        netloc = f"{host}:{port}"
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(
        scheme=scheme, netloc=f"{user}@{netloc}" if user else netloc, fragment=""
    ).geturl()


def video_id_fault(video_id: str) -> str | None:
    """What is wrong with a video_id of allowed letters; None where nothing is."""
    repeated = _REPEATED.search(video_id) if len(video_id) >= 20 else None
    if not repeated:
        return None
    return f"ends in {repeated[1]!r} twenty times or more, which Snakemake does not allow"


def _schemeless(source: str) -> bool:
    host = _SCHEMELESS.match(source)
    # A mirror of a site is in folders called as its hosts.
    return bool(host) and not os.path.lexists(host[1])


def _short_id(source: str) -> str | None:
    match = re.fullmatch(r"youtube:([\w-]{11})", source, re.ASCII)
    return match[1] if match else None


def _youtube_id(host: str, path: str, query: str) -> str | None:
    """The id in an address of a video's page; None where it is another page or site."""
    if not _YOUTUBE_HOST.fullmatch(host):
        return None
    names = [name for name in path.split("/") if name]
    if host.endswith("youtu.be"):
        found = names[:1]
    elif len(names) > 1 and names[0] in _YOUTUBE_PATHS:
        found = names[1:2]
    else:
        found = parse_qs(query).get("v", [])[:1] if names == ["watch"] else []
    return found[0] if found and _YOUTUBE_ID.fullmatch(found[0]) else None
