"""How much a download may take: real yt-dlp against servers that never end."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad

from helpers.settings import default_settings
from helpers.streaming_server import Answer, Served, drip, endless
from talkingface.download import limits
from talkingface.download.errors import Stopped, TransientError
from talkingface.download.limits import Limits, Meter

SETTINGS = {key: value for key, value in default_settings("download").items() if key != "local"}
HLS = {"Content-Type": "application/vnd.apple.mpegurl"}
HTML = {"Content-Type": "text/html"}
MEDIA = {"Content-Type": "video/mp4"}
KEY = b"sixteen bytes..."
MB = 1 << 20
LIST = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"


def packed(block: bytes) -> Callable[[], Iterator[bytes]]:
    """An endless gzip stream of one block again and again."""

    def body() -> Iterator[bytes]:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        while True:
            yield packer.compress(block) + packer.flush(zlib.Z_SYNC_FLUSH)

    return body


def refused(record: dict[str, Any], limit: float, status: str = "too_demanding") -> bool:
    """Whether a record says that something passed a limit, and by what."""
    return (
        record["status"] == status
        and record["threshold"] == limit
        and record["value"] > limit
        and f"{limit:.0f}" in record["reason"]
    )


# Pages


def test_pages_and_answers_without_end(get: Callable[..., dict[str, Any]], server: Served) -> None:
    text = b"<html><p>" + b"words " * 10000
    key = LIST.encode() + b'#EXT-X-KEY:METHOD=AES-128,URI="endless"\n'
    server.answers |= {
        "/endless": Answer(endless(text), HTML),
        "/packed": Answer(packed(text), HTML | {"Content-Encoding": "gzip"}),
        "/list": Answer(endless(b"#EXTM3U\n" + b"#EXTINF:1,\nx.ts\n" * 5000), HLS),
        "/error": Answer(endless(text), HTML, status=403),
        "/key.m3u8": Answer(key + b"#EXTINF:1,\nx.ts\n#EXT-X-ENDLIST\n", HLS),
        "/x.ts": Answer(b"x" * 1000),
    }
    for path in ("/endless", "/packed", "/list", "/error", "/key.m3u8"):
        assert refused(get(f"{server.url}{path}", max_page=2 * MB), 2 * MB), path
    # The body of a redirect is not read.
    server.answers["/moved"] = Answer(endless(text), {"Location": "/x.mp4"}, status=302)
    server.answers["/x.mp4"] = Answer(b"no video", MEDIA)
    assert get(f"{server.url}/moved")["status"] == "broken"


def test_lists_of_more_than_memory_holds(
    get: Callable[..., dict[str, Any]], server: Served
) -> None:
    dash = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT100S"><Period><AdaptationSet mimeType="video/mp4">'
        '<SegmentTemplate media="$Number$.mp4" duration="1" timescale="{}"/>'
        '<Representation id="v" bandwidth="1"/></AdaptationSet></Period></MPD>'
    )
    smooth = (
        '<SmoothStreamingMedia Duration="10"><StreamIndex Type="video" Url="{bitrate}">'
        '<QualityLevel Bitrate="1" FourCC="H264" CodecPrivateData=""/><c d="1" r="99999999999"/>'
        "</StreamIndex></SmoothStreamingMedia>"
    )
    xml = {"Content-Type": "application/dash+xml"}
    lines = LIST.encode() + b"#EXTINF:1,\nx\n" * 3000
    server.answers |= {
        "/x.mpd": Answer(dash.format(10**9).encode(), xml),
        # Written so that it is only seen once it is decoded.
        "/utf-7.mpd": Answer(
            dash.format(10**9).encode("utf-7"), {"Content-Type": "text/xml; charset=utf-7"}
        ),
        "/x.ism": Answer(smooth.encode(), {"Content-Type": "text/xml"}),
        "/x.m3u8": Answer(lines + b"#EXT-X-ENDLIST\n", HLS),
    }
    for path in server.answers:
        assert refused(get(f"{server.url}{path}", max_fragments=2000), 2000), path


CHILD = """
import json, resource, sys
from talkingface.download import ytdlp
from talkingface.download import limits
from talkingface.download.download import download
from talkingface.settings.load import check_config

