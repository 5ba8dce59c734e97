"""Interlaced films are woven of 50 pictures a second, each of which is known."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from talkingface.media import video
from talkingface.media.interlacing import CombMeter, Interlaced
from talkingface.media.reading import Reading
from talkingface.media.video import bgr_frames, plane_array, shown_frames
from talkingface.shots.proxy import encode_proxy

SIZE = (320, 240)
SCENE = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (240, 1600)), (0, 0), 2.5)
SCENE = (np.clip(SCENE / SCENE.std() * 45 + 126, 16, 235)).astype(np.uint8)


def field(time: int, speed: float = 3) -> np.ndarray:
    """Luma (240, 320) at `time` fiftieths of a second: a pan over a scene."""
    start = time * speed
    matrix = np.array([[1, 0, -start % -1000], [0, 1, 0]], float)
    return cv2.warpAffine(SCENE, matrix, SIZE, flags=cv2.INTER_CUBIC)


def woven(k: int, order: str, speed: float = 3) -> np.ndarray:
    """Frame k, whose fields are a fiftieth of a second apart unless it is progressive."""
    frame = field(2 * k, speed)
    if order != "progressive":
        other = field(2 * k + 1, speed)
        first = 1 if order == "tff" else 0  # lines of the later field
        frame[first::2] = other[first::2]
    return frame


def write(
    path: Path, order: str, *, flag: str, frames: int = 110, speed: float = 3, suffix: str = "mp4"
) -> Path:
    path = path.with_suffix(f".{suffix}")
    flags = {"interlaced": "+ilme+ildct", "progressive": "0"}
    options = {"crf": "12", "preset": "veryfast", "flags": flags[flag], "g": "50"}
    if flag == "interlaced":
        options["x264-params"] = "bff=1" if order == "bff" else "tff=1"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        for k in range(frames):
            frame = av.VideoFrame(*SIZE, "yuv420p")
            for plane, pixels in zip(frame.planes, (woven(k, order, speed), 128, 128), strict=True):
                plane_array(plane)[:] = pixels
            frame.pts, frame.time_base = k, Fraction(1, 25)
            container.mux(stream.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 640 * frames), "f4"), "fltp", "mono")
        silence.sample_rate = 16_000
        container.mux([*stream.encode(None), *sound.encode(silence), *sound.encode(None)])
    return path


def copy_of(path: Path) -> tuple[Reading, list[np.ndarray]]:
    proxy = encode_proxy(path, path.with_name("v.mp4"), path.with_name("v.wav"), long_side=320)
    assert proxy.status == "ok"
    return proxy.reading, [image for _, image in bgr_frames(path.with_name("v.mp4"))]


def lumas(path: Path, reading: Reading, stretch: tuple[int, int]) -> Iterator[np.ndarray]:
    for shown in shown_frames(path, [stretch], reading=reading):
        for _ in range(shown.start, shown.end):
            yield plane_array(shown.frame.planes[0]).copy()


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    error = np.mean((image[4:-4, 4:-4].astype(float) - truth[4:-4, 4:-4]) ** 2)
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("flag", ["interlaced", "progressive"])
@pytest.mark.parametrize("order", ["tff", "bff"])
def test_combs_are_found_and_taken_out(tmp_path: Path, order: str, flag: str) -> None:
    """Measured against the pictures at the times of the earlier fields."""
    path = write(tmp_path / "film", order, flag=flag)
    reading, _ = copy_of(path)
    assert reading.deinterlace and reading.top_first == (order == "tff")
    with_combs, without = [], []
    pairs = zip(lumas(path, Reading(), (20, 60)), lumas(path, reading, (20, 60)), strict=True)
    for k, (combed, clean) in enumerate(pairs, 20):
        with_combs.append(psnr(combed, field(2 * k)))
        without.append(psnr(clean, field(2 * k)))
    assert np.mean(with_combs) < 30
    assert np.mean(without) > 38 and min(without) > 35


@pytest.mark.parametrize("flag", ["interlaced", "progressive"])
@pytest.mark.parametrize("speed", [0, 3])
def test_progressive_pictures_are_left_as_they_are(tmp_path: Path, flag: str, speed: float) -> None:
    """Whatever they are flagged as; no more than the encoder does to them."""
    path = write(tmp_path / "film", "progressive", flag=flag, speed=speed)
    reading, _ = copy_of(path)
    assert not reading.deinterlace
    for k, luma in enumerate(lumas(path, reading, (20, 40)), 20):
        assert psnr(luma, field(2 * k, speed)) > 38


def test_frames_are_those_of_reading_on_after_seeking(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "film", "tff", flag="interlaced", frames=300)
    reading, copied = copy_of(path)
    assert len(copied) == 300
    whole = dict(enumerate(lumas(path, reading, (0, 300))))
    assert len(whole) == 300
    monkeypatch.setattr(video, "SEEK_GAP", 1)
    for start, end in [(110, 125), (222, 230), (290, 300)]:
        sought = list(lumas(path, reading, (start, end)))
        assert len(sought) == end - start
        for k, luma in enumerate(sought, start):
            assert (luma == whole[k]).all()


def test_the_copy_and_the_clips_are_of_the_same_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "film", "bff", flag="progressive", suffix="ts")
    reading, copied = copy_of(path)
    for luma, image in zip(lumas(path, reading, (0, 110)), copied, strict=True):
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2YUV)[:, :, 0] * (219 / 255) + 16
        assert psnr(grey, luma) > 28


@pytest.mark.parametrize("suffix", ["avi", "ts"])
def test_times_are_kept(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / "film", "tff", flag="progressive", frames=60, suffix=suffix)
    reading = Reading(deinterlace=True)
    times = [(shown.start, shown.end) for shown in shown_frames(path)]
    assert [(shown.start, shown.end) for shown in shown_frames(path, reading=reading)] == times


def looks(frames: Iterator[np.ndarray], flagged: bool = False) -> bool:
    meter = CombMeter()
    try:
        for luma in frames:
            meter.look(luma, flagged)
        meter.end()
    except Interlaced:
        return True
    return False


def test_what_looks_like_combs_and_is_not() -> None:
    """Lines of one pixel that scroll, as in text; a flash and cuts; a picture that stands still."""
    lines = np.where(np.arange(4000)[:, None] % 7 < 1, 235, 16).astype(np.uint8)
    lines = np.repeat(lines, 320, axis=1)
    assert not looks(lines[2 * k : 2 * k + 240] for k in range(200))
    assert not looks(lines[3 * k : 3 * k + 240] for k in range(200))
    stripes = np.where(np.arange(4000)[:, None] % 2, 235, 16).astype(np.uint8).repeat(320, axis=1)
    assert not looks(stripes[k : k + 240] for k in range(200))
    assert not looks(SCENE[:, 7 * (k % 100) : 7 * (k % 100) + 320] for k in range(200))
    assert not looks(woven(0, "tff") for _ in range(200))
    noise = np.random.default_rng(1)
    noisy = (field(2 * k) + noise.normal(0, 12, (240, 320)) for k in range(200))
    assert not looks(np.clip(n, 0, 255).astype(np.uint8) for n in noisy)


def test_combs_of_small_movements_and_in_parts_of_a_film() -> None:
    assert looks(woven(k, "tff", speed=1) for k in range(200))
    moving = (woven(k, "tff" if k > 120 else "progressive") for k in range(200))
    assert looks(moving)
    corner = (np.pad(woven(k, "bff")[:60, :60], ((90, 90), (130, 130))) for k in range(200))
    assert looks(corner)


def test_no_interlaced_standard_has_so_many_lines() -> None:
    tall = (np.repeat(woven(k, "tff"), 1, axis=0) for k in range(60))
    assert not looks(np.pad(luma, ((0, 1000), (0, 0))) for luma in tall)
