"""A web server on 127.0.0.1 whose answers are made as they are sent, and may never end."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What is sent: with `head_pause`, its head byte by byte with so many seconds between."""

    body: Callable[[], Iterable[bytes]] | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    reason: str | None = None
    head_pause: float = 0


@dataclass
class Served:
    """The server's address, what it answers by path, and the paths it was asked for."""

    url: str
    answers: dict[str, Answer]
    seen: list[str] = field(default_factory=list)


def endless(block: bytes) -> Callable[[], Iterator[bytes]]:
    """A body that is one block again and again."""

    def body() -> Iterator[bytes]:
        while True:
            yield block

    return body


def drip(pause: float, byte: bytes = b"x") -> Callable[[], Iterator[bytes]]:
    """A body of single bytes with a pause in seconds after each, without end."""

    def body() -> Iterator[bytes]:
        while True:
            yield byte
            time.sleep(pause)

    return body


@contextmanager
def streaming_server(host: str = "127.0.0.1") -> Iterator[Served]:
    """Serve answers as long as the context lasts; a path without one is 404.

    An answer without a length ends with its connection. A proxy's request, for a whole address, is
    answered by its path.
    """
    served = Served("", {})

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            served.seen.append(path)
            answer = served.answers.get(path, Answer(status=404))
            with contextlib.suppress(OSError):
                self.answer(answer)
            self.close_connection = True

        def answer(self, answer: Answer) -> None:
            self.send_response(answer.status, answer.reason)
            body = [answer.body] if isinstance(answer.body, bytes) else answer.body()
            headers = dict(answer.headers)
            if isinstance(answer.body, bytes):
                headers["Content-Length"] = str(len(answer.body))
            for name, value in headers.items():
                self.send_header(name, value)
            if answer.head_pause:
                for letter in b"".join(self._headers_buffer):  # type: ignore[attr-defined]
                    self.wfile.write(bytes([letter]))
                    time.sleep(answer.head_pause)
                return
            self.end_headers()
            for block in body:
                self.wfile.write(block)

    with ThreadingHTTPServer((host, 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        served.url = f"http://{host}:{server.server_port}"
        yield served
        server.shutdown()
