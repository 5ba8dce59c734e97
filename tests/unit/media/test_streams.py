"""Which streams are read, of files with several; each has a tone or a colour of its own."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from talkingface.media.audio import read_wav
from talkingface.media.errors import UnreadableMedia
from talkingface.media.limits import MediaSettings
from talkingface.media.probe import probe
from talkingface.media.video import bgr_frames
from talkingface.shots.proxy import Proxy, encode_proxy, read_proxy, write_proxy

RATE = 16_000


def make(path: Path, colours: str, tones: str, *options: str, rates: str = "") -> Path:
    """A second of video: streams of these colours (r, g, b) and tones (4 is 400 Hz)."""
    inputs: list[str] = []
    for colour in colours:
        name = {"r": "red", "g": "green", "b": "blue"}[colour]
        inputs += ["-f", "lavfi", "-i", f"color={name}:s=64x48:r=25:d=1"]
    for tone in tones:
        inputs += ["-f", "lavfi", "-i", f"sine=frequency={tone}00:sample_rate=48000:d=1"]
    maps = [arg for n in range(len(colours + tones)) for arg in ("-map", str(n))]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *inputs, *maps, *options, str(path)]
    subprocess.run(command, check=True)
    return path


def read(path: Path, **settings: int) -> tuple[str, int, Proxy]:
    """The colour and the tone of a video's copy, and its record."""
    copy, sound = path.with_name("copy.mp4"), path.with_name("copy.wav")
    proxy = encode_proxy(path, copy, sound, long_side=64, settings=MediaSettings(**settings))
    if proxy.status != "ok":
        return "", 0, proxy
    picture = next(iter(bgr_frames(copy)))[1]
    samples = read_wav(sound)[: RATE // 2].astype(float)
    tone = int(np.abs(np.fft.rfft(samples)).argmax()) * 2
    return "bgr"[int(picture.mean(axis=(0, 1)).argmax())], round(tone / 100), proxy


def test_the_default_goes_before_the_first(tmp_path: Path) -> None:
    marked = ("-disposition:v:1", "default", "-disposition:v:0", "0")
    marked += ("-disposition:a:0", "0", "-disposition:a:1", "default")
    path = make(tmp_path / "a.mkv", "rg", "47", *marked)
    assert read(path)[:2] == ("g", 7)
    assert (probe(path).video.number, probe(path).audio.number) == (1, 1)
    plain = make(tmp_path / "b.mkv", "rg", "47", *("-disposition:v", "0", "-disposition:a", "0"))
    assert read(plain)[:2] == ("r", 4)


def test_a_cover_is_no_picture_even_by_number(tmp_path: Path) -> None:
    cover = ("-c:v:0", "mjpeg", "-disposition:v:0", "attached_pic")
    path = make(tmp_path / "a.mp4", "rg", "4", *cover)
    assert read(path)[:2] == ("g", 4)
    _, _, proxy = read(path, video_stream=1)  # MP4 has covers last.
    assert (proxy.status, proxy.reason) == ("no_stream", "video stream 1 is a cover picture")


def test_sound_of_the_same_programme(tmp_path: Path) -> None:
    """The other programme's sound has twice the bit rate, by which libav would choose it."""
    options = ("-c:v", "mpeg2video", "-c:a", "aac", "-b:a:0", "64k", "-b:a:1", "192k")
    options += ("-program", "program_num=1:st=0:st=2", "-program", "program_num=2:st=1:st=3")
    path = make(tmp_path / "a.ts", "rg", "47", *options)
    assert read(path)[:2] == ("r", 4)
    assert read(path, video_stream=1)[:2] == ("g", 7)


def test_streams_by_number(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", "rg", "457")
    assert read(path, audio_stream=2)[:2] == ("r", 7)
    assert read(path, video_stream=1, audio_stream=1)[:2] == ("g", 5)
    _, _, proxy = read(path, audio_stream=3)
    assert proxy.status == "no_stream" and (proxy.value, proxy.threshold) == (3, 3)
    assert proxy.reason == "there is no audio stream 3: the file has 3, counted from 0"
    assert read(path, video_stream=2)[2].status == "no_stream"
    silent = make(tmp_path / "b.mkv", "r", "")
    assert read(silent)[2].status == "no_audio"
    assert read(silent, audio_stream=0)[2].status == "no_stream"


def test_the_record_says_which_streams_were_read(tmp_path: Path) -> None:
    path = make(tmp_path / "a.mkv", "rg", "47")
    proxy = read(path, audio_stream=1)[2]
    assert (proxy.reading.video_stream, proxy.reading.audio_stream) == (0, 3)
    write_proxy(proxy, tmp_path / "record.json")
    assert read_proxy(tmp_path / "record.json").reading == proxy.reading


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        ({"max_pixels": 64 * 48 - 1}, 64 * 48),
        ({"max_sample_rate": 44_100}, 48_000),
        ({"max_channels": 5}, 6),
        ({"max_streams": 2}, 3),
    ],
    ids=str,
)
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts", ".avi"])
def test_what_claims_too_much(tmp_path: Path, suffix: str, limits: dict, value: int) -> None:
    audio = ("-c:a", "ac3", "-ac", "6", "-c:v", "mpeg4" if suffix == ".avi" else "mpeg2video")
    path = make(tmp_path / f"a{suffix}", "r", "44", *audio)
    (key, limit), *_ = limits.items()
    with pytest.raises(UnreadableMedia, match=f"more than {limit} .media.{key}") as error:
        probe(path, MediaSettings(**limits))
    assert error.value.status == "too_demanding"
    assert (error.value.value, error.value.threshold) == (value, limit)
    proxy = read(path, **limits)[2]
    assert (proxy.status, proxy.value, proxy.threshold) == ("too_demanding", value, limit)
    assert read(path, **{key: value})[2].status == "ok"


def test_pictures_that_grow_beyond_what_is_allowed(tmp_path: Path) -> None:
    small = make(tmp_path / "a.ts", "r", "4", "-c:v", "mpeg2video")
    large = make(tmp_path / "b.ts", "g", "4", "-c:v", "mpeg2video", "-vf", "scale=640:480")
    path = tmp_path / "grows.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    for limit in (100_000, 307_199):
        proxy = read(path, max_pixels=limit)[2]
        assert (proxy.status, proxy.value) == ("too_demanding", 307_200)
    assert read(path, max_pixels=307_200)[2].status == "ok"


@pytest.mark.parametrize("suffix", [".avi", ".mkv"])
def test_a_picture_is_not_decoded_to_know_its_size(tmp_path: Path, suffix: str) -> None:
    """The container says 64x48; the pictures, which libav is not to decode, say 4000x3000."""
    _, jpeg = cv2.imencode(".jpg", np.zeros((3000, 4000, 3), np.uint8))
    path = tmp_path / f"a{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for k in range(3):
            packet = av.Packet(jpeg.tobytes())
            packet.stream, packet.pts, packet.dts, packet.duration = stream, k, k, 1
            packet.time_base, packet.is_keyframe = Fraction(1, 25), True
            container.mux(packet)
    with pytest.raises(UnreadableMedia, match="pictures of 4000x3000 pixels, more than 1000000"):
        probe(path, MediaSettings(max_pixels=1_000_000))
    assert probe(path, MediaSettings(max_pixels=12_000_000)).video.width == 4000
