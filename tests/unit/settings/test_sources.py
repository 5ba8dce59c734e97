"""What a source names."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkingface.settings.sources import (
    address,
    address_fault,
    canonical,
    is_like_address,
    local_path,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_paths(here: Path) -> None:
    assert local_path("a/b.mp4") == here / "a/b.mp4"
    assert local_path("/x/../a b.mp4") == Path("/a b.mp4")
    assert local_path("file:///a%20b%23.mp4") == Path("/a b#.mp4")
    assert local_path("a:b.mp4") == here / "a:b.mp4"
    assert local_path("{x}.mp4") == here / "{x}.mp4"
    assert local_path("/") == Path("/")
    assert local_path("example.org/x.mp4") == here / "example.org/x.mp4"
    assert local_path("www.talk.mp4") == here / "www.talk.mp4"


@pytest.mark.parametrize(
    ("source", "url"),
    [
        ("https://example.org/a.mp4", "https://example.org/a.mp4"),
        ("file://host/a.mp4", "file://host/a.mp4"),
        ("file://[::1/x", "file://[::1/x"),
        ("youtube:dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ"),
        ("www.example.co.uk/x", "https://www.example.co.uk/x"),
        ("//www.example.org:8080/x", "https://www.example.org:8080/x"),
        ("youtu.be/dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcQ"),
        ("m.youtube.com/watch?v=x", "https://m.youtube.com/watch?v=x"),
        ("YouTube.com/watch?v=x", "https://YouTube.com/watch?v=x"),
    ],
)
def test_addresses(source: str, url: str) -> None:
    assert local_path(source) is None and address(source) == url
    canonical(source)


def test_a_mirror_of_a_site_is_local(here: Path) -> None:
    (here / "www.example.org").mkdir()
    # Also where the file is missing: the folder says what is meant.
    assert local_path("www.example.org/x.mp4") == here / "www.example.org/x.mp4"
    assert local_path("www.example.com/x.mp4") is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://[::1/x", "Invalid IPv6"),
        ("file://[::1/x", "Invalid IPv6"),
        ("https://example.org:99999/", "ort"),
        ("https:///x", "no host"),
        ("https://?x", "no host"),
        (f"https://{'a' * 64}.org/", "longer"),
        (f"https://{'a.' * 130}org/", "longer"),
    ],
)
def test_what_is_wrong_with_an_address(url: str, words: str) -> None:
    assert words in str(address_fault(url))


def test_good_addresses_have_no_fault() -> None:
    for url in ("https://example.org/[x]", "http://[::1]:80/x", "https://bücher.example/?a=b#c"):
        assert address_fault(url) is None


def test_what_may_be_meant_for_an_address() -> None:
    for source in ("example.org/x.mp4", "https:/example.org/x", "a.example.org:80/"):
        assert is_like_address(source)
    for source in ("x.mp4", "talk.mov", "folder/x.mp4", "/example.org/x.mp4", "./a.b/x", "a.b1/x"):
        assert not is_like_address(source)
