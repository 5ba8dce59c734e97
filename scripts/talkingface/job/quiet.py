"""Starting mediapipe without the lines that its libraries print."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Nothing is written to file descriptor 2 meanwhile; one thread at a time.

    absl, glog and TensorFlow Lite print banners there before any of their switches is read.
    """
    for name in ("GLOG_minloglevel", "TF_CPP_MIN_LOG_LEVEL"):
        os.environ.setdefault(name, "3")
    with _lock:
        try:
            saved = os.dup(2)
        except OSError:  # There is no standard error at all.
            yield
            return
        try:
            with open(os.devnull, "w") as sink:
                os.dup2(sink.fileno(), 2)
                yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
