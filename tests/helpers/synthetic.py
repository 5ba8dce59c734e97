"""Films whose every frame and every sound is known, made with PyAV, and independent readers.

Frame n shows the number n as black and white blocks in its upper half (so that it can be read
back from any scaled copy) and a dark lower half that turns white for a fifth of a second at every
flash. At the very presentation time of a flash's first frame a 1 kHz beep begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

COLUMNS, ROWS = 8, 2  # of the number's blocks
BEEP_SECONDS = 0.2
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
# All usual frame rates have whole periods in it.
CLOCK = Fraction(1, 120_000)


@dataclass(frozen=True)
class Sound:
    """Sound of a film. `start` and `gap` are seconds on the container's clock."""

    codec: str = "aac"
    rate: int = 44_100
    layout: str = "stereo"
    start: Fraction = Fraction(0)
    seconds: float | None = None
    gap: tuple[float, float] | None = None


@dataclass(frozen=True)
class Film:
    """A film to make. `size` is that of the upright picture with square pixels.

    `start` is the first frame's time on the container's clock; `times` (since the first frame)
    replace `fps` when frames do not come regularly. `flashes` are nominal: each begins at the
    first frame at or after it.
    """

    suffix: str = ".mp4"
    fps: Fraction = Fraction(25)
    seconds: float = 6
    times: tuple[Fraction, ...] | None = None
    start: Fraction = Fraction(0)
    size: tuple[int, int] = (320, 180)
    rotation: int = 0
    aspect: Fraction = Fraction(1)
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    movflags: str = ""
    flashes: tuple[float, ...] = (1.3, 3.11, 4.7)
    sound: Sound | None = Sound()

    @property
    def frame_times(self) -> list[Fraction]:
        """Presentation time of every frame, in seconds since the first."""
        if self.times is not None:
            return list(self.times)
        return [n / self.fps for n in range(round(self.seconds * self.fps))]

    @property
    def stored_times(self) -> list[Fraction]:
        """`frame_times` as the container can express them."""
        tick = {".mkv": Fraction(1, 1000), ".webm": Fraction(1, 1000), ".ts": Fraction(1, 90_000)}
        if self.suffix not in tick:
            return self.frame_times
        ticks = [round((self.start + t) / tick[self.suffix]) for t in self.frame_times]
        return [(n - ticks[0]) * tick[self.suffix] for n in ticks]

    @property
    def flash_times(self) -> list[Fraction]:
        """Exact times, since the first frame, at which flash and beep begin."""
        return [next(t for t in self.frame_times if t >= flash) for flash in self.flashes]


def shown_at(film: Film, k: int) -> int:
    """Number of the frame on screen at k/25 s: the last to come by then, or up to 2 ms later."""
    latest = Fraction(k, 25) + Fraction(2, 1000)
    return max(n for n, time in enumerate(film.stored_times) if time <= latest)


