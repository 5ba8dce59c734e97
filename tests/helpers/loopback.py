"""A web server on 127.0.0.1 that serves bytes with Range and If-Range, and misbehaves as told."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Seen:
    """A request: `range`, `if_range` and `authorization` are its headers."""

    path: str
    range: str | None
    if_range: str | None
    authorization: str | None


class Loopback:
    """Serves `files` by path (queries are part of it where `files` says so).

    What it does wrong is said by path: see the attributes.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.status: dict[str, list[int]] = {}  # answers before the file is served, in turn
        self.cut: dict[str, list[int]] = {}  # bytes sent of a body before the connection breaks
        self.stall: dict[str, list[int]] = {}  # bytes sent of a body before nothing comes any more
        self.ignores_range: set[str] = set()
        self.ignores_if_range: set[str] = set()
        self.nameless: set[str] = set()  # without ETag and date
        self.weak: set[str] = set()  # with a weak ETag, and a date
        self.chunked: set[str] = set()  # without a length
        self.redirect: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.endless: set[str] = set()  # the body again and again, for as long as it is read
        self.drip: dict[str, float] = {}  # a byte of the body in so many seconds, for ever
        self.raw: dict[str, bytes] = {}  # all that is answered, headers included
        self.seen: list[Seen] = []
        self.over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.close_connection = True
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    server.answer(self)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path if request.path in self.files else urlsplit(request.path).path
        header = request.headers.get
        seen = Seen(request.path, header("Range"), header("If-Range"), header("Authorization"))
        self.seen.append(seen)
        if self.status.get(path):
            return self.refuse(request, self.status[path].pop(0))
        if path in self.raw:
            request.wfile.write(self.raw[path])
            return None
        if path in self.redirect:
            return self.refuse(request, 302, Location=self.redirect[path])
        if path not in self.files:
            return self.refuse(request, 404)
        body = self.files[path]
        first = self.first(path, seen, f'"{self.etag(body)}"')
        if first >= len(body) > 0:
            return self.refuse(request, 416, **{"Content-Range": f"bytes */{len(body)}"})
        request.send_response(206 if first else 200)
        if first:
            request.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Type", self.types.get(path, "application/octet-stream"))
        if path not in self.nameless:
            weak = "W/" if path in self.weak else ""
            request.send_header("ETag", f'{weak}"{self.etag(body)}"')
            request.send_header("Last-Modified", self.date(body))
        body = body[first:]
        if path in self.endless | self.drip.keys():
            request.end_headers()
            return self.go_on(request, body, self.drip.get(path))
        if path in self.chunked:
            request.send_header("Transfer-Encoding", "chunked")
        else:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        stall = self.stall[path].pop(0) if self.stall.get(path) else None
        cut = self.cut[path].pop(0) if self.cut.get(path) else len(body)
        sent = body[: cut if stall is None else stall]
        if path in self.chunked:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent))
            request.wfile.write(b"0\r\n\r\n" if len(sent) == len(body) else b"")
        else:
            request.wfile.write(sent)
        request.wfile.flush()
        if stall is not None:
            self.over.wait(20)

    def go_on(self, request: BaseHTTPRequestHandler, body: bytes, pause: float | None) -> None:
        """Send until nobody listens or the test is over."""
        while not self.over.wait(pause or 0):
            request.wfile.write(body[:1] if pause else body)

    def first(self, path: str, seen: Seen, etag: str) -> int:
        """From which byte on it is asked for, if it is to be answered with a part."""
        if not seen.range or path in self.ignores_range:
            return 0
        current = {etag, self.date(self.files[path])}
        if seen.if_range and seen.if_range not in current and path not in self.ignores_if_range:
            return 0
        return int(seen.range.removeprefix("bytes=").removesuffix("-"))

    @staticmethod
    def etag(body: bytes) -> str:
        return hashlib.md5(body).hexdigest()

    @staticmethod
    def date(body: bytes) -> str:
        """Another date for another body."""
        return f"Wed, 01 May 2024 10:{body[0] % 60:02}:{len(body) % 60:02} GMT"

    @staticmethod
    def refuse(request: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
        request.send_response(status)
        request.send_header("Content-Length", "0")
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()

    def asked(self, path: str) -> list[Seen]:
        """The requests for a path, in turn."""
        return [seen for seen in self.seen if urlsplit(seen.path).path == path]

    def close(self) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()
