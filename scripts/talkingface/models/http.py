"""One large file over HTTP: resumed where it broke off, and checked before it gets its name.

Own code on `urllib`, because what it is for is just what ready-made downloaders leave out: pooch
checks hashes but starts a broken file of 1.3 GB again from its first byte, and huggingface_hub
does not check them (and serves one host only). Of a proxy, the environment tells urllib.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import json
import logging
import os
import re
import shutil
import ssl
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from talkingface.models.table import Digest, digest
from talkingface.models.untrusted import MOST_JSON, parse_object, quoted, read_object

logger = logging.getLogger(__name__)

BLOCK = 1 << 20
# Statuses with which a server says: not now (RFC 9110, 6585, 8470); so do all from 500 on.
TRANSIENT_HTTP = {408, 425, 429}
# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30.0
LONGEST_PAUSE = 30.0
# A connection that brings less than this, in bytes a second, for so many seconds is given up.
SLOWEST = 1000.0
PATIENCE = 60.0
# A try that brings so many bytes is no failed one.
PROGRESS = 32 << 10
# Of a file of unknown length: the space on the disk is looked at whenever so many bytes have come,
# and so much of it is left to others.
SPACE_STEP = 64 << 20
SPARED = 1 << 30


class FetchError(Exception):
    """A file could not be had from a server: why, in one line, and whether it may be had later."""

    def __init__(self, reason: str, transient: bool = False) -> None:
        super().__init__(reason)
        self.transient = transient


def fetch_file(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    most: int | None = None,
    token: str | None = None,
    timeout: float = 30.0,
    tries: int = 3,
    pause: float = 1.0,
    patience: float = PATIENCE,
) -> Digest:
    """Get the file at `url`, which must have `size` and `sha256` where they are known, to `path`.

    What is longer than `size`, or than `most` bytes, is not read on.

    What has arrived is kept beside `path` when the connection breaks; the next try, also of a
    later call, asks for the rest (Range), unless the server's file has changed (If-Range). `tries`
    counts tries in a row that bring hardly anything new (less than PROGRESS); the pause between
    two doubles, from `pause` seconds on. `timeout` is in seconds without data, `patience` in
    seconds with hardly any (less than SLOWEST). `token` is a bearer token for this server; others
    that it redirects to are not told.

    Raises FetchError, and OSError when it is this machine that fails, also where the disk has not
    the space.
    """
    partial = path.with_name(f".fetch-{path.name}")
    for beside in (partial, _state_path(partial)):
        if os.path.lexists(beside) and not stat.S_ISREG(os.lstat(beside).st_mode):
            raise OSError(errno.EEXIST, f"{beside} is in the way: not a file of a download")
    limits = _Limits(size, most, patience)
    most_arrived, failures = _size(partial), 0
    while True:
        try:
            resumed = _receive(url, partial, token, timeout, limits, has_hash=sha256 is not None)
            found = digest(partial)
            if size is None and not found.size:
                raise FetchError("sent nothing")
            if size in (None, found.size) and sha256 in (None, found.sha256):
                partial.replace(path)
                _state_path(partial).unlink(missing_ok=True)
                return found
            _discard(partial)
            raise FetchError(f"sent another file ({found})", transient=resumed)
        except FetchError as error:
            arrived = _size(partial)
            failures = 0 if arrived >= most_arrived + PROGRESS else failures + 1
            most_arrived = max(most_arrived, arrived)
            if not error.transient or failures >= tries:
                raise
            wait = min(pause * 2 ** max(failures - 1, 0), LONGEST_PAUSE)
            logger.warning("%s: %s; again in %.0f s", url, error, wait)
            time.sleep(wait)


def read_json(
    url: str, *, token: str | None = None, timeout: float = 30.0, patience: float = PATIENCE
) -> dict[str, Any]:
    """The object in JSON that a server answers with. Raises FetchError.

    timeout, patience: see `fetch_file`.
    """
    with _open(_request(url, token), timeout) as response:
        blocks, arrived = [], 0
        for block in _blocks(response, patience):
            blocks.append(block)
            arrived += len(block)
            if arrived > MOST_JSON:
                break
        try:
            return parse_object(b"".join(blocks))
        except ValueError as error:
            raise FetchError(f"sent something else than the JSON asked for ({error})") from error


class _Limits:
    """How long a file may be: `size` bytes where that is known, and at most `most`."""

    def __init__(self, size: int | None, most: int | None, patience: float) -> None:
        self.size, self.most, self.patience = size, most, patience

    def check_total(self, total: int) -> None:
        """Raise FetchError for the length that a server names."""
        if self.size is not None and total != self.size:
            raise FetchError(f"has another file ({total:,} bytes)")
        if self.most is not None and total > self.most:
            raise FetchError(f"has {total:,} bytes, more than `max_model_size` allows")

    def check_arrived(self, arrived: int) -> None:
        """Raise FetchError when more has come than the whole file may have."""
        most = self.size if self.size is not None else self.most
        if most is not None and arrived > most:
            known = "the file has" if self.size is not None else "`max_model_size` allows"
            raise FetchError(f"sends more than the {most:,} bytes that {known}, and was stopped")


def _receive(
    url: str, partial: Path, token: str | None, timeout: float, limits: _Limits, has_hash: bool
) -> bool:
    """Bring `partial` to its end; whether some of it was there before.

    Without a hash to know it by, a part is continued only under the server's word that its file is
    still the same (a validator of RFC 9110).
    """
    state = _read_state(partial)
    validator = state.get("validator")
    begun = _size(partial) if state.get("url") == url and (validator or has_hash) else 0
    request = _request(url, token)
    if begun:
        request.add_header("Range", f"bytes={begun}-")
        if validator:
            request.add_header("If-Range", validator)
    try:
        response = _open(request, timeout)
    except _RangeRefused as error:
        if error.total == begun:  # All of it had arrived.
            return True
        _discard(partial)
        raise FetchError("its file has become shorter", transient=True) from error
    with response:
        new_validator = _validator(response)
        if response.status != 206:
            begun = 0
        elif not (response.headers["Content-Range"] or "").startswith(f"bytes {begun}-"):
            _discard(partial)
            raise FetchError("sent another part of the file than asked for", transient=True)
        elif validator and new_validator != validator:  # The server does not know If-Range.
            _discard(partial)
            raise FetchError("its file has changed", transient=True)
        if response.headers.get_content_type() == "text/html":
            raise FetchError("sent a web page, not a file")
        if response.headers["Content-Encoding"] not in (None, "identity"):
            raise FetchError("sent the file compressed, which was not asked for")
        total = None if response.length is None else begun + response.length
        expected = total if total is not None else limits.size
        if expected is not None:
            limits.check_total(expected)
        logger.info("%s: %s bytes, from byte %d on", url, total or "unknown", begun)
        _check_space(partial, (expected or begun) - begun)
        try:
            with partial.open("ab" if begun else "wb") as file:
                _write_state(partial, {"url": url, "validator": new_validator})
                _append(response, file, begun, total, limits)
        except FetchError as error:
            if not error.transient:  # What has come is not the beginning of the file.
                _discard(partial)
            raise
    return begun > 0


def _append(
    response: http.client.HTTPResponse, file: Any, arrived: int, total: int | None, limits: _Limits
) -> None:
    due, step = time.monotonic() + PROGRESS_EVERY, arrived
    for block in _blocks(response, limits.patience):
        arrived += len(block)
        limits.check_arrived(arrived)
        if total is None and arrived - step >= SPACE_STEP:
            step = arrived
            _check_space(Path(file.name), SPARED)
        file.write(block)
        if time.monotonic() >= due:
            due += PROGRESS_EVERY
            logger.info("%s of %s bytes", f"{arrived:,}", f"{total:,}" if total else "unknown")
    if total is not None and arrived < total:
        raise FetchError(f"ended after {arrived:,} of {total:,} bytes", transient=True)


def _blocks(response: http.client.HTTPResponse, patience: float) -> Iterator[bytes]:
    """What comes, block by block. Raises FetchError where the connection breaks or is too slow."""
    begun, of_span = time.monotonic(), 0
    while True:
        try:
            # One read at a time, so that what came before a timeout is not lost with it.
            block = response.read1(BLOCK)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchError(_reason(error), transient=True) from error
        if not block:
            return
        yield block
        of_span += len(block)
        span = time.monotonic() - begun
        if span >= patience:
            if of_span < SLOWEST * span:
                raise FetchError(
                    f"too slow: {of_span:,} bytes in {span:.0f} s, less than {SLOWEST:,.0f} a "
                    "second",
                    transient=True,
                )
            begun, of_span = time.monotonic(), 0


def _check_space(path: Path, needed: int) -> None:
    """Raise OSError where the disk that `path` is on has not `needed` bytes more."""
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise OSError(
            errno.ENOSPC, f"not enough space: {needed:,} bytes are needed, {free:,} are free"
        )


class _RangeRefused(Exception):
    """HTTP 416: there is nothing from that byte on in a file of `total` bytes."""

    def __init__(self, total: int | None) -> None:
        self.total = total


class _Redirects(HTTPRedirectHandler):
    """Stays with http(s), and takes the token along on the same server only."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise FetchError(f"leads to another kind of address ({quoted(newurl)})")
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.get_header("Authorization")
        if following and token and urlsplit(newurl)[:2] == urlsplit(req.full_url)[:2]:
            following.add_unredirected_header("Authorization", token)
        return following