def number_picture(number: int, size: tuple[int, int], flash: bool = False) -> np.ndarray:
    """(H, W, 3) uint8 picture of a number below 65,536."""
    width, height = size
    bits = (number >> np.arange(COLUMNS * ROWS)) & 1
    blocks = np.where(bits.reshape(ROWS, COLUMNS), 235, 20).astype(np.uint8)
    rows = np.minimum(np.arange(height) * ROWS * 2 // height, ROWS)
    columns = np.arange(width) * COLUMNS // width
    lower = np.full((1, COLUMNS), 235 if flash else 20, np.uint8)
    grey = np.vstack([blocks, lower])[rows][:, columns]
    return np.repeat(grey[:, :, None], 3, axis=2)


def read_number(image: np.ndarray) -> int:
    """The number shown by a picture of any size."""
    height, width = image.shape[:2]
    rows = ((np.arange(ROWS) + 0.5) * height / 2 / ROWS).astype(int)
    columns = ((np.arange(COLUMNS) + 0.5) * width / COLUMNS).astype(int)
    bits = image[rows][:, columns].reshape(ROWS * COLUMNS, -1).mean(axis=1) > 128
    return int((bits << np.arange(ROWS * COLUMNS)).sum())


def has_flash(image: np.ndarray) -> bool:
    """Whether the lower half is white."""
    return bool(image[image.shape[0] * 5 // 8 :].mean() > 128)


def beep_samples(film: Film, sound: Sound) -> np.ndarray:
    """(n,) float32 mono sound of a film from `sound.start` on; silence between the beeps."""
    seconds = sound.seconds
    if seconds is None:
        seconds = float(film.start + film.frame_times[-1] + 1 / film.fps - sound.start)
    time = np.arange(round(seconds * sound.rate)) / sound.rate
    samples = np.zeros(len(time))
    for flash in film.flash_times:
        since = time - float(film.start + flash - sound.start)
        beep = (since > -1e-9) & (since < BEEP_SECONDS)
        samples += np.where(beep, 0.5 * np.sin(2 * np.pi * 1000 * since), 0)
    return samples.astype(np.float32)


def make_film(folder: Path, film: Film, name: str = "film") -> Path:
    """Write the film to `folder`."""
    times, flashes = film.frame_times, film.flash_times
    last = [any(f <= t < f + Fraction(1, 5) for f in flashes) for t in times]
    pictures = (number_picture(n, film.size, last[n]) for n in range(len(times)))
    return write_film(folder / f"{name}{film.suffix}", film, pictures)


def write_film(
    path: Path, film: Film, pictures: Iterator[np.ndarray], samples: np.ndarray | None = None
) -> Path:
    """Write upright BGR pictures, and `samples` (n,) or (channels, n) in place of the beeps."""
    options = {"movflags": film.movflags} if film.movflags else {}
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream(film.codec, rate=film.fps, options=film.options)
        tick = 1 / film.fps if film.times is None else CLOCK
        video.codec_context.time_base = tick
        width, height = film.size[:: -1 if film.rotation % 180 else 1]
        video.width, video.height = round(width / film.aspect), height
        video.pix_fmt = film.pix_fmt
        if film.aspect != 1:
            video.codec_context.sample_aspect_ratio = film.aspect
        if film.rotation:
            video.set_display_rotation(film.rotation)
        sound = film.sound
        if sound:
            audio = container.add_stream(sound.codec, rate=sound.rate, layout=sound.layout)
        packets = []
        for time, picture in zip(film.frame_times, pictures, strict=True):
            frame = _coded(picture, film)
            frame.pts, frame.time_base = round(time / tick), tick
            packets += [_moved(p, film.start) for p in video.encode(frame)]
        packets += [_moved(p, film.start) for p in video.encode(None)]
        if sound:
            if samples is None:
                samples = beep_samples(film, sound)
            frames = [*_audio_frames(samples, sound), None]
            heard = [p for frame in frames for p in audio.encode(frame)]
            packets += [_moved(p, sound.start) for p in heard if not _in_gap(p, sound)]
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    return path


def joined_film(folder: Path, *, start: int = 1, jump: int = 0, **later: Any) -> Path:
    """Two films of 50 frames in one transport stream; the second is `later` by `jump` seconds
    more than it should, and otherwise different as `later` says."""
    first = Film(".ts", seconds=2, flashes=(), sound=Sound(start=Fraction(start)))
    first = replace(first, start=Fraction(start))
    moved = Fraction(start + 2 + jump)
    second = replace(first, start=moved, sound=Sound(start=moved), **later)
    parts = [make_film(folder, film, f"part{i}") for i, film in enumerate((first, second))]
    path = folder / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def pieces_film(folder: Path, starts: list[float], *, seconds: float = 2, **differing: Any) -> Path:
    """Films of `seconds` one after the other in one transport stream, each with a flash in its
    middle; they begin at `starts` on its clock. The last is different as `differing` says."""
    path = folder / "pieces.ts"
    with path.open("wb") as joined:
        for i, start in enumerate(map(Fraction, starts)):
            film = Film(".ts", seconds=seconds, start=start, flashes=(seconds / 2,))
            film = replace(film, sound=Sound(start=start))
            if i + 1 == len(starts):
                film = replace(film, **differing)
            joined.write(make_film(folder, film, f"piece{i}").read_bytes())
    return path


def _coded(picture: np.ndarray, film: Film) -> av.VideoFrame:
    """The picture as the camera stored it: turned back and squeezed, in the film's format."""
    turned = np.ascontiguousarray(np.rot90(picture, -film.rotation // 90))
    frame = av.VideoFrame.from_ndarray(turned, format="bgr24")
    full = film.pix_fmt.startswith("yuvj")
    return frame.reformat(
        width=round(frame.width / film.aspect),
        format=film.pix_fmt,
        interpolation="AREA",
        dst_color_range="JPEG" if full else "MPEG",
    )


def _audio_frames(samples: np.ndarray, sound: Sound) -> Iterator[av.AudioFrame]:
    channels = av.AudioLayout(sound.layout).nb_channels
    planes = np.tile(samples, (channels, 1)) if samples.ndim == 1 else samples
    convert = av.AudioResampler(
        format=av.Codec(sound.codec, "w").audio_formats[0].name, layout=sound.layout
    )
    for start in range(0, planes.shape[1], 1024):
        block = np.ascontiguousarray(planes[:, start : start + 1024], np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=sound.layout)
        frame.sample_rate = sound.rate
        frame.pts, frame.time_base = start, Fraction(1, sound.rate)
        yield from convert.resample(frame)


def _moved(packet: av.Packet, seconds: Fraction) -> av.Packet:
    if seconds:
        for name in ("pts", "dts"):
            moved = getattr(packet, name) * packet.time_base + seconds
            setattr(packet, name, round(moved / CLOCK))
        packet.duration = round(packet.duration * packet.time_base / CLOCK)
        packet.time_base = CLOCK
    return packet


def _in_gap(packet: av.Packet, sound: Sound) -> bool:
    time = packet.pts * packet.time_base + sound.start
    return sound.gap is not None and sound.gap[0] <= time < sound.gap[1]


# Blue, green, red of a patch; H.273's number, Kr and Kb of the matrices it is coded with.
PATCH = (40, 80, 200)
MATRICES = {"bt709": (1, 0.2126, 0.0722), "bt601": (6, 0.299, 0.114), "bt2020": (9, 0.2627, 0.0593)}


def patch_yuv(matrix: str) -> tuple[float, float, float]:
    """Y, Cb, Cr of PATCH in 8-bit limited range, by the formulas of ITU-R BT.601 and later."""
    b, g, r = (value / 255 for value in PATCH)
    _, kr, kb = MATRICES[matrix]
    y = kr * r + (1 - kr - kb) * g + kb * b
    return 16 + 219 * y, 128 + 112 * (b - y) / (1 - kb), 128 + 112 * (r - y) / (1 - kr)


def patch_film(path: Path, matrix: str, full: bool, frames: int = 5) -> Path:
    """A silent sound and a picture of PATCH alone, whose planes are not made by libav."""
    y, cb, cr = patch_yuv(matrix)
    if full:
        y, cb, cr = (y - 16) * 255 / 219, 128 + (cb - 128) * 255 / 224, 128 + (cr - 128) * 255 / 224
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "5"})
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        video.codec_context.colorspace = MATRICES[matrix][0]
        video.codec_context.color_range = 2 if full else 1
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        for _ in range(frames):
            frame = av.VideoFrame(96, 64, "yuv420p")
            for plane, value in zip(frame.planes, (y, cb, cr), strict=True):
                plane.update(bytes([round(value)]) * plane.buffer_size)
            container.mux(video.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 640 * frames), "f4"), "fltp", "mono")
        silence.sample_rate = 16_000
        container.mux([*audio.encode(silence), *audio.encode(None), *video.encode(None)])
    return path


def decode_pictures(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """Time and (H, W, 3) BGR picture of every frame, by PyAV alone, without turning."""
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [(f.pts * f.time_base, f.to_ndarray(format="bgr24")) for f in frames]


def decode_sound(path: Path) -> tuple[np.ndarray, int]:
    """First channel on the container's clock from time 0, float32, and its rate, by PyAV alone."""
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].codec_context.sample_rate
        samples = np.zeros(0, np.float32)
        for frame in container.decode(audio=0):
            block = frame.to_ndarray().reshape(-1)
            if not frame.format.is_planar:
                block = block[:: frame.layout.nb_channels]
            if block.dtype == np.int16:
                block = block / np.float32(32768)
            block = block[: frame.samples]
            first = round(frame.pts * frame.time_base * rate)
            block, first = block[max(0, -first) :], max(0, first)
            samples = np.pad(samples, (0, max(0, first + len(block) - len(samples))))
            samples[first : first + len(block)] = block
    return samples, rate


def beep_starts(samples: np.ndarray, rate: int) -> list[float]:
    """Times in seconds at which beeps begin in float sound, to about a millisecond."""
    loud = np.flatnonzero(np.abs(samples) > 0.15)
    if not len(loud):
        return []
    first = np.flatnonzero(np.diff(loud, prepend=-rate) > 0.1 * rate)
    return (loud[first] / rate).tolist()


def _irregular() -> tuple[Fraction, ...]:
    """Times of a phone's variable frame rate: 20 to 60 ms apart, and one long still."""
    times = [Fraction(n * 37 + (n * n) % 13, 1000) for n in range(150)]
    return tuple(t for t in times if not Fraction(17, 10) < t < Fraction(25, 10))


# One of every kind of file that people bring.
FILMS = {
    "25": Film(),
    "23.976": Film(fps=FILM),
    "29.97": Film(fps=NTSC),
    "50": Film(fps=Fraction(50)),
    "60": Film(fps=Fraction(60)),
    "variable": Film(times=_irregular()),
    "variable-mkv": Film(suffix=".mkv", times=_irregular()),
    "late-sound": Film(sound=Sound(start=Fraction(3, 10))),
    "short-sound": Film(sound=Sound(seconds=3.8)),
    "late-picture": Film(start=Fraction(1, 2)),
    "late-picture-mkv": Film(suffix=".mkv", fps=NTSC, start=Fraction(1, 2)),
    "sound-gap": Film(suffix=".mkv", sound=Sound(gap=(2, 2.5))),
    "sound-gap-mp4": Film(sound=Sound(gap=(2, 2.5))),
    "turned-90": Film(rotation=90),
    "turned-180": Film(rotation=180),
    "turned-270": Film(rotation=270),
    "odd-444": Film(size=(321, 241), pix_fmt="yuv444p"),
    "odd-mpeg4": Film(size=(321, 241), codec="mpeg4"),
    "wide-pixels": Film(aspect=Fraction(4, 3)),
    "turned-narrow-pixels": Film(size=(180, 320), aspect=Fraction(4, 5), rotation=90),
    "mono-48k": Film(sound=Sound(rate=48_000, layout="mono")),
    "surround": Film(sound=Sound(rate=48_000, layout="5.1")),
    "sound-22k": Film(suffix=".mkv", sound=Sound("flac", 22_050, "mono")),
    "hevc-10-bit": Film(
        codec="libx265",
        pix_fmt="yuv420p10le",
        options={"preset": "ultrafast", "x265-params": "log-level=none"},
    ),
    "full-range": Film(pix_fmt="yuvj420p"),
    "full-range-turned": Film(pix_fmt="yuvj420p", rotation=90),
    "mkv": Film(suffix=".mkv", fps=NTSC),
    "webm": Film(
        suffix=".webm",
        codec="libvpx-vp9",
        options={"deadline": "realtime", "cpu-used": "8"},
        sound=Sound("libopus", 48_000),
    ),
    "avi": Film(suffix=".avi", codec="mpeg4", sound=Sound("pcm_s16le")),
    "avi-h264": Film(suffix=".avi", sound=Sound("pcm_s16le")),
    "ts": Film(suffix=".ts", fps=NTSC),
    "flv": Film(suffix=".flv"),
    "mpg": Film(suffix=".mpg", codec="mpeg2video", sound=Sound("ac3", 48_000)),
    "fragmented": Film(movflags="frag_keyframe+empty_moov", options={"g": "25"}),
}
