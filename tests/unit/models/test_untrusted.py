"""Files and JSON of strangers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from talkingface.models.table import digest
from talkingface.models.untrusted import MOST_JSON, open_plain, parse_object, quoted, read_object


def test_a_plain_file_and_a_link_to_one_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": [1, "é"]}', "utf-8")
    (tmp_path / "link").symlink_to("a.json")
    assert read_object(tmp_path / "link") == {"a": [1, "é"]}


@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "link to a pipe"])
def test_nothing_else_is_opened_and_nobody_is_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    match kind:
        case "folder":
            path.mkdir()
        case "device":
            path = Path("/dev/zero")
        case _:
            os.mkfifo(path)
            (tmp_path / "y").symlink_to(path)
            path = tmp_path / ("x" if kind == "pipe" else "y")
    words = "a folder, not" if kind == "folder" else "a pipe or a device, not"
    for read in (open_plain, read_object, digest):
        with pytest.raises(OSError, match=words):
            read(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[]", "holds a list"),
        (b"3", "holds a int"),
        (b"", "no JSON"),
        (b'{"a": 1', "no JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON: .*digits"),
        (b'{"a": "' + b"x" * MOST_JSON + b'"}', "longer than 8,388,608 bytes"),
    ],
)
def test_what_is_no_object_is_said(data: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_object(data)


def test_words_of_strangers_fit_a_line() -> None:
    assert quoted("a\x1b[2J\r\n\u202eb  c") == "a [2J b c"
    assert quoted("x" * 10**6) == "x" * 200 + "..."
    assert quoted(None) == "None"
