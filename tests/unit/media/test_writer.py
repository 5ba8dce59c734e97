from fractions import Fraction

import av
import numpy as np
import pytest

from helpers.synthetic import decode_pictures, decode_sound, number_picture, read_number
from talkingface.media.video import plane_array
from talkingface.media.writer import AAC_RATES, VideoWriter, frame_from_planes

SIZE = (96, 64)


def grey(value, size=SIZE):
    width, height = size
    half = np.full((height // 2, width // 2), 128, np.uint8)
    return frame_from_planes(np.full((height, width), value, np.uint8), half, half)


def numbered(number):
    picture = av.VideoFrame.from_ndarray(number_picture(number, SIZE), format="bgr24")
    return picture.reformat(format="yuv420p")


def tone(rate, channels, seconds=2.0):
    """1 kHz from half a second on, the second channel half as loud."""
    time = np.arange(round(seconds * rate)) / rate
    wave = np.where(time >= 0.5, 0.5 * np.sin(2 * np.pi * 1000 * (time - 0.5)), 0)
    samples = np.stack([wave, wave / 2], axis=1)[:, :channels]
    return np.round(samples * 32767).astype(np.int16)


@pytest.mark.parametrize("count", [1, 2, 3, 50, 300])
@pytest.mark.parametrize("threads", [1, 0])
def test_every_frame_is_written_once(tmp_path, count, threads):
    path = tmp_path / "a.mp4"
    with VideoWriter(
        path, *SIZE, threads=threads, keyframe_interval=30, preset="superfast", crf=18
    ) as writer:
        for k in range(count):
            writer.write(numbered(k))
    assert writer.frames == count
    pictures = decode_pictures(path)
    assert [time for time, _ in pictures] == [Fraction(k, 25) for k in range(count)]
    assert [read_number(picture) for _, picture in pictures] == list(range(count))


def test_the_same_frame_may_be_written_again(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", *SIZE, preset="superfast", crf=18) as writer:
        for frame in (numbered(7), numbered(9)):
            for _ in range(20):
                writer.write(frame)
    seen = [read_number(picture) for _, picture in decode_pictures(tmp_path / "a.mp4")]
    assert seen == [7] * 20 + [9] * 20


def test_keyframes_are_the_writers_own(tmp_path):
    with VideoWriter(
        tmp_path / "a.mp4", *SIZE, keyframe_interval=40, preset="superfast", crf=18
    ) as writer:
        for k in range(100):
            frame = numbered(k // 100)
            frame.pict_type = 1  # as if all came from keyframes
            writer.write(frame)
    with av.open(str(tmp_path / "a.mp4")) as container:
        keys = [frame.key_frame for frame in container.decode(video=0)]
    assert [k for k, key in enumerate(keys) if key] == [0, 40, 80]


@pytest.mark.parametrize("rate", AAC_RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_sound_is_in_step(tmp_path, rate, channels):
    path, samples = tmp_path / "a.mp4", tone(rate, channels)
    asked = []

    def read(start, stop):
        asked.append((start, stop))
        return samples[start:stop]

    with VideoWriter(
        path, *SIZE, sound=read, sound_rate=rate, channels=channels, preset="superfast", crf=18
    ) as writer:
        for _ in range(50):
            writer.write(grey(100))
    assert asked == [(k * rate // 25, (k + 1) * rate // 25) for k in range(50)]
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.sample_rate, stream.codec_context.channels) == (rate, channels)
        assert (stream.duration * stream.time_base) == pytest.approx(2, abs=1024 / rate)
    heard, _ = decode_sound(path)
    start = np.flatnonzero(np.abs(heard) > 0.15)[0] / rate
    assert start == pytest.approx(0.5, abs=0.002 if rate > 12_000 else 0.01)
    if rate >= 16_000:  # a wave in phase with what was given: not one sample off
        inside = slice(round(0.8 * rate), round(1.8 * rate))
        truth = samples[inside, 0] / 32767
        assert np.corrcoef(heard[inside], truth)[0, 1] > 0.99


@pytest.mark.parametrize("code", [1, 5, 6, 9])
def test_the_colour_description_is_passed_on(tmp_path, code):
    """BT.709, BT.601 in its two kinds, BT.2020, by ITU-T H.273's numbers."""
    colour = grey(100)
    colour.colorspace, colour.color_primaries, colour.color_trc = code, code, min(code, 6)
    with VideoWriter(
        tmp_path / "a.mp4", *SIZE, colour=colour, preset="superfast", crf=18
    ) as writer:
        writer.write(grey(100))
    with av.open(str(tmp_path / "a.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (code, code, min(code, 6))
    assert frame.color_range == 1


def test_odd_sizes_are_refused(tmp_path):
    for size in ((95, 64), (96, 63)):
        with pytest.raises(ValueError, match="must be even"):
            VideoWriter(tmp_path / "a.mp4", *size, preset="superfast", crf=18)


def test_a_name_that_looks_like_a_url(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with VideoWriter("a:b %03d.mp4", *SIZE, preset="superfast", crf=18) as writer:
        writer.write(grey(100))
    assert len(decode_pictures(tmp_path / "a:b %03d.mp4")) == 1


def test_a_full_disk_is_not_a_broken_source():
    """What libav raises for a damaged source must not be raised for a file that cannot be
    written, or a full disk would be recorded as a property of the video."""
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (480, 640), np.uint8)
    frame = frame_from_planes(noise, noise[::2, ::2], noise[1::2, ::2])
    with (
        pytest.raises(OSError, match="cannot write") as caught,
        VideoWriter("/dev/full", 640, 480, crf=0, preset="superfast") as writer,
    ):
        for _ in range(60):
            writer.write(frame)
    assert not isinstance(caught.value, av.FFmpegError)


def test_planes_are_taken_as_they_are():
    rng = np.random.default_rng(0)
    shapes = [(50, 70), (25, 35), (25, 35)]
    planes = [rng.integers(0, 255, shape, np.uint8) for shape in shapes]
    frame = frame_from_planes(*planes)
    assert (frame.width, frame.height, frame.format.name) == (70, 50, "yuv420p")
    for plane, values in zip(frame.planes, planes, strict=True):
        assert (plane_array(plane) == values).all()
