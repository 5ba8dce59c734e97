"""Where a stranger's page may lead: real yt-dlp and ffmpeg, and servers on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from Cryptodome.Cipher import AES
from Cryptodome.Util.Padding import pad
from yt_dlp import YoutubeDL

from helpers.streaming_server import Answer, Served, streaming_server
from talkingface.download import addresses, network, ytdlp
from talkingface.download.download import TransientError
from talkingface.download.ytdlp import OF_FILES, _alone, _js_runtimes

HLS = "application/vnd.apple.mpegurl"
KEY = b"sixteen bytes..."


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of MPEG-TS, with sound."""
    path = tmp_path_factory.mktemp("film") / "film.ts"
    made = [imageio_ffmpeg.get_ffmpeg_exe(), *("-v", "error", "-f", "lavfi")]
    made += [*("-i", "testsrc=s=64x64:r=25:d=1", "-f", "lavfi", "-i", "sine=d=1")]
    made += [*("-pix_fmt", "yuv420p"), str(path)]
    subprocess.run(made, check=True)
    return path.read_bytes()


def playlist(*lines: str) -> Answer:
    text = "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:1", *lines, "#EXT-X-ENDLIST", ""])
    return Answer(text.encode(), {"Content-Type": HLS})


def master(*lines: str) -> Answer:
    return Answer("\n".join(["#EXTM3U", *lines, ""]).encode(), {"Content-Type": HLS})


# Addresses of one's own network


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::1]"])
def test_this_machine_is_refused_unless_allowed(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes, host: str
) -> None:
    server.answers["/x.ts"] = Answer(film, {"Content-Type": "video/mp2t"})
    url = f"{server.url}/x.ts".replace("127.0.0.1", host)
    record = get(url, private_addresses=False)
    assert record["status"] == "own_network"
    assert "download.private_addresses" in record["reason"]
    assert get(url.replace("http:", "https:"), private_addresses=False) == record | {
        "source": url.replace("http:", "https:"),
        "provenance": record["provenance"] | {"url": url.replace("http:", "https:")},
    }
    assert server.seen == []
    assert get(f"{server.url}/x.ts")["status"] == "ok"


@pytest.fixture
def only_first_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for the internet, all else of this machine for one's own network."""

    def told(address: str) -> bool:
        return address == "127.0.0.1"

    monkeypatch.setattr(addresses, "is_public", told)
    monkeypatch.setattr(network, "is_public", told)


@pytest.mark.usefixtures("only_first_is_public")
def test_neither_redirects_nor_playlists_nor_keys_lead_there(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes
) -> None:
    server.answers["/x.ts"] = Answer(film, {"Content-Type": "video/mp2t"})
    assert get(f"{server.url}/x.ts", private_addresses=False)["status"] == "ok"
    with streaming_server("127.0.0.2") as own:
        own.answers |= {"/x.ts": Answer(film), "/key": Answer(KEY), "/p.m3u8": playlist("x.ts")}
        server.answers |= {
            "/moved": Answer(headers={"Location": f"{own.url}/x.ts"}, status=302),
            "/fragment.m3u8": playlist("#EXTINF:1,", f"{own.url}/x.ts"),
            "/key.m3u8": playlist(
                f'#EXT-X-KEY:METHOD=AES-128,URI="{own.url}/key"', "#EXTINF:1,", "x.ts"
            ),
            "/map.m3u8": playlist(f'#EXT-X-MAP:URI="{own.url}/x.ts"', "#EXTINF:1,", "x.ts"),
            "/master.m3u8": master("#EXT-X-STREAM-INF:BANDWIDTH=1", f"{own.url}/p.m3u8"),
        }
        for path in ("/moved", *(path for path in server.answers if path.endswith("m3u8"))):
            record = get(f"{server.url}{path}", private_addresses=False)
            assert record["status"] == "own_network", (path, record)
        assert own.seen == []


