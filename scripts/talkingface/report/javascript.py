"""Data files of the report page: scripts that a page may load from disk, where it may not fetch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from talkingface.job.files import atomic_path


def write_data(name: str, data: Any, path: str | Path) -> None:
    """Write a script that hands `data` to the page under `name`.

    `data`: what JSON can say; NaN and infinity are refused with ValueError. Text in it stays text
    whatever it is: the script is ASCII, and nothing in it can end it or begin markup.
    """
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    # A string that is parsed is read several times as fast as the same data as a literal.
    script = f"talkingface.receive({_literal(name)},JSON.parse({_literal(text)}));\n"
    with atomic_path(path) as partial:
        partial.write_text(script, encoding="ascii")


def _literal(text: str) -> str:
    """A text as a literal of JavaScript, in ASCII and without `<`."""
    return json.dumps(text).replace("<", "\\u003c")
