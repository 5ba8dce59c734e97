"""The data files are read here as a browser reads them: a literal of text, then JSON in it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from talkingface.report.javascript import write_data

# What ends a script or begins another, ends a line in JavaScript but not in JSON, has no UTF-8, or
# ends a literal.
HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "line\u2028and\u2029paragraph",
    "half \ud800 a pair \udfff",
    "\"'`${alert(1)}\\",
    "\\u003c/script>",
    "\x00\x1b[31m\r\n",
    "\u202egnp.exe \U0001f600 Böb",
    "__proto__",
]


def received(script: str) -> tuple[str, Any]:
    """The name and the data that a data file hands to the page; it must be one plain call."""
    match = re.fullmatch(
        r'talkingface\.receive\(("(?:[^"\\\n]|\\.)*"),JSON\.parse\(("(?:[^"\\\n]|\\.)*")\)\);\n',
        script,
    )
    assert match
    return json.loads(match[1]), json.loads(json.loads(match[2]))


def test_text_from_outside_stays_text(tmp_path: Path) -> None:
    data = {"texts": HOSTILE, **{text: text for text in HOSTILE}}
    for name in ("run", *HOSTILE):
        write_data(name, data, tmp_path / "x.js")
        script = (tmp_path / "x.js").read_bytes()
        assert script.isascii() and b"<" not in script
        assert received(script.decode("ascii")) == (name, data)


def test_numbers_are_read_again_as_they_were(tmp_path: Path) -> None:
    data = [0.1 + 0.2, 5e-324, -1.7976931348623157e308, 2**53, 0, None, True]
    write_data("x", data, tmp_path / "x.js")
    assert received((tmp_path / "x.js").read_text())[1] == data


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_is_no_number_in_json_is_refused(tmp_path: Path, number: float) -> None:
    with pytest.raises(ValueError):
        write_data("x", [number], tmp_path / "x.js")
    assert not list(tmp_path.iterdir())
