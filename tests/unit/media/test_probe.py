"""Media written by PyAV or by hand; what the workflow makes of such files is in test_download."""

from fractions import Fraction

import av
import numpy as np
import pytest

from talkingface.media.errors import UnreadableMedia
from talkingface.media.probe import probe

SIZE = (96, 64)
SOUNDS = [(16000, "mono"), (48000, "stereo")]


def write_video(path, *, title="", streams=1, rate=25, frames=10):
    """H.264 video; each of the streams is as long and as large as the others."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        videos = [container.add_stream("libx264", rate=rate) for _ in range(streams)]
        for video in videos:
            video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for k in range(frames):
            image = np.full((SIZE[1], SIZE[0], 3), 10 * k, np.uint8)
            for video in videos:
                container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        for video in videos:
            container.mux(video.encode(None))
    return path


def test_what_was_written_is_described(tmp_path):
    info = probe(write_video(tmp_path / "a.mkv", rate=50, frames=20))
    assert info.format == "matroska,webm" and info.truncated is None
    assert (info.video.width, info.video.height) == SIZE
    assert (info.video.codec, info.video.fps, info.video.pixel_aspect) == ("h264", 50, "1")
    assert info.duration == pytest.approx(0.4) and info.audio is None
    assert info.to_dict()["video"]["display_width"] == SIZE[0]


def test_pixels_that_are_not_square_are_stretched(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 72, 64, "yuv420p"
        video.codec_context.sample_aspect_ratio = Fraction(16, 15)
        image = av.VideoFrame.from_ndarray(np.zeros((64, 72, 3), np.uint8), format="bgr24")
        container.mux(video.encode(image))
        container.mux(video.encode(None))
    video = probe(path).video
    assert (video.width, video.pixel_aspect, video.display_width) == (72, "16/15", 77)


def test_title_in_an_old_encoding(tmp_path):
    path = write_video(tmp_path / "a.mp4", title="Caf#")
    path.write_bytes(path.read_bytes().replace(b"Caf#", "Café".encode("latin-1")))
    assert probe(path).video.n_frames == 10


def test_stream_of_unknown_codec(tmp_path):
    data = write_video(tmp_path / "a.mp4", streams=2).read_bytes()
    second = data.rindex(b"avc1")
    (tmp_path / "second.mp4").write_bytes(data[:second] + b"zzz1" + data[second + 4 :])
    assert len(probe(tmp_path / "a.mp4").other_video) == 1
    assert probe(tmp_path / "second.mp4").other_video == ()
    first = data.rindex(b"avc1", 0, second)
    (tmp_path / "first.mp4").write_bytes(data[:first] + b"zzz1" + data[first + 4 :])
    assert probe(tmp_path / "first.mp4").video.number == 1
    one = write_video(tmp_path / "one.mp4").read_bytes()
    (tmp_path / "none.mp4").write_bytes(one.replace(b"avc1", b"zzz1"))
    with pytest.raises(UnreadableMedia, match="no decoder"):
        probe(tmp_path / "none.mp4")


def test_the_default_sound_is_the_one_described(tmp_path):
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        sounds = [container.add_stream("aac", rate=r, layout=w) for r, w in SOUNDS]
        sounds[0].disposition = av.stream.Disposition.comment
        sounds[1].disposition = av.stream.Disposition.default
        image = av.VideoFrame.from_ndarray(np.zeros((*SIZE[::-1], 3), np.uint8), format="bgr24")
        container.mux([*video.encode(image), *video.encode(None)])
        for sound, (rate, layout) in zip(sounds, SOUNDS, strict=True):
            noise = np.random.default_rng(0).normal(0, 0.1, (sound.channels, rate))
            frame = av.AudioFrame.from_ndarray(noise.astype("f4"), "fltp", layout)
            frame.sample_rate = rate
            container.mux([*sound.encode(frame), *sound.encode(None)])
    with av.open(str(path)) as container:
        assert container.streams.best("audio").index == 2
    info = probe(path)
    assert (info.audio.index, info.audio.sample_rate, info.audio.channels) == (2, 48000, 2)
    assert [sound.index for sound in info.other_audio] == [1]


def test_index_without_pictures(tmp_path):
    path = write_video(tmp_path / "a.mp4")
    data = path.read_bytes()
    start = data.index(b"mdat") + 4
    stop = data.index(b"moov") - 4
    path.write_bytes(data[:start] + bytes(stop - start) + data[stop:])
    with pytest.raises(UnreadableMedia, match="no frame of the video stream can be decoded"):
        probe(path)


def test_name_that_looks_like_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video(tmp_path / "a.mp4").rename(tmp_path / "http:a %03d.mp4")
    assert probe("http:a %03d.mp4").video.n_frames == 10


def test_moving_and_still_gif(tmp_path):
    for name, frames in (("moving.gif", 3), ("still.gif", 1)):
        with av.open(str(tmp_path / name), "w") as container:
            video = container.add_stream("gif", rate=10)
            video.width, video.height, video.pix_fmt = *SIZE, "rgb8"
            for k in range(frames):
                image = np.full((SIZE[1], SIZE[0], 3), 80 * k, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="rgb8")
                container.mux(video.encode(frame))
            container.mux(video.encode(None))
    assert probe(tmp_path / "moving.gif").format == "gif"
    with pytest.raises(UnreadableMedia, match="still image"):
        probe(tmp_path / "still.gif")


def test_text_is_not_shown_as_a_terminal(tmp_path):
    (tmp_path / "text.txt").write_text("this is no video\n" * 100)
    with pytest.raises(UnreadableMedia, match=r"not a media file \(text\)"):
        probe(tmp_path / "text.txt")


def test_errors_of_the_system_are_not_the_medium(tmp_path):
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "none.mp4")
    with pytest.raises(IsADirectoryError):
        probe(tmp_path)
