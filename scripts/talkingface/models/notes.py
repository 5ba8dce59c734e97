"""What is noted of a model beside its files: which they are, where each came from and when."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from talkingface.job.files import write_json
from talkingface.models.table import Digest, Model, ModelError
from talkingface.models.untrusted import quoted, read_object

logger = logging.getLogger(__name__)

NOTES = "model.json"
BY_HAND = "by hand"

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_notes(folder: Path) -> dict[str, Any]:
    """The notes in a model's folder: `revision`, `licence` and `files`; nothing without any.

    `files` has of every file `size` and `sha256`, and what else is said of it as text.
    Raises ModelError where the notes cannot be read or have not this shape.
    """
    path = folder / NOTES
    try:
        notes = read_object(path)
        files = notes.get("files", {})
        if not isinstance(files, dict):
            raise ValueError("`files` is no object")
        return {
            "model": _text(notes, "model"),
            "revision": _text(notes, "revision"),
            "licence": licence_text(notes.get("licence")),
            "files": {name: _file(name, file) for name, file in files.items()},
        }
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); delete it") from error
    except ValueError as error:
        raise ModelError(f"{path}: broken ({error}); delete it") from error


def write_notes(
    model: Model, digests: Mapping[str, Digest], origins: Mapping[str, str], folder: Path
) -> None:
    """Write down what the files of a model are, and for new ones, in `origins`, where they came
    from. A folder that cannot be written to is not an error."""
    before = read_notes(folder)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    noted = {}
    for name, file in digests.items():
        old = before.get("files", {}).get(name, {})
        same = (old.get("size"), old.get("sha256")) == (file.size, file.sha256)
        new = {**vars(file), "from": origins.get(name, BY_HAND), "at": now}
        noted[name] = old if same and name not in origins else new
    notes = {
        "model": model.name,
        "revision": model.revision,
        "licence": model.licence,
        "files": noted,
    }
    if notes == before:
        return
    try:
        write_json(notes, folder / NOTES)
    except OSError as error:
        logger.warning("%s: not written: %s", folder / NOTES, error.strerror)


def licence_text(stated: Any) -> str | None:
    """A licence as text: that of a model on the Hub, which may be several; None for no text."""
    several = stated if isinstance(stated, list) else [stated]
    return quoted(", ".join(name for name in several if isinstance(name, str))) or None


def _text(notes: Mapping[str, Any], key: str) -> str | None:
    value = notes.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"`{key}` is no text")
    return value


def _file(name: str, file: Any) -> dict[str, Any]:
    if not isinstance(file, dict):
        raise ValueError(f"{name!r:.80} is no object")
    size, sha256 = file.get("size"), file.get("sha256")
    if type(size) is not int or size < 0:
        raise ValueError(f"{name!r:.80} has no size")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"{name!r:.80} has no sha256")
    return {
        key: value for key, value in file.items() if key in ("size", "sha256") or type(value) is str
    }
