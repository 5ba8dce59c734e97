"""Files that lead to other files, each naming a real video that lies beside it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from helpers.synthetic import Film, make_film
from talkingface.media.audio import pcm_blocks, sound_format
from talkingface.media.container import open_media
from talkingface.media.errors import UnreadableMedia
from talkingface.media.formats import FORMATS, PLAYLIST_FORMATS
from talkingface.media.picture import write_picture
from talkingface.media.probe import probe
from talkingface.media.video import bgr_frames, first_timestamp
from talkingface.shots.proxy import encode_proxy

SHORT = Film(size=(64, 48), seconds=1, flashes=())
MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"
 profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet>
<Representation id="1" mimeType="video/mp4" codecs="avc1" bandwidth="1"><BaseURL>film.mp4</BaseURL>
<SegmentBase indexRange="0-0"/></Representation></AdaptationSet></Period></MPD>"""
PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile film.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfilm.ts\n#EXT-X-ENDLIST\n",
    "dash": MPD,
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "pls": "[playlist]\nFile1=film.mp4\nNumberOfEntries=1\n",
    "asx": '<asx version="3.0"><entry><ref href="film.mp4"/></entry></asx>',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path, SHORT)
    make_film(tmp_path, replace(SHORT, suffix=".ts"))
    return tmp_path


@pytest.mark.parametrize("suffix", [".media", ".m3u8", ".mp4"])
@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_is_no_video(folder: Path, name: str, suffix: str) -> None:
    path = folder / f"list{suffix}"
    path.write_text(PLAYLISTS[name])
    with pytest.raises(UnreadableMedia, match="a playlist, not a video"):
        probe(path)
    for read in (sound_format, first_timestamp, lambda p: [*bgr_frames(p)], open_media,
                 lambda p: [*pcm_blocks(p, rate=16_000, channels=1)]):  # fmt: skip
        with pytest.raises(UnreadableMedia, match="playlist"):
            read(path)
    # What was downloaded before formats were looked at is a result, too.
    proxy = encode_proxy(path, folder / "proxy.mp4", folder / "proxy.wav", long_side=64)
    assert (proxy.status, proxy.reason) == ("broken", "a playlist, not a video")


def test_pictures_in_a_row_are_not_opened_by_pattern(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (48, 64), np.uint8)
    for number in range(3):
        write_picture(noise, folder / f"a{number}.png")
    with pytest.raises(FileNotFoundError):
        probe(folder / "a%d.png")
    for number in range(3):
        with pytest.raises(UnreadableMedia, match="a still image, not a video"):
            probe(folder / f"a{number}.png")


@pytest.mark.parametrize(
    "name", ["http://127.0.0.1:9/film.mp4", "concat:film.mp4|film.mp4", "subfile,,start,0,end,9:x",
             "file:film.mp4", "lavfi:testsrc", "pipe:0", "fd:", "data:video/mp4;base64,AAAA"]
)  # fmt: skip
def test_a_name_is_a_file_and_never_an_address(folder: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        open_media(name)


def test_references_of_a_quicktime_movie_are_not_followed(folder: Path) -> None:
    """A `dref` entry may be an alias of another file, whose samples would be read as its own."""
    path = make_film(folder, replace(SHORT, suffix=".mov", sound=None), "alias")
    content = bytearray(path.read_bytes())
    at = content.index(b"dref") - 4
    # One entry `url ` with flag 1 (in this file) becomes `alis` without it: an external file.
    entry = content.index(b"url ", at)
    content[entry : entry + 8] = b"alis" + bytes(4)
    path.write_bytes(content)
    # Nothing but this file is read: what it has itself, or nothing.
    (folder / "film.mp4").unlink()
    assert probe(path).video.n_frames == 25


def test_formats_are_those_of_libav() -> None:
    assert len(set(FORMATS)) == len(FORMATS)
    for name in FORMATS:
        assert av.format.ContainerFormat(name, "r").is_input


@pytest.mark.parametrize("suffix", [".mxf", ".asf", ".nut", ".rm", ".ogg", ".m2v", ".h264", ".ivf",
                                    ".gif", ".dv", ".3gp", ".gxf", ".y4m"])  # fmt: skip
def test_formats_of_cameras_and_programs(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    size = "720x576" if suffix in (".dv", ".mxf", ".gxf") else "176x144"
    source = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d=0.4"]
    codec = {".ivf": ["-c:v", "libvpx"], ".ogg": ["-c:v", "libtheora"]}.get(suffix, [])
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, *codec, str(path)]
    if subprocess.run(command, check=False).returncode:
        pytest.skip(f"this ffmpeg writes no {suffix}")
    path = path.rename(tmp_path / "film.media")
    assert probe(path).video.width == int(size.partition("x")[0])


def test_texts_and_rubbish(tmp_path: Path) -> None:
    (tmp_path / "page.mp4").write_text("<html><body>Not found</body></html>\n" * 9)
    with pytest.raises(UnreadableMedia, match=r"not a media file \(text\)"):
        probe(tmp_path / "page.mp4")
    (tmp_path / "x.mp4").write_bytes(bytes(range(256)) * 9)
    with pytest.raises(UnreadableMedia, match="not a media file"):
        probe(tmp_path / "x.mp4")


def test_no_format_that_is_a_list_of_files_is_opened() -> None:
    """The first lock; with it open the others above would still hold."""
    assert not PLAYLIST_FORMATS & set(FORMATS)
    assert not any(name.endswith("_pipe") or name.startswith("image2") for name in FORMATS)
