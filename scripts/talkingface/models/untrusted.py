"""What others wrote, read with care: files that are plain files, and JSON of bounded size."""

from __future__ import annotations

import errno
import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

# Most bytes of a JSON file or answer: many times what notes, configs and answers of the Hub have.
MOST_JSON = 8 << 20
# Most characters of a word of theirs in a message.
MOST_QUOTED = 200


def open_plain(path: str | Path) -> BufferedReader:
    """Open a plain file for reading, without waiting for anybody.

    Raises OSError, also for a folder, a pipe, a socket or a device.
    """
    # Opening a pipe would wait for one who writes.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "a folder, not a file", str(path))
    raise OSError(errno.EINVAL, "a pipe or a device, not a file", str(path))


def read_object(path: str | Path) -> dict[str, Any]:
    """The object in a JSON file of at most MOST_JSON bytes.

    Raises OSError as `open_plain`, and ValueError as `parse_object`.
    """
    with open_plain(path) as file:
        return parse_object(file.read(MOST_JSON + 1))


def parse_object(data: bytes) -> dict[str, Any]:
    """The object in JSON of at most MOST_JSON bytes; ValueError says what is there instead."""
    if len(data) > MOST_JSON:
        raise ValueError(f"longer than {MOST_JSON:,} bytes")
    try:
        found = json.loads(data.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except ValueError as error:
        raise ValueError(f"no JSON: {quoted(error)}") from None
    if not isinstance(found, dict):
        raise ValueError(f"holds a {type(found).__name__}, not an object")
    return found


def quoted(words: Any) -> str:
    """What a stranger said, on one line of at most MOST_QUOTED characters that a terminal shows."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(words)[:10_000])
    line = " ".join(line.split())
    return line if len(line) <= MOST_QUOTED else f"{line[:MOST_QUOTED]}..."
