"""Real files, and real yt-dlp against a server on 127.0.0.1."""

import hashlib
import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

import av
import imageio_ffmpeg
import pytest
from yt_dlp import YoutubeDL
from yt_dlp.networking.exceptions import HTTPError

from helpers.settings import default_settings
from talkingface.download.download import (
    FINAL,
    RETRIED,
    STATUSES,
    TransientError,
    download,
    forget_unavailable,
)
from talkingface.download.errors import VideoUnavailable, wait_before_retry
from talkingface.download.limits import Limits, Meter
from talkingface.download.one_video import OneVideo
from talkingface.download.ytdlp_errors import classify_error
from talkingface.media.errors import UnreadableMedia
from talkingface.media.probe import probe

# Where a job runs is not download's affair.
SETTINGS = {key: value for key, value in default_settings("download").items() if key != "local"}
SETTINGS["private_addresses"] = True  # The server's.
TYPES = {
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".rss": "application/rss+xml",
    ".html": "text/html",
}


class Server:
    """Serves `files` by path with Range, and misbehaves as it is told for single paths."""

    def __init__(self):
        self.files = {}  # path -> bytes
        self.status = {}  # path -> status to answer with
        self.headers = {}  # path -> headers sent with such a status
        self.cut = {}  # path -> bytes after which a request without Range is cut off
        self.stalled = set()  # paths that are never answered
        self.cookie = {}  # path -> cookie without which it is forbidden
        self.seen = []  # (path, Range, Host)
        self.over = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                try:
                    server.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, request):
        path = unquote(urlsplit(request.path).path)
        wanted = request.headers.get("Range")
        self.seen.append((path, wanted, request.headers.get("Host")))
        if path in self.stalled:
            self.over.wait(20)
            return
        if self.cookie.get(path, "") not in (request.headers.get("Cookie") or ""):
            return self.refuse(request, 403)
        if path in self.status or path not in self.files:
            return self.refuse(request, self.status.get(path, 404), self.headers.get(path, {}))
        body = self.files[path]
        request.send_response(206 if wanted else 200)
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            first, last = int(first), int(last or len(body) - 1)
            request.send_header("Content-Range", f"bytes {first}-{last}/{len(body)}")
            body = body[first : last + 1]
        request.send_header("Content-Type", TYPES.get(Path(path).suffix, "application/x-none"))
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Last-Modified", "Wed, 01 May 2024 10:00:00 GMT")
        request.end_headers()
        request.wfile.write(body if wanted else body[: self.cut.get(path, len(body))])

    @staticmethod
    def refuse(request, status, headers=MappingProxyType({})):
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        if 300 <= status < 400:
            request.send_header("Location", "/good.mp4")
        request.end_headers()

    def ranges(self, path):
        return [wanted for seen, wanted, _ in self.seen if seen == path and wanted]

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder of media: 2 s of 320x180 at 30 fps with 44.1 kHz mono sound, and relatives."""
    folder = tmp_path_factory.mktemp("made")

    def ffmpeg(*arguments):
        program = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run([program, "-v", "error", "-y", *arguments], cwd=folder, check=True)

    ffmpeg(
        *("-f", "lavfi", "-i", "testsrc=s=320x180:r=30:d=2", "-f", "lavfi", "-i", "sine=d=2"),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "15", "-b:v", "800k"),
        *("-c:a", "aac", "good.mp4"),
    )
    ffmpeg("-display_rotation", "90", "-i", "good.mp4", "-c", "copy", "turned.mp4")
    ffmpeg("-i", "good.mp4", "-an", "-c", "copy", "picture.mp4")
    ffmpeg("-i", "good.mp4", "-vn", "-c", "copy", "sound.m4a")
    ffmpeg("-i", "good.mp4", "-frames:v", "1", "still.png")
    ffmpeg("-i", "good.mp4", "-frames:v", "1", "still.jpg")
    ffmpeg("-i", "good.mp4", "-frames:v", "1", "still.gif")
    ffmpeg("-i", "good.mp4", "-c", "copy", "-movflags", "faststart", "index_first.mp4")
    ffmpeg(
        *("-i", "sound.m4a", "-i", "still.jpg", "-map", "0:a", "-map", "1:v", "-c:v", "copy"),
        *("-disposition:v", "attached_pic", "covered.m4a"),
    )
    for name, source in (("v", "picture.mp4"), ("a", "sound.m4a")):
        ffmpeg(
            *("-i", source, "-c", "copy", "-f", "hls", "-hls_time", "1"),
            *("-hls_playlist_type", "vod", "-hls_segment_filename", f"{name}%d.ts", f"{name}.m3u8"),
        )
    whole = (folder / "good.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # the index is at the end
    first = (folder / "index_first.mp4").read_bytes()
    (folder / "half.mp4").write_bytes(first[: len(first) // 2])
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("this is no video\n" * 100)
    (folder / "text.txt").write_text("this is no video\n" * 100)
    return folder


@pytest.fixture
def get(tmp_path):
    """Download into tmp_path; fails at once where it would wait."""

    def get(source, **given):
        options = SETTINGS | {"attempt": 1, "tries": 1, "retries": 0, "timeout": 5, "backoff": 0}
        media, record = tmp_path / "raw/v.media", tmp_path / "v.json"
        return download(str(source), media, record, video_id="v", **options | given)

    get.media = tmp_path / "raw/v.media"
    get.record = tmp_path / "v.json"
    get.partial = tmp_path / "raw/.fetch-v.media"
    return get


def is_empty_file(path):
    return path.is_file() and not path.is_symlink() and path.stat().st_size == 0


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# Local files


def test_local_file_is_linked_and_recorded(made, get):
    good = made / "good.mp4"
    record = get(good)
    assert get.media.is_symlink() and os.readlink(get.media) == str(good)
    assert (record["status"], record["reason"]) == ("ok", None)
    provenance = record["provenance"]
    assert provenance["kind"] == "local" and provenance["path"] == str(good)
    assert provenance["sha256"] == sha256(good.read_bytes())
    assert provenance["size"] == good.stat().st_size
    assert provenance["mtime_ns"] == good.stat().st_mtime_ns
    video, audio = record["probe"]["video"], record["probe"]["audio"]
    assert (video["codec"], video["width"], video["height"]) == ("h264", 320, 180)
    assert (video["fps"], video["n_frames"], video["pix_fmt"]) == (30, 60, "yuv420p")
    assert (video["rotation"], video["display_width"], video["display_height"]) == (0, 320, 180)
    assert (audio["codec"], audio["sample_rate"], audio["channels"]) == ("aac", 44100, 1)
    assert record["probe"]["duration"] == pytest.approx(2, abs=0.05)
    assert record["probe"]["truncated"] is False
    assert json.loads(get.record.read_text()) == record
    keys = ["video_id", "source", "status", "reason", "value", "threshold", "tries"]
    assert list(record) == [*keys, "probe", "provenance"]


def test_second_run_writes_the_same_record(made, get):
    get(made / "good.mp4")
    before = get.record.read_bytes()
    get(made / "good.mp4")
    assert get.record.read_bytes() == before
    assert sorted(p.name for p in get.media.parent.iterdir()) == ["v.media"]


def test_relative_path_and_file_url(made, get, monkeypatch, tmp_path):
    name = "ein Gesicht #1 100% ü.mp4"
    shutil.copy(made / "good.mp4", tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for source in (name, (tmp_path / name).as_uri()):
        assert get(source)["status"] == "ok"
        assert os.readlink(get.media) == str(tmp_path / name)


def test_changed_file_changes_the_record(made, get, tmp_path):
    source = tmp_path / "changing.mp4"
    shutil.copy(made / "good.mp4", source)
    before = get(source)["provenance"]
    shutil.copy(made / "turned.mp4", source)
    after = get(source)
    assert after["provenance"]["sha256"] == sha256(source.read_bytes()) != before["sha256"]
    video = after["probe"]["video"]
    assert (video["rotation"], video["width"], video["height"]) == (90, 320, 180)
    assert (video["display_width"], video["display_height"]) == (180, 320)


def test_silent_film_is_a_video(made, get):
    record = get(made / "picture.mp4")
    assert record["status"] == "ok" and record["probe"]["audio"] is None


def test_file_that_ends_early_is_marked(made, get):
    record = get(made / "half.mp4")
    assert record["status"] == "ok" and record["probe"]["truncated"] is True


def test_missing_path_a_directory_and_a_circle(get, tmp_path):
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "nowhere.mp4": "no such file",
        "file/nowhere.mp4": "no such file",
        ".": "a directory, not a file",
        "round": "a link that leads in a circle",
        "pipe": "not a regular file",
        "x" * 300: "the name is too long",
    }.items():
        record = get(tmp_path / name, tries=3)
        assert (record["status"], record["reason"]) == ("missing", reason)
        assert record["probe"] is None and record["provenance"]["sha256"] is None
        assert is_empty_file(get.media)


def test_no_permission(get):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "secret.mp4"
        source.write_bytes(b"secret")
        source.chmod(0)
        closed, raw = Path(folder) / "closed", Path(folder) / "raw"
        closed.mkdir(0)
        raw.mkdir()
        for path in (Path(folder), raw):
            path.chmod(0o777)
        user = os.geteuid()
        if user == 0:  # root may read everything
            os.seteuid(65534)
        try:
            media, record = raw / "v.media", raw / "v.json"
            for path in (source, closed / "in_it.mp4"):
                made = download(str(path), media, record, video_id="v", attempt=1, **SETTINGS)
                said = (made["status"], made["reason"])
                assert said == ("missing", "no permission to read it")
        finally:
            os.seteuid(user)
            closed.chmod(0o700)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("empty.mp4", "empty file"),
        ("text.mp4", "not a media file (text)"),
        ("text.txt", "not a media file (text)"),
        ("cut.mp4", "no index (moov) in the file: it is truncated"),
        ("still.png", "a still image, not a video"),
        ("still.jpg", "a still image, not a video"),
        ("still.gif", "a still image, not a video"),
        ("sound.m4a", "no video stream"),
        ("covered.m4a", "no video stream"),
    ],
)
def test_broken_file(made, get, name, reason):
    record = get(made / name, tries=3)
    assert (record["status"], record["reason"], record["probe"]) == ("broken", reason, None)
    assert record["provenance"]["sha256"] == sha256((made / name).read_bytes())
    assert os.readlink(get.media) == str(made / name)


def test_a_local_playlist_opens_no_network(made, get, server, tmp_path):
    server.files["/v0.ts"] = (made / "v0.ts").read_bytes()
    source = tmp_path / "playlist.m3u8"
    source.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{server.url}/v0.ts\n#EXT-X-ENDLIST\n"
    )
    assert get(source)["status"] == "broken"
    with pytest.raises(UnreadableMedia):
        probe(source)
    assert server.seen == []


# Addresses


def test_direct_link(made, get, server):
    body = server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    record = get(f"{server.url}/good.mp4")
    assert (record["status"], record["reason"]) == ("ok", None)
    assert get.media.read_bytes() == body and not get.media.is_symlink()
    provenance = record["provenance"]
    assert (provenance["kind"], provenance["extractor"]) == ("url", "generic")
    assert provenance["url"] == provenance["webpage_url"] == f"{server.url}/good.mp4"
    assert (provenance["title"], provenance["upload_date"]) == ("good", "20240501")
    assert provenance["sha256"] == sha256(body) and provenance["size"] == len(body)
    assert provenance["tools"]["yt-dlp"]
    before = get.record.read_bytes()
    get(f"{server.url}/good.mp4")
    assert get.record.read_bytes() == before
    assert [p.name for p in get.media.parent.iterdir()] == ["v.media"]


def test_names_and_folders_that_look_like_templates(made, server, tmp_path):
    body = server.files["/ein Gesicht ü.mp4"] = (made / "good.mp4").read_bytes()
    folder = tmp_path / "100%(id)s $HOME ü"
    for name in ("ein Gesicht ü.mp4", "ein%20Gesicht%20%C3%BC.mp4"):
        media = folder / "v.media"
        record = download(
            f"{server.url}/{name}", media, folder / "v.json", video_id="v", attempt=1, **SETTINGS
        )
        assert record["status"] == "ok" and media.read_bytes() == body
        assert record["provenance"]["title"] == "ein Gesicht ü"
        assert [p.name for p in tmp_path.iterdir()] == [folder.name]


def test_redirect(made, get, server):
    server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    server.status["/moved"] = 302
    record = get(f"{server.url}/moved")
    assert record["status"] == "ok"
    assert record["provenance"]["webpage_url"] == f"{server.url}/good.mp4"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (404, "not_found"),
        (410, "removed"),
        (403, "refused"),
        (401, "refused"),
        (451, "geo_blocked"),
    ],
)
def test_refusal_is_a_result_at_once(get, server, code, status):
    server.status["/x.mp4"] = code
    record = get(f"{server.url}/x.mp4", attempt=1, tries=3, retries=2)
    assert record["status"] == status and record["reason"].startswith(f"HTTP {code} ")
    assert record["probe"] is None and is_empty_file(get.media)
    assert len(server.seen) == 1 and not get.partial.exists()


@pytest.mark.parametrize(
    ("code", "status"), [(500, "unavailable"), (503, "unavailable"), (429, "rate_limited")]
)
def test_server_error_is_transient_until_the_last_try(get, server, code, status):
    server.status["/x.mp4"] = code
    with pytest.raises(TransientError, match=f"HTTP {code}"):
        get(f"{server.url}/x.mp4", attempt=1, tries=2)
    assert not get.media.exists() and not get.record.exists()
    record = get(f"{server.url}/x.mp4", attempt=2, tries=2)
    assert record["status"] == status and record["reason"].startswith(f"HTTP {code}")
    assert record["tries"] == 2
    assert is_empty_file(get.media)


@pytest.mark.parametrize(("retry_after", "least"), [(None, 0.2), ("1", 1.0)])
def test_a_limited_rate_is_waited_out(get, server, retry_after, least):
    server.status["/x.mp4"] = 429
    if retry_after:
        server.headers["/x.mp4"] = {"Retry-After": retry_after}
    began = time.monotonic()
    with pytest.raises(TransientError) as caught:
        get(f"{server.url}/x.mp4", attempt=2, tries=3, backoff=0.1)
    assert least <= time.monotonic() - began < least + 0.9
    # Neither days nor for ever.
    assert wait_before_retry(caught.value, 1, 1e9) <= 600
    began = time.monotonic()
    get(f"{server.url}/x.mp4", attempt=3, tries=3, backoff=100)
    assert time.monotonic() - began < 5  # nobody tries again: nothing to wait for


def test_connection_refused(get):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x.mp4"
    with pytest.raises(TransientError):
        get(url, attempt=1, tries=2)
    record = get(url, attempt=2, tries=2)
    assert (record["status"], record["reason"]) == ("unavailable", "Connection refused")


def test_server_that_does_not_answer(get, server):
    server.stalled.add("/x.mp4")
    with pytest.raises(TransientError):
        get(f"{server.url}/x.mp4", attempt=1, tries=2, timeout=0.3)
    record = get(f"{server.url}/x.mp4", attempt=2, tries=2, timeout=0.3)
    assert (record["status"], record["reason"]) == ("unavailable", "timed out")


def test_cut_connection_is_resumed_by_the_next_try(made, get, server):
    body = server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    server.cut["/good.mp4"] = len(body) * 2 // 3
    with pytest.raises(TransientError):
        get(f"{server.url}/good.mp4", attempt=1, tries=2)
    assert not get.media.exists() and not get.record.exists()
    assert server.ranges("/good.mp4") == []
    [part] = get.partial.glob("*.part")
    arrived = part.stat().st_size
    assert 0 < arrived < len(body)
    record = get(f"{server.url}/good.mp4", attempt=2, tries=2)
    assert server.ranges("/good.mp4") == [f"bytes={arrived}-"]
    assert record["provenance"]["sha256"] == sha256(body) == sha256(get.media.read_bytes())
    assert not get.partial.exists()


def test_parts_of_another_source_are_not_continued(made, get, server):
    for name in ("/good.mp4", "/turned.mp4"):
        server.files[name] = (made / name[1:]).read_bytes()
    server.cut["/good.mp4"] = len(server.files["/good.mp4"]) * 2 // 3
    with pytest.raises(TransientError):
        get(f"{server.url}/good.mp4", attempt=1, tries=2)
    get(f"{server.url}/turned.mp4")
    assert server.ranges("/turned.mp4") == []
    assert get.media.read_bytes() == server.files["/turned.mp4"]


def test_separate_streams_of_a_dash_manifest_are_merged(made, get, server):
    for name in ("picture.mp4", "sound.m4a"):
        server.files[f"/{name}"] = (made / name).read_bytes()
    server.files["/both.mpd"] = b"""<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"
     profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
 <AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="800000" width="320"
   height="180" codecs="avc1.64000d"><BaseURL>picture.mp4</BaseURL></Representation></AdaptationSet>
 <AdaptationSet mimeType="audio/mp4"><Representation id="a" bandwidth="70000"
   codecs="mp4a.40.2"><BaseURL>sound.m4a</BaseURL></Representation></AdaptationSet>
