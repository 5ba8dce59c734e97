"""One large file over HTTP: resumed where it broke off, and checked before it gets its name.

Own code on `urllib`, because what it is for is just what ready-made downloaders leave out: pooch
checks hashes but starts a broken file of 1.3 GB again from its first byte, and huggingface_hub
does not check them (and serves one host only). Of a proxy, the environment tells urllib.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import ssl
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from talkingface.models.table import Digest, digest

logger = logging.getLogger(__name__)

BLOCK = 1 << 20
# Statuses with which a server says: not now (RFC 9110, 6585, 8470); so do all from 500 on.
TRANSIENT_HTTP = {408, 425, 429}
# Seconds between two lines of progress in the log.
PROGRESS_EVERY = 30.0
LONGEST_PAUSE = 30.0


class FetchError(Exception):
    """A file could not be had from a server: why, and whether it may be had later."""

    def __init__(self, reason: str, transient: bool = False) -> None:
        super().__init__(reason)
        self.transient = transient


def fetch_file(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    token: str | None = None,
    timeout: float = 30.0,
    tries: int = 3,
    pause: float = 1.0,
) -> Digest:
    """Get the file at `url`, which must have `size` and `sha256` where they are known, to `path`.

    What has arrived is kept beside `path` when the connection breaks; the next try, also of a
    later call, asks for the rest (Range), unless the server's file has changed (If-Range). `tries`
    counts tries in a row that bring nothing new; the pause between two doubles, from `pause`
    seconds on. `timeout` is in seconds without data. `token` is a bearer token for this server;
    others that it redirects to are not told.

    Raises FetchError, and OSError when it is this machine that fails.
    """
    partial = path.with_name(f".fetch-{path.name}")
    most_arrived, failures = _size(partial), 0
    while True:
        try:
            resumed = _receive(url, partial, token, timeout, size, has_hash=sha256 is not None)
            found = digest(partial)
            if size in (None, found.size) and sha256 in (None, found.sha256):
                partial.replace(path)
                _state_path(partial).unlink(missing_ok=True)
                return found
            _discard(partial)
            raise FetchError(f"sent another file ({found})", transient=resumed)
        except FetchError as error:
            arrived = _size(partial)
            failures = 0 if arrived > most_arrived else failures + 1
            most_arrived = max(most_arrived, arrived)
            if not error.transient or failures >= tries:
                raise
            wait = min(pause * 2 ** max(failures - 1, 0), LONGEST_PAUSE)
            logger.warning("%s: %s; again in %.0f s", url, error, wait)
            time.sleep(wait)


def read_json(url: str, *, token: str | None = None, timeout: float = 30.0) -> Any:
    """The JSON that a server answers with. Raises FetchError."""
    with _open(_request(url, token), timeout) as response:
        try:
            return json.loads(response.read())
        except ValueError as error:
            raise FetchError("sent something else than JSON") from error
        except (OSError, http.client.HTTPException) as error:
            raise FetchError(_reason(error), transient=True) from error


def _receive(
    url: str, partial: Path, token: str | None, timeout: float, size: int | None, has_hash: bool
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
        length = response.headers["Content-Length"]
        total = begun + int(length) if length else None
        if size is not None and total not in (None, size):
            raise FetchError(f"has another file ({total:,} bytes)")
        logger.info("%s: %s bytes, from byte %d on", url, total or "unknown", begun)
        with partial.open("ab" if begun else "wb") as file:
            _write_state(partial, {"url": url, "validator": new_validator})
            _append(response, file, begun, total)
    return begun > 0


def _append(response: http.client.HTTPResponse, file: Any, arrived: int, total: int | None) -> None:
    due = time.monotonic() + PROGRESS_EVERY
    while True:
        try:
            # One read at a time, so that what came before a timeout is not lost with it.
            block = response.read1(BLOCK)
        except (OSError, http.client.HTTPException) as error:
            raise FetchError(_reason(error), transient=True) from error
        if not block:
            break
        file.write(block)
        arrived += len(block)
        if time.monotonic() >= due:
            due += PROGRESS_EVERY
            logger.info("%s of %s bytes", f"{arrived:,}", f"{total:,}" if total else "unknown")
    if total is not None and arrived < total:
        raise FetchError(f"ended after {arrived:,} of {total:,} bytes", transient=True)


class _RangeRefused(Exception):
    """HTTP 416: there is nothing from that byte on in a file of `total` bytes."""

    def __init__(self, total: int | None) -> None:
        self.total = total


class _Redirects(HTTPRedirectHandler):
    """Takes the token along on the same server only."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
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
            total = (error.headers["Content-Range"] or "").rpartition("/")[2]
            raise _RangeRefused(int(total) if total.isdigit() else None) from error
        raise FetchError(
            f"HTTP {error.code} {error.reason}".rstrip(),
            transient=error.code >= 500 or error.code in TRANSIENT_HTTP,
        ) from error
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, URLError) else error
        distrusted = isinstance(cause, ssl.SSLCertVerificationError)
        raise FetchError(_reason(cause), transient=not distrusted) from error


def _reason(error: Any) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not to be trusted ({error.verify_message})"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


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


def _read_state(partial: Path) -> dict[str, Any]:
    try:
        return json.loads(_state_path(partial).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _write_state(partial: Path, state: dict[str, Any]) -> None:
    _state_path(partial).write_text(json.dumps(state), "utf-8")


def _discard(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _state_path(partial).unlink(missing_ok=True)
