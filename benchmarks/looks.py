"""Harder pictures and sounds of the same talkers, for benchmarks of lip-sync.

Pictures are encoded anew, so that what follows sees what a camera or a site would have given.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

LOOKS = ("as it is", "faces of 90 px", "15 fps", "photograph", "zoomed photograph")
SOUNDS = ("as it is", "noise at 15 dB", "music at 10 dB", "telephone")

# Height of a small face in pixels, and of the pictures of a photograph.
SMALL_FACE = 90
SECONDS = 10.0


def change(path: Path, folder: Path, look: str) -> Path | None:
    """The video as another `look` shows it, in a folder; the first SECONDS of it. None where its
    faces are small already."""
    if look == "as it is":
        return path
    shown, rate = list(_first_frames(path)), _rate(path)
    size = 1.0
    if look == "faces of 90 px":
        height = _face_height(shown[len(shown) // 2])
        if not height or height < SMALL_FACE:
            return None
        size = SMALL_FACE / height
    if look == "15 fps":
        step = float(rate) / 15
        shown = [shown[int(i * step)] for i in range(int(len(shown) / step))]
        rate = Fraction(15)
    if look == "photograph":
        shown = [shown[len(shown) // 2]] * len(shown)
    if look == "zoomed photograph":
        shown = _zoomed(shown[len(shown) // 2], len(shown))
    made = folder / "video.mp4"
    _encode(made, path, shown, rate, size)
    return made


def heard(sound: np.ndarray, kind: str, seed: int) -> np.ndarray:
    """(N,) int16 at 16 kHz as another of SOUNDS."""
    samples, random = sound / 32768.0, np.random.default_rng(seed)
    level = np.sqrt(np.mean(samples**2))
    if kind == "noise at 15 dB":
        noise = random.normal(size=len(samples))
        # Half of it white, half falling by 3 dB an octave.
        spectrum = np.fft.rfft(noise)
        pink = np.fft.irfft(spectrum / np.sqrt(1 + np.arange(len(spectrum))), len(samples))
        noise = noise / noise.std() + pink / pink.std()
        samples = samples + level * 10 ** (-15 / 20) * noise / noise.std()
    if kind == "music at 10 dB":
        music = _music(len(samples), random)
        samples = samples + level * 10 ** (-10 / 20) * music / music.std()
    if kind == "telephone":
        spectrum = np.fft.rfft(samples)
        hertz = np.fft.rfftfreq(len(samples), 1 / 16000)
        samples = np.fft.irfft(spectrum * ((hertz > 300) & (hertz < 3400)), len(samples))
        # The 256 steps of G.711's mu-law.
        samples = np.clip(samples / (8 * level + 1e-9), -1, 1)
        coded = np.sign(samples) * np.log1p(255 * abs(samples)) / np.log(256)
        coded = np.round(coded * 127) / 127
        samples = 8 * level * np.sign(coded) * (256 ** abs(coded) - 1) / 255
    return np.clip(samples * 32768, -32768, 32767).astype(np.int16)


def _music(count: int, random: np.random.Generator) -> np.ndarray:
    """Chords of four notes with overtones, a beat of noise, two a second."""
    times = np.arange(count) / 16000
    music = np.zeros(count)
    for begin in range(0, count, 16000):
        part = slice(begin, min(begin + 16000, count))
        root = 110 * 2 ** (random.integers(0, 12) / 12)
        for interval in (0, 4, 7, 12):
            for overtone in range(1, 6):
                hertz = root * 2 ** (interval / 12) * overtone
                music[part] += np.sin(2 * np.pi * hertz * times[part]) / overtone
    beat = np.exp(-((times * 2) % 1) * 12) * random.normal(size=count) * 2
    return music + beat


def _first_frames(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            if frame.time is not None and frame.time > SECONDS:
                return
            yield frame.to_ndarray(format="bgr24")


def _rate(path: Path) -> Fraction:
    with av.open(str(path)) as container:
        return container.streams.video[0].average_rate


def _face_height(picture: np.ndarray) -> float | None:
    """Height of the largest face in a picture, in pixels."""
    from talkingface.faces.mesh import FaceMesh

    with FaceMesh(refine=False) as mesh:
        points = mesh.follow(picture)
    return None if points is None else float(np.ptp(points[:, 1]))


def _zoomed(picture: np.ndarray, count: int) -> list[np.ndarray]:
    """A slow zoom into a picture, by a fifth, off its middle."""
    import cv2

    height, width = picture.shape[:2]
    shown = []
    for scale in np.linspace(1, 1.2, count):
        shift = (1 - scale) * np.array([0.45 * width, 0.4 * height])
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        shown.append(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR))
    return shown


def _encode(made: Path, source: Path, shown: list[np.ndarray], rate: Fraction, size: float) -> None:
    """Pictures as H.264 at the rate, with the source's sound as it is."""
    height, width = (max(2, 2 * round(side * size / 2)) for side in shown[0].shape[:2])
    with av.open(str(source)) as sounding, av.open(str(made), "w") as container:
        video = container.add_stream("libx264", rate=rate, options={"crf": "23"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        stream = sounding.streams.audio[0]
        audio = container.add_stream_from_template(stream)
        for picture in shown:
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame = frame.reformat(width, height, "yuv420p", interpolation="AREA")
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for packet in sounding.demux(stream):
            if packet.dts is not None and float(packet.pts * packet.time_base) < SECONDS:
                packet.stream = audio
                container.mux(packet)