def _request(url: str, token: str | None) -> Request:
    request = Request(url, headers={"Accept-Encoding": "identity", "User-Agent": "talkingface"})
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _open(request: Request, timeout: float) -> http.client.HTTPResponse:
    try:
        return build_opener(_Redirects).open(request, timeout=timeout)
    except HTTPError as error:
        error.close()
        if error.code == 416:
            total = re.search(r"/(\d{1,18})$", error.headers["Content-Range"] or "", re.ASCII)
            raise _RangeRefused(int(total[1]) if total else None) from error
        raise FetchError(
            f"HTTP {error.code} {quoted(error.reason)}".rstrip(),
            transient=error.code >= 500 or error.code in TRANSIENT_HTTP,
        ) from error
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        distrusted = isinstance(cause, ssl.SSLCertVerificationError)
        raise FetchError(_reason(cause), transient=not distrusted) from error
    except ValueError as error:  # Of an address that a server redirects to.
        raise FetchError(f"leads to no address ({quoted(error)})") from error


def _reason(error: Any) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({error.verify_message})"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke"
    return quoted(getattr(error, "strerror", None) or str(error)) or type(error).__name__


def _validator(response: http.client.HTTPResponse) -> str | None:
    """What If-Range may name: a strong ETag, else the date (RFC 9110, 13.1.5)."""
    etag = response.headers["ETag"]
    return etag if etag and not etag.startswith("W/") else response.headers["Last-Modified"]


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def _state_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read_state(partial: Path) -> dict[str, str]:
    """Where a part came from; nothing of what was not written by this module."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        state = read_object(_state_path(partial)).items()
        return {
            key: value for key, value in state if isinstance(value, str) and value.isprintable()
        }
    return {}


def _write_state(partial: Path, state: dict[str, str | None]) -> None:
    _state_path(partial).write_text(json.dumps(state), "utf-8")


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _state_path(partial).unlink(missing_ok=True)