</Period></MPD>"""
    record = get(f"{server.url}/both.mpd")
    assert record["status"] == "ok" and record["provenance"]["format"] == "v+a"
    check_both_streams(record, made, get)


def hls(made, server):
    for path in [*made.glob("*.ts"), made / "v.m3u8", made / "a.m3u8"]:
        server.files[f"/{path.name}"] = path.read_bytes()
    server.files["/both.m3u8"] = (
        b"#EXTM3U\n"
        b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a",DEFAULT=YES,URI="a.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,CODECS="avc1.64000d,mp4a.40.2",'
        b'AUDIO="a"\nv.m3u8\n'
    )


def test_separate_streams_of_an_hls_playlist_are_merged(made, get, server):
    hls(made, server)
    record = get(f"{server.url}/both.m3u8")
    assert record["status"] == "ok"
    check_both_streams(record, made, get)


def check_both_streams(record, made, get):
    assert record["probe"]["video"]["codec"] == "h264"
    assert record["probe"]["audio"]["codec"] == "aac"
    with av.open(str(made / "good.mp4")) as source, av.open(str(get.media)) as merged:
        wanted = [frame.to_ndarray() for frame in source.decode(video=0)]
        got = [frame.to_ndarray() for frame in merged.decode(video=0)]
    assert len(wanted) == len(got) == 60
    assert all((a == b).all() for a, b in zip(wanted, got, strict=True))


def test_missing_fragment_is_not_left_out(made, get, server):
    hls(made, server)
    del server.files["/v1.ts"]
    with pytest.raises(TransientError, match="404"):
        get(f"{server.url}/both.m3u8", attempt=1, tries=2)
    record = get(f"{server.url}/both.m3u8", attempt=2, tries=2)
    assert record["status"] == "unavailable" and is_empty_file(get.media)


def test_streams_that_cannot_be_merged(made, get, server):
    hls(made, server)
    for name in ("/a0.ts", "/a1.ts", "/a2.ts"):
        server.files[name] = b"noise" * 1000
    with pytest.raises(TransientError):
        get(f"{server.url}/both.m3u8", attempt=1, tries=2)
    record = get(f"{server.url}/both.m3u8", attempt=2, tries=2)
    assert record["status"] == "broken" and not get.partial.exists()


def ladder(made, server):
    """One film upright in two sizes, and what says so."""
    for height in (180, 320):
        server.files[f"/{height}.mp4"] = (made / "good.mp4").read_bytes()
    variants = (
        f"#EXT-X-STREAM-INF:BANDWIDTH={height}000,RESOLUTION={height}x{height * 16 // 9},"
        f'CODECS="avc1.64000d,mp4a.40.2"\n{height}.m3u8\n'
        for height in (180, 320, 720)
    )
    for height in (180, 320, 720):
        server.files[f"/{height}.m3u8"] = (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{height}.ts\n#EXT-X-ENDLIST\n"
        ).encode()
        server.files[f"/{height}.ts"] = (made / "v0.ts").read_bytes()
    server.files["/ladder.m3u8"] = ("#EXTM3U\n" + "".join(variants)).encode()


@pytest.mark.parametrize(("resolution", "taken"), [(None, 720), (719, 320), (320, 320), (100, 180)])
def test_the_shorter_side_is_capped(made, get, server, resolution, taken):
    ladder(made, server)
    record = get(f"{server.url}/ladder.m3u8", resolution=resolution)
    assert record["status"] == "ok"
    assert [path for path, *_ in server.seen if path.endswith(".ts")] == [f"/{taken}.ts"]


def test_no_such_format(made, get, server):
    ladder(made, server)
    record = get(f"{server.url}/ladder.m3u8", format="bv[height<100]", tries=3)
    assert record["status"] == "no_format"


def test_a_film_too_long_is_not_fetched_or_not_kept(made, get, server):
    server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    for limit, status in ((1.5, "too_long"), (3, "ok")):
        # This address says nothing of the duration, which is found out afterwards.
        record = get(f"{server.url}/good.mp4", max_duration=limit, tries=3)
        assert record["status"] == status
        assert is_empty_file(get.media) == (status == "too_long")
    said = {"duration": 7200.0, "extractor_key": "Generic"}
    meter = Meter(get.partial, Limits(None, None, None, None, 1, 1, 1, 1))
    with (
        OneVideo(get.partial, {"quiet": True}, 3600, meter, False) as ydl,
        pytest.raises(VideoUnavailable, match="7200 s, more than 3600"),
    ):
        ydl.process_info(said)


def test_a_file_too_large_is_given_up(made, get, server):
    body = server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    record = get(f"{server.url}/good.mp4", max_size=len(body) - 1, tries=3)
    assert record["status"] == "too_large" and str(len(body)) in record["reason"]
    assert is_empty_file(get.media) and not get.partial.exists()
    assert get(f"{server.url}/good.mp4", max_size=len(body))["status"] == "ok"


def test_subtitles_and_description_are_kept_on_request(made, get, server):
    server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    text = server.files["/en.vtt"] = b"WEBVTT\n\n00:00.000 --> 00:01.000\nGood evening.\n"
    server.files["/page.html"] = (
        b"<html><title>News</title><video><source src='good.mp4' type='video/mp4'>"
        b"<track kind='subtitles' srclang='en' src='en.vtt'></video></html>"
    )
    assert get(f"{server.url}/page.html")["status"] == "ok"
    assert [p.name for p in get.media.parent.iterdir()] == ["v.media"]
    record = get(f"{server.url}/page.html", subtitles=["en", "de"], info_json=True)
    assert record["status"] == "ok"
    names = sorted(p.name for p in get.media.parent.iterdir())
    assert names == ["v.en.vtt", "v.info.json", "v.media"]
    assert (get.media.parent / "v.en.vtt").read_bytes() == text
    described = json.loads((get.media.parent / "v.info.json").read_text())
    assert described["webpage_url"] == f"{server.url}/page.html"


def test_statuses_are_final_or_tried_again():
    assert set(FINAL) | set(RETRIED) == set(STATUSES) and not set(FINAL) & set(RETRIED)
    assert {"unavailable", "rate_limited", "bot_check", "age_check", "too_long"} <= set(RETRIED)


def test_what_another_try_may_cure_is_forgotten(tmp_path):
    records = {"a": "ok", "b": "unavailable", "c": "removed", "d": "too_long"}
    for name, status in records.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"status": status}))
    assert forget_unavailable(tmp_path / f"{name}.json" for name in "abcde") == ["b", "d"]
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["a", "c"]


def test_a_damaged_record_is_left_and_said(tmp_path, caplog):
    (tmp_path / "a.json").write_text('{"status": "unav')
    (tmp_path / "b.json").write_text('{"status": "unavailable"}')
    assert forget_unavailable(tmp_path / f"{name}.json" for name in "ab") == ["b"]
    assert (tmp_path / "a.json").exists() and "a.json: damaged (" in caplog.text


def test_live_stream_is_not_recorded(made, get, server):
    hls(made, server)
    server.files["/v.m3u8"] = server.files["/v.m3u8"].replace(b"#EXT-X-ENDLIST", b"")
    server.files["/v.m3u8"] = server.files["/v.m3u8"].replace(b"#EXT-X-PLAYLIST-TYPE:VOD\n", b"")
    record = get(f"{server.url}/v.m3u8", attempt=1, tries=3)
    assert record["status"] == "live"
    assert "/v0.ts" not in [path for path, _, _ in server.seen]


def test_page_without_video_and_list_of_videos(made, get, server):
    server.files["/page.html"] = b"<html><body>This video has moved.</body></html>"
    item = "<item><title>{0}</title><enclosure url='{1}/{0}.mp4' type='video/mp4'/></item>"
    items = "".join(item.format(name, server.url) for name in ("good", "turned"))
    server.files["/feed.rss"] = f"<rss><channel><title>f</title>{items}</channel></rss>".encode()
    server.files["/good.mp4"] = server.files["/turned.mp4"] = (made / "good.mp4").read_bytes()
    page = get(f"{server.url}/page.html", attempt=1, tries=3)
    assert page["status"] == "unsupported" and "Unsupported URL" in page["reason"]
    feed = get(f"{server.url}/feed.rss", attempt=1, tries=3)
    assert (feed["status"], feed["reason"]) == ("unsupported", "a list of videos, not one video")
    assert is_empty_file(get.media)
    server.files["/feed.rss"] = server.files["/feed.rss"].replace(
        item.format("turned", server.url).encode(), b""
    )
    assert get(f"{server.url}/feed.rss")["status"] == "ok"
    assert get("gopher://127.0.0.1/x.mp4", tries=3)["status"] == "unsupported"
    assert get("file://elsewhere/x.mp4", tries=3)["status"] == "unsupported"


def test_what_arrives_may_be_broken(made, get, server):
    body = server.files["/cut.mp4"] = (made / "cut.mp4").read_bytes()
    record = get(f"{server.url}/cut.mp4", attempt=1, tries=3)
    assert record["status"] == "broken" and "moov" in record["reason"]
    assert get.media.read_bytes() == body


def test_cookies_are_sent_and_their_file_is_left_alone(made, get, server, tmp_path):
    server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    server.cookie["/good.mp4"] = "key=secret"
    cookies = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tkey\tsecret\n"
    cookies.write_text(text)
    assert get(f"{server.url}/good.mp4")["status"] == "refused"
    assert get(f"{server.url}/good.mp4", cookies=cookies)["status"] == "ok"
    assert cookies.read_text() == text
    with pytest.raises(FileNotFoundError):
        get(f"{server.url}/good.mp4", cookies=tmp_path / "none.txt")


def test_proxy_and_rate_limit(made, get, server):
    body = server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    record = get("http://elsewhere.invalid/good.mp4", proxy=server.url, rate_limit=len(body) * 4)
    assert record["status"] == "ok"
    assert {host for _, _, host in server.seen} == {"elsewhere.invalid"}


def test_full_disk_is_an_error_of_this_machine(made, get, server):
    server.files["/good.mp4"] = (made / "good.mp4").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            get(f"{server.url}/good.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not get.media.exists() and not get.record.exists()


def test_expired_address_of_a_site_is_transient(server):
    server.status["/x.mp4"] = 403
    with YoutubeDL({"quiet": True}) as ydl, pytest.raises(HTTPError) as caught:
        ydl.urlopen(f"{server.url}/x.mp4")
    assert classify_error(caught.value, signed=False).status == "refused"
    assert isinstance(classify_error(caught.value, signed=True), TransientError)
