"""Raw media and its record: a local file linked, an address downloaded, a failure written down."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import av

from talkingface.download.errors import (
    TransientError,
    VideoUnavailable,
    refuse_long,
    wait_before_retry,
)
from talkingface.job.files import DamagedFile, atomic_path, read_json, write_json
from talkingface.media.errors import UnreadableMedia
from talkingface.media.limits import ANY, MediaSettings
from talkingface.media.probe import probe
from talkingface.settings.sources import address, address_fault, is_like_address, local_path
from talkingface.text import clean

logger = logging.getLogger(__name__)

# What became of a video; the record's `reason` says more. Only with `ok` is there media to use.
STATUSES = {
    "ok": "a video that can be read",
    "missing": "no such local file, or none that may be read",
    "not_found": "the server knows no such page (HTTP 404)",
    "removed": "the video was there and is gone",
    "private": "its owner keeps it private",
    "geo_blocked": "not to be seen in this country",
    "age_check": "the site asks for the viewer's age",
    "bot_check": "the site asks whether a person is watching",
    "refused": "the server or site refuses: forbidden, login, members only",
    "rate_limited": "too many requests, also after waiting",
    "live": "a live stream that has not ended or not begun",
    "too_long": "longer than download.max_duration",
    "too_large": "larger than download.max_size",
    "too_demanding": "it asks for more time, memory or space than a video should",
    "own_network": "the address leads into one's own network, see download.private_addresses",
    "no_format": "there is nothing in the format asked for",
    "unsupported": "the address leads to no single video that yt-dlp can take",
    "unavailable": "not to be had this time; another run may",
    "broken": "a file is there, but no video can be read from it",
}
# Statuses that neither time nor another setting can cure; the target `retry_unavailable` tries the
# others again.
FINAL = ("ok", "missing", "not_found", "removed", "unsupported", "broken")
RETRIED = tuple(status for status in STATUSES if status not in FINAL)
# Errors of the system that say something about the source, not about this machine.
MISSING_ERRORS = {
    errno.ENOENT: "no such file",
    errno.ENOTDIR: "no such file",
    errno.EACCES: "no permission to read it",
    errno.EPERM: "no permission to read it",
    errno.ELOOP: "a link that leads in a circle",
    errno.ENAMETOOLONG: "the name is too long",
}
# What is said of a missing file whose name looks like an address.
HINT = "; if it is an address, write https:// before it"
# Fields of the record's provenance, and those of yt-dlp's description that they are taken from.
DESCRIBED = {
    "webpage_url": "webpage_url",
    "extractor": "extractor",
    "id": "id",
    "title": "title",
    "uploader": "uploader",
    "channel": "channel",
    "upload_date": "upload_date",
    "licence": "license",
    "format": "format_id",
}


def download(
    source: str,
    media: str | Path,
    record: str | Path,
    *,
    video_id: str,
    attempt: int,
    tries: int,
    backoff: float,
    max_duration: float | None,
    media_settings: MediaSettings = ANY,
    **options: Any,
) -> dict[str, Any]:
    """Get a video's media to the path `media`, write its record (JSON) to `record`; its content.

    A local file is linked, never copied. An address is downloaded with yt-dlp; `max_duration` and
    `options` are those of `ytdlp.fetch`, and `media_settings` limit what a file may claim. The
    record has `video_id, source, status, reason, value, threshold, tries, probe, provenance`;
    `status` is one of STATUSES, `value` what was measured where it is more than a `threshold`, and
    `tries` how many it took. Where there is no media it is an empty file; one that cannot be used
    is kept as it is.

    Raises TransientError for a failure that may pass, after a wait of `backoff` seconds, doubled
    with every attempt, or as long as the server asks; unless `attempt`, from 1, has reached
    `tries`: then it is a result, too. What is left in the folder `.fetch-*` beside the media lets
    the next try go on. Errors of this machine (no space) are raised as OSError.
    """
    media_path = Path(media)
    provenance: dict[str, Any] = _blank_provenance()
    content: dict[str, Any] = {
        "video_id": video_id,
        "source": source,
        "status": "ok",
        "reason": None,
        "value": None,
        "threshold": None,
        "tries": attempt,
        "probe": None,
        "provenance": provenance,
    }
    media_path.parent.mkdir(parents=True, exist_ok=True)
    path = local_path(source)
    try:
        if path is not None:
            provenance |= {"kind": "local", "path": str(path)}
            provenance |= _link(path, media_path, HINT if is_like_address(source) else "")
        else:
            url = address(source)
            provenance |= {"kind": "url", "url": url}
            fault = address_fault(url)
            if fault:
                raise VideoUnavailable("unsupported", fault)
            from talkingface.download.ytdlp import fetch  # yt-dlp takes long to import

            provenance["tools"] |= {name: version(name) for name in ("yt-dlp", "imageio-ffmpeg")}
            info = fetch(url, media_path, max_duration=max_duration, **options)
            provenance |= {ours: info.get(theirs) for ours, theirs in DESCRIBED.items()}
            size, _, sha256 = _fingerprint(media_path)
            provenance |= {"size": size, "sha256": sha256}
        content["probe"] = probe(media_path, media_settings).to_dict()
        if path is None:  # Not every site says how long a video is.
            refuse_long(content["probe"]["duration"], max_duration)
    except UnreadableMedia as failure:
        content |= {
            "status": failure.status,
            "reason": clean(failure.reason),
            "value": failure.value,
            "threshold": failure.threshold,
        }
    except (VideoUnavailable, TransientError) as failure:
        if isinstance(failure, TransientError) and attempt < tries:
            seconds = wait_before_retry(failure, attempt, backoff)
            logger.info("%s: %s; another try in %.0f s", video_id, failure.reason, seconds)
            time.sleep(seconds)
            raise
        content |= {"status": failure.status, "reason": failure.reason}
        if isinstance(failure, VideoUnavailable):
            content |= {"value": failure.value, "threshold": failure.threshold}
        with atomic_path(media_path) as partial:
            partial.touch()
    logger.info("%s: %s, %s", video_id, content["status"], content["reason"] or STATUSES["ok"])
    write_json(content, record)
    return content


def forget_unavailable(records: Iterable[str | Path]) -> list[str]:
    """Delete those of the `records` whose status another try may cure; their videos' names.

    The next run misses them, and downloads these videos again. Of a damaged one nobody can tell:
    it is logged and left.
    """
    forgotten = []
    for record in map(Path, records):
        if not record.exists():
            continue
        try:
            status = read_json(record).get("status")
        except DamagedFile as error:
            logger.warning("%s", error)
            continue
        if status in RETRIED:
            record.unlink()
            forgotten.append(record.stem)
    return forgotten


def _link(path: Path, media_path: Path, hint: str) -> dict[str, Any]:
    """Link `media_path` to a local file; its size, mtime_ns and sha256.

    hint: what is added where there is no such file.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise VideoUnavailable("missing", "a directory, not a file")
        if not stat.S_ISREG(mode):
            raise VideoUnavailable("missing", "not a regular file")
        size, mtime_ns, sha256 = _fingerprint(path)
    except ValueError as error:  # A zero byte in it, which no name has.
        raise VideoUnavailable("missing", "no name of a file") from error
    except OSError as error:
        if error.errno not in MISSING_ERRORS:
            raise
        reason = MISSING_ERRORS[error.errno] + (hint if error.errno == errno.ENOENT else "")
        raise VideoUnavailable("missing", reason) from error
    with atomic_path(media_path) as partial:
        partial.symlink_to(path)
    return {"size": size, "mtime_ns": mtime_ns, "sha256": sha256}


def _fingerprint(path: Path) -> tuple[int, int, str]:
    """Size in bytes, modification time in ns and sha256 of a file that nobody is writing to."""
    with open(path, "rb") as file:
        before = os.fstat(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        after = os.fstat(file.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise TransientError("the file is being written to")
    return before.st_size, before.st_mtime_ns, sha256


def _blank_provenance() -> dict[str, Any]:
    """All keys, in their order, so that records of all videos have the same shape."""
    keys = ["kind", "path", "url", *DESCRIBED, "size", "mtime_ns", "sha256"]
    libraries = {name: ".".join(map(str, number)) for name, number in av.library_versions.items()}
    tools = {"av": version("av"), "ffmpeg libs": dict(sorted(libraries.items()))}
    return dict.fromkeys(keys) | {"tools": tools}
