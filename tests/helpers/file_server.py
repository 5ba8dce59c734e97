"""A web server on 127.0.0.1 that serves the files of a folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@contextmanager
def file_server(folder: Path, port: int = 0, pause: float = 0) -> Iterator[str]:
    """Serve a folder as long as the context lasts; gives the address, without a slash at its end.

    `port` 0 is any free one. After every 32 KiB of a file the server waits for `pause` seconds.
    """

    class Handler(SimpleHTTPRequestHandler):
        def copyfile(self, source: Any, outputfile: Any) -> None:
            with suppress(ConnectionError):
                while block := source.read(32 << 10):
                    outputfile.write(block)
                    time.sleep(pause)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(
        ("127.0.0.1", port), partial(Handler, directory=str(folder))
    ) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