@pytest.mark.parametrize(
    ("target", "status", "words"),
    [
        ("http://[::1/x", "unsupported", "no address"),
        ("file:///etc/hostname", "unsupported", "file:"),
        ("/moved", "refused", "without end"),
    ],
)
def test_redirects_that_lead_nowhere_say_so(
    get: Callable[..., dict[str, Any]], server: Served, target: str, status: str, words: str
) -> None:
    server.answers["/moved"] = Answer(headers={"Location": target}, status=302)
    record = get(f"{server.url}/moved")
    assert record["status"] == status and words in record["reason"]


@pytest.mark.usefixtures("only_first_is_public")
def test_a_name_that_changes_its_address_is_refused_before_a_byte_is_sent(
    get: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The look-up says nothing, the connection is made to an address that is not public.
    monkeypatch.setattr(network, "first_private", lambda host, ask: None)
    with streaming_server("127.0.0.2") as own:
        record = get(f"{own.url}/x.ts", private_addresses=False)
        assert record["status"] == "own_network" and own.seen == []


def test_behind_a_proxy_written_addresses_are_refused(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes
) -> None:
    server.answers |= {
        "/x.ts": Answer(film, {"Content-Type": "video/mp2t"}),
        "/moved": Answer(headers={"Location": "http://169.254.169.254/x.ts"}, status=302),
    }
    options = {"proxy": server.url, "private_addresses": False}
    assert get("http://elsewhere.invalid/x.ts", **options)["status"] == "ok"
    seen = len(server.seen)
    for host in ("169.254.169.254", "localhost", "[::1]", "10.1"):
        assert get(f"http://{host}/x.ts", **options)["status"] == "own_network"
    assert len(server.seen) == seen
    assert get("http://elsewhere.invalid/moved", **options)["status"] == "own_network"
    assert server.seen[seen:] == ["/moved"]


# Other schemes


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_only_http_is_spoken(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes, target: str
) -> None:
    server.answers |= {
        "/x.ts": Answer(film, {"Content-Type": "video/mp2t"}),
        "/moved": Answer(headers={"Location": target}, status=302),
        "/fragment.m3u8": playlist("#EXTINF:1,", target),
        "/key.m3u8": playlist(f'#EXT-X-KEY:METHOD=AES-128,URI="{target}"', "#EXTINF:1,", "x.ts"),
    }
    for path in ("/moved", "/fragment.m3u8", "/key.m3u8"):
        record = get(f"{server.url}{path}")
        assert record["status"] == "unsupported", (path, record)


# Other programs


def test_encrypted_streams_are_read_without_ffmpeg(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes, tmp_path: Path
) -> None:
    secret = AES.new(KEY, AES.MODE_CBC, bytes(16)).encrypt(pad(film, 16))
    server.answers |= {"/x.ts": Answer(secret), "/key": Answer(KEY)}
    server.answers["/key.m3u8"] = playlist(
        '#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x0', "#EXTINF:1,", "x.ts"
    )
    record = get(f"{server.url}/key.m3u8")
    assert record["status"] == "ok" and record["probe"]["video"]["width"] == 64
    # What yt-dlp would leave to ffmpeg, which goes anywhere.
    server.answers["/sample.m3u8"] = playlist(
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key",IV=0x0', "#EXTINF:1,", "x.ts"
    )
    seen = server.seen.count("/x.ts")
    assert get(f"{server.url}/sample.m3u8")["status"] == "unsupported"
    assert server.seen.count("/x.ts") == seen


def test_no_plugins_and_no_programs_of_the_users(
    server: Served, film: bytes, tmp_path: Path
) -> None:
    server.answers["/x.m3u8"] = playlist("#EXTINF:1,", "x.ts")
    server.answers["/x.ts"] = Answer(film)
    ran = tmp_path / "ran"
    plugins = tmp_path / "yt_dlp_plugins/extractor"
    plugins.mkdir(parents=True)
    (plugins / "mine.py").write_text(f"open({str(ran)!r}, 'a').write('plugin')\n")
    config = tmp_path / "config/yt-dlp"
    config.mkdir(parents=True)
    (config / "config").write_text(f"--exec 'touch {ran}'\n--downloader aria2c\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("aria2c", "ffmpeg", "ffprobe", "deno", "node", "phantomjs", "rtmpdump", "curl"):
        (programs / name).write_text(f"#!/bin/sh\necho {name} >> {ran}\n")
        (programs / name).chmod(0o755)
    script = (
        "import sys; sys.path[:0] = sys.argv[4:]\n"
        "from talkingface.download.download import download\n"
        "from talkingface.settings.load import check_config\n"
        "options = check_config({})['download'] | {'private_addresses': True, 'tries': 1}\n"
        "del options['local']\n"
        "record = download(*sys.argv[1:4], video_id='v', attempt=1, **options)\n"
        "assert record['status'] == 'ok', record\n"
    )
    given = [f"{server.url}/x.m3u8", tmp_path / "v.media", tmp_path / "v.json"]
    subprocess.run(
        [sys.executable, "-c", script, *given, *(path for path in sys.path if path)],
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "PYTHONPATH": str(tmp_path),
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        },
        check=True,
        timeout=60,
    )
    assert not ran.exists()


def test_only_a_program_that_is_asked_for_runs_scripts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert _js_runtimes(None) == {}
    assert _js_runtimes("/opt/qjs") == {"quickjs": {"path": "/opt/qjs"}}
    (tmp_path / "deno").write_text("#!/bin/sh\necho deno 2.5.0\n")
    (tmp_path / "deno").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    runtimes = _js_runtimes("deno")
    assert runtimes == {"deno": {"path": str(tmp_path / "deno")}}
    with _alone(), YoutubeDL({"quiet": True, "js_runtimes": runtimes}) as ydl:
        assert ydl._js_runtimes["deno"].info.version == "2.5.0"


def test_ffmpeg_opens_what_leads_to_no_other_file(film: bytes, tmp_path: Path) -> None:
    (tmp_path / "own.ts").write_bytes(film)
    (tmp_path / "list").write_text("ffconcat version 1.0\nfile own.ts\n")
    ffmpeg = (imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y")
    made = tmp_path / "made.mkv"

    def copy(source: str, *options: str) -> bool:
        command = [*ffmpeg, *options, "-i", source, "-c", "copy", str(made)]
        return subprocess.run(command, cwd=tmp_path, stderr=subprocess.PIPE).returncode == 0

    assert copy("list"), "ffmpeg follows such lists of its own accord"
    assert not copy("list", *OF_FILES)
    assert copy("own.ts", *OF_FILES)


def test_ffmpeg_is_told_so_when_streams_are_merged(
    get: Callable[..., dict[str, Any]],
    server: Served,
    film: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [("video/mp4", "v", "avc1.64000d"), ("audio/mp4", "a", "mp4a.40.2")]
    sets = "".join(
        f'<AdaptationSet mimeType="{kind}"><Representation id="{name}" bandwidth="1" '
        f'codecs="{codecs}"><BaseURL>{name}.mp4</BaseURL></Representation></AdaptationSet>'
        for kind, name, codecs in parts
    )
    manifest = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        f'mediaPresentationDuration="PT1S"><Period>{sets}</Period></MPD>'
    )
    server.answers |= {
        "/x.mpd": Answer(manifest.encode(), {"Content-Type": "application/dash+xml"}),
        "/v.mp4": Answer(film),
        "/a.mp4": Answer(film),
    }
    assert get(f"{server.url}/x.mpd")["status"] == "ok"
    monkeypatch.setattr(ytdlp, "OF_FILES", ("-format_whitelist", "wav"))
    assert get(f"{server.url}/x.mpd")["status"] == "broken"


# What a site says


def test_the_words_of_a_site_are_one_clean_short_line(
    get: Callable[..., dict[str, Any]], server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.answers["/x"] = Answer(status=404, reason="Not\x1b[2J\u009b31m here " + "!" * 5000)
    record = get(f"{server.url}/x")
    assert record["status"] == "not_found" and record["reason"].startswith("HTTP 404 Not here !!")
    title = "A\x1b[31m\u202etitle\u0085"
    server.answers["/page"] = Answer(
        f"<html><title>{title}</title><video src='none.mp4'></video></html>".encode(),
        {"Content-Type": "text/html; charset=utf-8"},
    )
    get(f"{server.url}/page")
    for line in [record["reason"], *(entry.getMessage() for entry in caplog.records)]:
        assert line.isprintable() and len(line) <= 1000


def test_a_failure_is_told_without_a_sites_own_words(
    get: Callable[..., dict[str, Any]], server: Served
) -> None:
    server.answers["/x"] = Answer(status=503, reason="\x1b[2JBusy " + "!" * 5000)
    with pytest.raises(TransientError) as caught:
        get(f"{server.url}/x", tries=2, backoff=0)
    told = "".join(traceback.format_exception(caught.value))
    assert "HTTP 503 Busy !!!" in told
    assert "\x1b" not in told and "!" * 500 not in told


def test_titles_are_exact_in_the_record(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes
) -> None:
    said = r"A\ud83d title\u202e of \u001b[31m" + "x" * 600
    server.answers |= {
        "/page": Answer(
            b'<html><script type="application/ld+json">{"@context": "https://schema.org", '
            b'"@type": "VideoObject", "name": "%b", "contentUrl": "%b/x.ts"}</script></html>'
            % (said.encode(), server.url.encode()),
            {"Content-Type": "text/html; charset=utf-8"},
        ),
        "/x.ts": Answer(film, {"Content-Type": "video/mp2t"}),
    }
    record = get(f"{server.url}/page", info_json=True)
    assert record["status"] == "ok"
    assert record["provenance"]["title"] == json.loads(f'"{said}"')


def test_answers_of_any_shape_are_results(
    get: Callable[..., dict[str, Any]], server: Served
) -> None:
    manifest = (
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet mimeType="video/mp4">'
        '<SegmentTemplate media="$Time$"><SegmentTimeline><S d="x"/></SegmentTimeline>'
        '</SegmentTemplate><Representation id="a"/></AdaptationSet></Period></MPD>'
    )
    server.answers |= {
        "/numbers.mpd": Answer(manifest.encode(), {"Content-Type": "application/dash+xml"}),
        "/deep": Answer(b"<html>" + b"<a>" * 100_000, {"Content-Type": "text/html"}),
        "/nothing": Answer(b"", {"Content-Type": "text/html"}),
        "/later": Answer(status=429, headers={"Retry-After": "\u00b2"}),
        "/round": Answer(
            headers={"Content-Type": "text/html"},
            body=b"<html><meta http-equiv='refresh' content='0; url=/round?'></html>",
        ),
    }
    for path in server.answers:
        record = get(f"{server.url}{path}")
        assert record["status"] not in ("ok", "broken"), (path, record)
        assert record["reason"]


def test_names_longer_than_a_file_may_have(
    get: Callable[..., dict[str, Any]], server: Served, film: bytes
) -> None:
    for letters in (300, 5000):
        server.answers["/m.m3u8"] = master(
            f'#EXT-X-MEDIA:TYPE=VIDEO,GROUP-ID="{"g" * letters}",NAME="{"n" * letters}",'
            'DEFAULT=YES,URI="x.m3u8"',
            f'#EXT-X-STREAM-INF:BANDWIDTH=1,VIDEO="{"g" * letters}"',
            "x.m3u8",
        )
        server.answers["/x.m3u8"] = playlist("#EXTINF:1,", "x.ts")
        server.answers["/x.ts"] = Answer(film)
        assert get(f"{server.url}/m.m3u8")["status"] == "ok"
