"""Real requests to a server on 127.0.0.1."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import resource
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.loopback import Loopback
from talkingface.models.http import FetchError, fetch_file, read_json
from talkingface.models.table import Digest

BODY = random.Random(0).randbytes(300_000)
OTHER = bytes(reversed(BODY)) + b"more"
PATH = "/data/model.pth"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = Loopback()
    server.files[PATH] = BODY
    yield server
    server.close()


@pytest.fixture
def get(server: Loopback, tmp_path: Path) -> Callable[..., Digest]:
    """Fetch PATH to tmp_path/model.pth, without pauses."""

    def get(path: str = PATH, **options: Any) -> Digest:
        options = {"timeout": 5, "tries": 1, "pause": 0} | options
        return fetch_file(f"{server.url}{path}", tmp_path / "model.pth", **options)

    return get


@pytest.fixture
def content(tmp_path: Path) -> Callable[[], bytes | None]:
    """What was fetched; nothing else may be left beside it."""

    def content() -> bytes | None:
        names = [path.name for path in tmp_path.iterdir()]
        assert names in ([], ["model.pth"]), names
        return (tmp_path / "model.pth").read_bytes() if names else None

    return content


def test_whole_file(server, get, content) -> None:
    assert get(size=len(BODY), sha256=sha256(BODY)) == Digest(len(BODY), sha256(BODY))
    assert content() == BODY
    assert [(seen.range, seen.authorization) for seen in server.seen] == [(None, None)]


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
def test_a_refusal_is_final(server, get, content, code) -> None:
    server.status[PATH] = [code] * 9
    with pytest.raises(FetchError, match=f"HTTP {code} ") as error:
        get(tries=3)
    assert not error.value.transient and len(server.seen) == 1 and content() is None


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_server_that_cannot_now_is_asked_again(server, get, content, code) -> None:
    server.status[PATH] = [code] * 3
    with pytest.raises(FetchError, match=f"HTTP {code} ") as error:
        get(tries=3)
    assert error.value.transient and len(server.seen) == 3
    server.status[PATH] = [code] * 2
    get(tries=3)
    assert content() == BODY


def test_an_interrupted_file_is_resumed(server, get, content) -> None:
    server.cut[PATH] = [100_000, 50_000]
    get(tries=1)  # every try brings something new
    assert content() == BODY
    etag = f'"{server.etag(BODY)}"'
    assert [(seen.range, seen.if_range) for seen in server.seen] == [
        (None, None),
        ("bytes=100000-", etag),
        ("bytes=150000-", etag),
    ]


def test_a_later_call_goes_on(server, get, content, tmp_path) -> None:
    server.cut[PATH] = [120_000, 0]
    with pytest.raises(FetchError, match="ended after 120,000 of 300,000 bytes") as error:
        get()
    assert error.value.transient and not (tmp_path / "model.pth").exists()
    assert (tmp_path / ".fetch-model.pth").read_bytes() == BODY[:120_000]
    get()
    assert content() == BODY and server.seen[-1].range == "bytes=120000-"


def test_a_server_without_ranges_sends_all_again(server, get, content) -> None:
    server.ignores_range.add(PATH)
    server.cut[PATH] = [100_000, 200_000]
    get()
    assert content() == BODY
    assert [seen.range for seen in server.seen] == [None, "bytes=100000-", "bytes=200000-"]


def test_a_server_that_always_breaks_off_is_given_up(server, get) -> None:
    server.ignores_range.add(PATH)
    server.cut[PATH] = [100_000] * 9
    with pytest.raises(FetchError, match="ended after 100,000 of 300,000 bytes"):
        get(tries=3)
    assert len(server.seen) == 4  # the first one brought something


@pytest.mark.parametrize("marks", ["etag", "date"])
def test_a_file_that_changed_in_between_is_fetched_whole(server, get, content, marks) -> None:
    if marks == "date":
        server.weak.add(PATH)
    server.cut[PATH] = [100_000, 0]
    with pytest.raises(FetchError):
        get()
    server.files[PATH] = OTHER
    get()
    assert content() == OTHER
    marked = server.date(BODY) if marks == "date" else f'"{server.etag(BODY)}"'
    assert (server.seen[-1].range, server.seen[-1].if_range) == ("bytes=100000-", marked)


def test_a_server_that_does_not_know_if_range(server, get, content) -> None:
    server.ignores_if_range.add(PATH)
    server.cut[PATH] = [100_000, 0]
    with pytest.raises(FetchError):
        get()
    server.files[PATH] = OTHER
    get(tries=2)
    assert content() == OTHER
    assert [seen.range for seen in server.seen][-2:] == ["bytes=100000-", None]


def test_a_mixture_is_recognised_by_its_hash(server, get, content) -> None:
    server.nameless.add(PATH)
    server.files[PATH] = OTHER
    server.cut[PATH] = [100_000, 0]
    with pytest.raises(FetchError):
        get(sha256=sha256(BODY))
    server.files[PATH] = BODY
    get(sha256=sha256(BODY), tries=2)
    assert content() == BODY
    assert [seen.range for seen in server.seen][-2:] == ["bytes=100000-", None]


def test_nothing_is_continued_on_trust(server, get, content) -> None:
    """Without a name for the version and without a hash, a part may belong to another file."""
    server.nameless.add(PATH)
    server.cut[PATH] = [100_000]
    get(tries=2)
    assert content() == BODY and [seen.range for seen in server.seen] == [None, None]
    server.cut[PATH] = [100_000]
    get(sha256=sha256(BODY))
    assert content() == BODY and server.seen[-1].range == "bytes=100000-"


def test_parts_of_another_address_are_not_continued(server, get, content) -> None:
    server.files["/mirror"] = OTHER
    server.cut["/mirror"] = [100_000, 0]
    with pytest.raises(FetchError):
        get("/mirror")
    get()
    assert content() == BODY and server.seen[-1].range is None


def test_a_part_that_is_whole_already(server, get, content, tmp_path) -> None:
    """Killed between the last byte and the name."""
    server.cut[PATH] = [299_999, 0]
    with pytest.raises(FetchError):
        get()
    (tmp_path / ".fetch-model.pth").write_bytes(BODY)
    get()
    assert content() == BODY and server.seen[-1].range == "bytes=300000-"


def test_a_part_that_is_too_long(server, get, content, tmp_path) -> None:
    server.cut[PATH] = [299_999, 0]
    with pytest.raises(FetchError):
        get()
    (tmp_path / ".fetch-model.pth").write_bytes(BODY + b"x")
    get(tries=2)
    assert content() == BODY


def test_a_file_with_the_wrong_hash_is_refused(server, get, content) -> None:
    with pytest.raises(FetchError, match=f"another file .300,000 bytes, sha256 {sha256(BODY)}"):
        get(sha256=sha256(OTHER), tries=3)
    assert content() is None and len(server.seen) == 1


def test_a_file_of_the_wrong_size_is_not_even_read(server, get, content) -> None:
    server.stall[PATH] = [10]
    with pytest.raises(FetchError, match="another file .300,000 bytes"):
        get(size=299_999)
    assert content() is None
    server.chunked.add(PATH)
    server.stall.clear()
    with pytest.raises(FetchError, match="sends more than the 299,999 bytes that the file has"):
        get(size=299_999)
    assert content() is None


def test_a_web_page_is_no_model(server, get, content) -> None:
    server.types[PATH] = "text/html; charset=utf-8"
    with pytest.raises(FetchError, match="web page"):
        get()
    assert content() is None


@pytest.mark.parametrize("cut", [[], [1000]])
def test_a_body_without_length(server, get, content, cut) -> None:
    server.chunked.add(PATH)
    server.cut[PATH] = cut
    get(tries=2)
    assert content() == BODY


def test_no_data_for_too_long(server, get, content) -> None:
    server.stall[PATH] = [100_000, 0]
    began = time.monotonic()
    with pytest.raises(FetchError, match="timed out") as error:
        get(timeout=0.3)
    assert error.value.transient and 0.3 <= time.monotonic() - began < 3
    get(timeout=5)  # what had come before is kept
    assert content() == BODY and server.seen[-1].range == "bytes=100000-"


def test_no_answer_at_all(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(FetchError, match="timed out") as error:
            fetch_file(url, tmp_path / "x", timeout=0.2, tries=1)
    assert error.value.transient
    with pytest.raises(FetchError, match="refused") as error:
        fetch_file(url, tmp_path / "x", timeout=5, tries=1)
    assert error.value.transient
    with pytest.raises(FetchError):
        fetch_file("http://nowhere.invalid/x", tmp_path / "x", timeout=5, tries=1)


def test_redirects_keep_the_range_and_tell_others_no_token(server, get, content) -> None:
    elsewhere = Loopback()
    try:
        elsewhere.files["/blob"] = BODY
        elsewhere.cut["/blob"] = [100_000]
        server.redirect["/resolve"] = "/here"
        server.redirect["/here"] = f"{elsewhere.url}/blob"
        get("/resolve", token="secret")
        assert content() == BODY
        assert [seen.range for seen in elsewhere.seen] == [None, "bytes=100000-"]
        for path in ("/resolve", "/here"):
            assert [seen.authorization for seen in server.asked(path)] == ["Bearer secret"] * 2
        assert {seen.authorization for seen in elsewhere.seen} == {None}
    finally:
        elsewhere.close()


def test_a_full_disk(server, get, content, tmp_path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OSError) as error:
            get(tries=3)
        assert error.value.errno == errno.EFBIG and len(server.seen) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "model.pth").exists()
    get(sha256=sha256(BODY), tries=2)
    assert content() == BODY


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_an_untrusted_certificate_is_not_accepted(tmp_path, server) -> None:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1"
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *files], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    url = server.url.replace("http:", "https:") + PATH
    with pytest.raises(FetchError, match="certificate is not to be trusted") as error:
        fetch_file(url, tmp_path / "model.pth", timeout=5, tries=3, pause=0)
    assert not error.value.transient and server.seen == []


# What a server may do that is no server of models


def test_a_file_without_end_is_stopped(server, get, content) -> None:
    server.endless.add(PATH)
    with pytest.raises(
        FetchError, match="sends more than the 300,000 bytes that the file has"
    ) as error:
        get(size=len(BODY), sha256=sha256(BODY), tries=3)
    assert not error.value.transient and content() is None and len(server.seen) == 1
    with pytest.raises(FetchError, match="more than the 1,000,000 bytes that `max_model_size`"):
        get(most=1_000_000)
    assert content() is None


def test_a_file_that_says_it_is_too_long_is_not_begun(server, get, content) -> None:
    server.stall[PATH] = [10]
    with pytest.raises(FetchError, match="has 300,000 bytes, more than `max_model_size`"):
        get(most=299_999)
    with pytest.raises(FetchError, match="has 300,000 bytes, more than `max_model_size`"):
        get(most=299_999, size=300_000)
    assert content() is None
    get(most=300_000)
    assert content() == BODY


def test_a_file_for_which_there_is_no_space_is_not_begun(server, get, content) -> None:
    server.files[PATH] = b""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    server.raw[PATH] = head % 10**17
    with pytest.raises(OSError, match=r"100,000,000,000,000,000 bytes are needed, [\d,]+ are free"):
        get()
    assert content() is None


def test_a_byte_now_and_then_is_too_slow(server, get, tmp_path) -> None:
    server.drip[PATH] = 0.05
    with pytest.raises(FetchError, match=r"too slow: \d+ bytes in 0 s") as error:
        get(patience=0.2, tries=2)
    assert error.value.transient and len(server.seen) == 2
    assert (tmp_path / ".fetch-model.pth").stat().st_size < 50
    with pytest.raises(FetchError, match="too slow"):
        read_json(f"{server.url}{PATH}", patience=0.2)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab", "compressed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "sent nothing"),
        (b"HTTP/1.1 404 Not\x1b[2J\tfound\r\n\r\n", r"^HTTP 404 Not \[2J found$"),
        (b"HTTP/1.1 404 %s\r\n\r\n" % (b"no " * 9000), r"^HTTP 404 (no ){66}no\.\.\.$"),
        (b"HTTP/1.1 302 Found\r\nLocation: ftp://127.0.0.1/x\r\n\r\n", "another kind of address"),
        (b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n", "not allowed"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://[::1/x\r\n\r\n", "leads to no address"),
        (b"HTTP/1.1 416 No\r\nContent-Range: bytes */\xb2\r\n\r\n", "shorter"),
        (b"HTTP/1.1 416 No\r\nContent-Range: bytes */%s\r\n\r\n" % (b"9" * 5000), "shorter"),
        (b"HTTP/1.1 two\r\n\r\n", "two"),
        (b"\x00" * 70_000, "."),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "connection broke"),
    ],
)  # fmt: skip
def test_answers_of_any_shape(server, get, content, answer: bytes, words: str) -> None:
    server.raw[PATH] = answer
    with pytest.raises(FetchError, match=words) as error:
        get()
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("length", [b"-5", b"five", b"9" * 5000, b"\xb2"])
def test_a_length_that_is_no_number_is_not_known(server, get, content, length: bytes) -> None:
    server.raw[PATH] = b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nabc" % length
    assert get().size == 3 and content() == b"abc"


@pytest.mark.parametrize("state", [b"[]", b"[" * 200_000, b"\xff", b'{"url": 3, "validator": []}'])
def test_a_state_of_any_shape_is_none(server, get, content, tmp_path, state: bytes) -> None:
    (tmp_path / ".fetch-model.pth").write_bytes(b"something")
    (tmp_path / ".fetch-model.pth.json").write_bytes(state)
    get()
    assert content() == BODY and server.seen[-1].range is None


@pytest.mark.parametrize("name", [".fetch-model.pth", ".fetch-model.pth.json"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "link"])
def test_what_is_in_the_way_is_left_alone(server, get, tmp_path, name: str, kind: str) -> None:
    path, victim = tmp_path / name, tmp_path / "victim"
    victim.write_text("precious")
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link":
            path.symlink_to(victim)
    with pytest.raises(OSError, match=f"{name} is in the way"):
        get()
    assert victim.read_text() == "precious" and server.seen == []


def test_json(server) -> None:
    server.files["/api?blobs=true"] = b'{"sha": "abc"}'
    assert read_json(f"{server.url}/api?blobs=true", token="t") == {"sha": "abc"}
    assert server.seen[0].authorization == "Bearer t"
    server.files["/page"] = b"<html>"
    with pytest.raises(FetchError, match="JSON"):
        read_json(f"{server.url}/page")
    for words, body in {
        "holds a list, not an object": b"[]",
        "nested too deeply": b'{"a": ' + b"[" * 100_000,
        "not UTF-8": b'{"a": "\xff"}',
        "longer than 8,388,608 bytes": b'{"a": "' + bytes(9 << 20),
        "no JSON": b'{"a": ' + b"9" * 5000 + b"}",
    }.items():
        server.files["/page"] = body
        with pytest.raises(FetchError, match=words):
            read_json(f"{server.url}/page")
    server.endless.add("/page")
    with pytest.raises(FetchError, match="longer than 8,388,608 bytes"):
        read_json(f"{server.url}/page")
    server.endless.clear()
    server.stall["/page"] = [3]
    with pytest.raises(FetchError, match="timed out"):
        read_json(f"{server.url}/page", timeout=0.2)
