"""One log file a job: everything a script prints, and the traceback when it fails."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SHOWN_LINES = 15


@contextmanager
def logged(path: str | Path) -> Iterator[None]:
    """Send standard output and error, also those of C libraries, to the file `path`.

    The log's last line is how long it took. An exception is written to the log; its last lines are
    shown on the terminal with the log's name, and the process exits with status 1.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.dup(2)
    with path.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    logging.basicConfig(
        level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True
    )
    began = time.monotonic()
    try:
        yield
    except BaseException:
        trace = traceback.format_exc()
        # The disk may be full; the terminal is to be told all the same.
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        printed = path.read_text(errors="replace")
        with suppress(OSError):
            sys.stderr.write(trace)
            sys.stderr.flush()
        lines = f"{printed}{trace}".splitlines()[-SHOWN_LINES:]
        message = "\n".join([f"{path}, last lines:", *(f"  {line}" for line in lines), ""])
        os.write(terminal, message.encode())
        raise SystemExit(1) from None
    sys.stdout.flush()
    logging.getLogger(__name__).info("done in %.1f s", time.monotonic() - began)