given = json.loads(sys.argv[1])
options = check_config({})["download"] | given["options"]
del options["local"]
held = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + given["memory"],) * 2)
results = [
    download(source, given["media"], given["record"], video_id="v", attempt=1, **options)
    for source in given["sources"]
]
print(json.dumps([[r["status"], r["threshold"]] for r in results]))
"""


def test_the_defaults_bound_memory(server: Served, tmp_path: Path) -> None:
    text = b"<html><p>" + b"words " * 100_000
    server.answers |= {
        "/endless": Answer(endless(text), HTML),
        "/packed": Answer(packed(text * 10), HTML | {"Content-Encoding": "gzip"}),
        "/media": Answer(packed(bytes(MB)), MEDIA | {"Content-Encoding": "gzip"}),
    }
    given = {
        "memory": 400 * MB,
        "sources": [f"{server.url}{path}" for path in ("/endless", "/packed", "/media")],
        "media": str(tmp_path / "v.media"),
        "record": str(tmp_path / "v.json"),
        "options": {"private_addresses": True, "tries": 1, "max_size": 40 * MB},
    }
    done = subprocess.run(
        [sys.executable, "-c", CHILD, json.dumps(given)],
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    page = SETTINGS["max_page"]
    wanted = [["too_demanding", page], ["too_demanding", page], ["too_large", 40 * MB]]
    assert json.loads(done.stdout.splitlines()[-1]) == wanted


# Media


def test_bytes_count_as_they_lie_on_the_disk(
    get: Callable[..., dict[str, Any]], server: Served, tmp_path: Path
) -> None:
    secret = AES.new(KEY, AES.MODE_CBC, bytes(16)).encrypt(pad(bytes(MB), 16))
    pieces = "#EXTINF:1,\nx.ts\n" * 40
    key = '#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x0\n'
    server.answers |= {
        "/endless": Answer(endless(bytes(64 << 10)), MEDIA),
        "/packed": Answer(packed(bytes(MB)), MEDIA | {"Content-Encoding": "gzip"}),
        "/x.m3u8": Answer(f"{LIST}{key}{pieces}#EXT-X-ENDLIST\n".encode(), HLS),
        "/key": Answer(KEY),
        "/x.ts": Answer(secret),
    }
    for path in ("/endless", "/packed", "/x.m3u8"):
        record = get(f"{server.url}{path}", max_size=3 * MB)
        assert refused(record, 3 * MB, "too_large"), (path, record)
        assert record["value"] <= 5 * MB
        assert not (tmp_path / "raw/.fetch-v.media").exists()


def test_a_packed_body_of_allowed_size_is_unpacked(
    get: Callable[..., dict[str, Any]], server: Served
) -> None:
    body = gzip.compress(b"no video" * 100)
    server.answers["/x.mp4"] = Answer(body, MEDIA | {"Content-Encoding": "gzip"})
    record = get(f"{server.url}/x.mp4", max_size=800)
    assert record["status"] == "broken" and record["provenance"]["size"] == 800
    assert refused(get(f"{server.url}/x.mp4", max_size=799), 799, "too_large")


def test_a_fragment_is_bounded(get: Callable[..., dict[str, Any]], server: Served) -> None:
    server.answers |= {
        "/x.m3u8": Answer(f"{LIST}#EXTINF:1,\nx.ts\n#EXT-X-ENDLIST\n".encode(), HLS),
        "/x.ts": Answer(endless(bytes(64 << 10))),
    }
    record = get(f"{server.url}/x.m3u8", max_fragment=2 * MB)
    assert refused(record, 2 * MB) and record["value"] <= 5 * MB


# Time


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(drip(0.02), MEDIA), "bytes a second, less than 1000"),
        (Answer(drip(0.02), HTML), "bytes a second, less than 1000"),
        (Answer(head_pause=0.02, headers={"X": "x" * 10000}), "no answer in"),
    ],
    ids=["media", "page", "head"],
)
def test_single_bytes_for_ever(
    get: Callable[..., dict[str, Any]], server: Served, answer: Answer, words: str
) -> None:
    server.answers["/x"] = answer
    record = get(f"{server.url}/x", timeout=0.5)
    assert record["status"] == "unavailable" and words in record["reason"]


def test_an_endless_download_ends(get: Callable[..., dict[str, Any]], server: Served) -> None:
    server.answers["/x"] = Answer(drip(0.02, bytes(1000)), MEDIA)
    assert refused(get(f"{server.url}/x", max_time=1), 1)


def test_a_page_that_takes_for_ever_to_read(
    get: Callable[..., dict[str, Any]], server: Served
) -> None:
    """Which takes time that grows with its square: minutes for these 3 MB."""
    server.answers["/x"] = Answer(b"<html>" + b"<video " * 450_000, HTML)
    assert refused(get(f"{server.url}/x", max_lookup_time=1.5), 1.5)
    # The download is another matter.
    server.answers["/y"] = Answer(drip(0.02, bytes(1000)), MEDIA)
    record = get(f"{server.url}/y", max_lookup_time=2, max_time=2.5)
    assert refused(record, 2.5) and "download.max_time" in record["reason"]


def test_pace_is_taken_over_waiting_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    # A kilobyte a second at least, over 4 x 30 s of waiting.
    meter = Meter(tmp_path, Limits(None, None, None, 1000, 1, 1, 1, timeout=30))

    def piece(seconds: float, size: int, pause: float = 0) -> None:
        meter.begin_piece()
        clock[0] += seconds
        meter.end_piece(size)
        clock[0] += pause

    piece(121, 121_000)
    piece(60, 0, pause=10_000)  # Nobody is waited for.
    piece(61, 121_000)
    piece(119, 1)
    with pytest.raises(Stopped) as stopped:
        piece(2, 1)
    assert isinstance(stopped.value.failure, TransientError)
