"""The demo videos: talking faces made offline from a portrait and synthetic speech, with the truth.

`make_demo` writes five short videos, their `videos.csv` and `truth.json`. They cover what a real
collection brings: cuts, shots without a face, two faces of which one speaks, sound that is early,
odd frame rates and layouts, stereo, a small face, a video without sound and one without a face.
Everything is drawn from fixed seeds. Times are seconds, 0 the first frame; frames are the 25 fps
grid's, end exclusive; boxes are x, y, w, h in pixels; a positive offset means early sound.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.portrait import Image
from talkingface.demo.speech import Voice, ambience, chew, speak
from talkingface.grid import FPS as GRID
from talkingface.grid import TOLERANCE, grid_index
from talkingface.job.files import atomic_path

Array = npt.NDArray[np.float64]

VOICES = {
    "ann": Voice(pitch=205, pace=4.2, tract=1.15),
    "ben": Voice(pitch=118, pace=3.8, tract=1.0),
    "cam": Voice(pitch=170, pace=4.0, tract=1.1),
}
# Photographs in the scikit-image wheel (public domain or CC0), and a colour cast for the grey ones.
# Deep-field galaxies, the cat and the sharp gravel are left out: detectors see faces in them.
_PLACES = {
    "coffee": (data.coffee, None),
    "rocket": (data.rocket, None),
    "wall": (data.brick, (1.15, 1.05, 0.85)),
    "gravel": (data.gravel, (0.75, 0.9, 1.2)),
    "moon": (data.moon, (1.0, 1.0, 1.0)),
    "lawn": (data.grass, (0.45, 1.0, 0.55)),
}


@dataclass(frozen=True)
class Shot:
    """One shot: frames at the video's rate, faces, sound (n,) float within +-1 or None.

    blur: of the background in pixels; pan: its drift in pixels a frame; speaking: index into
    `faces`; offset: grid frames by which the sound is early.
    """

    frames: int
    place: str
    faces: tuple[Face, ...] = ()
    sound: Array | None = None
    blur: float = 12.0
    pan: int = 0
    speaking: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Video:
    """One demo video; `file` is its name, `split` what videos.csv says of it."""

    video_id: str
    file: str
    identity: str
    rate: Fraction
    size: tuple[int, int]
    shots: tuple[Shot, ...]
    audio_rate: int = 48000
    gains: tuple[float, ...] = (1.0,)  # one per channel
    split: str = ""

    def frames(self) -> Iterator[Image]:
        """Every frame, (H, W, 3) BGR."""
        for shot in self.shots:
            times = np.arange(shot.frames) / float(self.rate)
            if shot.pan:
                yield from _pan(shot, self.size)
            else:
                place = _place(shot.place, self.size, shot.blur)
                yield from portrait_frames(shot.faces, times, self.size, place)

    def sound(self) -> Array | None:
        """The sound as (channels, n) float within +-1, or None."""
        parts, start = [], 0
        for shot in self.shots:
            if shot.sound is None:
                return None
            parts.append(shot.sound)
            start += shot.frames
        mono = np.concatenate(parts)
        wanted = round(start / self.rate * self.audio_rate)
        mono = np.pad(mono, (0, max(0, wanted - len(mono))))[:wanted]
        return np.array(self.gains)[:, None] * mono

    def truth(self) -> dict[str, Any]:
        """What is known of the video, as plain values for json."""
        first, shots = 0, []
        for shot in self.shots:
            shots.append(self._shot_truth(shot, first))
            first += shot.frames
        sound = self.shots[0].sound is not None
        return {
            "file": self.file,
            "identity": self.identity,
            "fps": float(self.rate),
            "fps_fraction": [self.rate.numerator, self.rate.denominator],
            "width": self.size[0],
            "height": self.size[1],
            "frames": first,
            "duration": float(first / self.rate),
            "audio": {"rate": self.audio_rate, "channels": len(self.gains)} if sound else None,
            "shots": shots,
        }

    def _shot_truth(self, shot: Shot, first: int) -> dict[str, Any]:
        start, end = first / self.rate, (first + shot.frames) / self.rate
        # Grid frame k belongs to the shot when the frame on screen at k / 25 s does.
        grid = range(grid_index(start), grid_index(end))
        on_screen = [math.floor((Fraction(k, GRID) + TOLERANCE) * self.rate) - first for k in grid]
        times = [float(index / self.rate) for index in on_screen]
        faces = []
        for index, face in enumerate(shot.faces):
            boxes = np.array([face.box(time) for time in times])
            faces.append({
                "identity": face.look,
                "speaking": index == shot.speaking,
                "box": np.median(boxes, axis=0).round(1).tolist(),
                "boxes": boxes.round(1).tolist(),
                "opening": [round(face.opening_at(time), 3) for time in times],
            })  # fmt: skip
        return {
            "start": float(start),
            "end": float(end),
            "start_frame": grid.start,
            "end_frame": grid.stop,
            "offset": shot.offset if shot.speaking is not None else None,
            "faces": faces,
        }


def demo_videos() -> list[Video]:
    """The five videos, not yet drawn."""
    return [_interview(), _vlog(), _lecture(), _landscape(), _silent()]


def make_demo(folder: Path) -> dict[str, Any]:
    """Write the demo into `folder` (made if absent) and return its truth.

    Files: `<video>.mp4`, `videos.csv` (video_id, source, identity, split; source relative to
    `folder`) and `truth.json`, which holds the returned value: per video id what `Video.truth`
    says. Takes about half a minute on two cores.
    """
    folder.mkdir(parents=True, exist_ok=True)
    videos = demo_videos()

    def write(video: Video) -> None:
        write_video(
            folder / video.file, video.frames(), video.rate, video.sound(), video.audio_rate
        )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, videos))
    truth = {video.video_id: video.truth() for video in videos}
    with (folder / "videos.csv").open("w", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["video_id", "source", "identity", "split"])
        table.writerows([v.video_id, v.file, v.identity, v.split] for v in videos)
    # Last, so that its presence means that everything is there.
    with atomic_path(folder / "truth.json") as path:
        path.write_text(json.dumps(truth, separators=(",", ":")) + "\n")
    return truth


def write_video(
    path: Path,
    frames: Iterable[Image],
    rate: Fraction,
    sound: Array | None = None,
    audio_rate: int = 48000,
) -> None:
    """Write an mp4 (H.264, AAC) whose first frame and first sample are both at time 0.

    `frames` are (H, W, 3) BGR with even sides; `sound` is (1 or 2, n) float within +-1. The AAC
    encoder's priming samples get negative times, which the mp4's edit list takes off again.
    """
    with av.open(str(path), "w") as box:
        # With x264's macroblock tree the bytes differ from run to run (libx264 of PyAV 18.1).
        options = {"preset": "superfast", "crf": "23", "x264-params": "mbtree=0"}
        picture: Any = box.add_stream("libx264", rate=rate, options=options)
        picture.pix_fmt = "yuv420p"
        picture.codec_context.thread_count = 2  # the bytes depend on it, so it is fixed
        audio: Any = None
        if sound is not None:
            audio = box.add_stream("aac", rate=audio_rate)
            audio.layout = "mono" if len(sound) == 1 else "stereo"
            audio.bit_rate = 96000 * len(sound)
        sent = 0
        for index, image in enumerate(frames):
            if index == 0:
                picture.height, picture.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, 1 / rate
            box.mux(picture.encode(frame))
            if sound is not None:  # sound and picture side by side, so that little is held back
                until = min(sound.shape[1], round((index + 12) / rate * audio_rate))
                box.mux(_encoded(audio, sound, sent, until, audio_rate))
                sent = max(sent, until)
        if sound is not None:
            box.mux(_encoded(audio, sound, sent, sound.shape[1], audio_rate))
            box.mux(audio.encode(None))
        box.mux(picture.encode(None))


def _encoded(stream: Any, sound: Array, start: int, end: int, rate: int) -> list[av.Packet]:
    if end <= start:
        return []
    part = np.ascontiguousarray(sound[:, start:end], dtype=np.float32)
    layout = "mono" if len(sound) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return list(stream.encode(frame))


def _talk(
    look: str, frames: int, rate: Fraction, audio_rate: int, seed: int, offset: int = 0, **face: Any
) -> tuple[Face, Array]:
    """A face that speaks for `frames` frames, and its sound, `offset` grid frames early."""
    seconds = float(frames / rate)
    early = offset * audio_rate // GRID
    speech = speak(seconds + offset / GRID, audio_rate, VOICES[look], seed)
    sound = speech.samples[early : early + round(seconds * audio_rate)]
    return Face(look, speech.opening, seed=seed, **face), sound


def _interview() -> Video:
    rate, sound_rate, width = Fraction(25), 48000, 1280
    one, first = _talk("ann", 225, rate, sound_rate, 1, centre=(600.0, 320.0), height=260.0)
    two, second = _talk("ann", 225, rate, sound_rate, 2, centre=(390.0, 330.0), height=215.0)
    quiet = Face("cam", chew(9.0, 3), centre=(width - 390.0, 320.0), height=215.0, seed=3)
    late, third = _talk(
        "ann", 225, rate, sound_rate, 4, offset=4, centre=(700.0, 330.0), height=230.0
    )
    shots = (
        Shot(225, "wall", (one,), first, speaking=0),
        Shot(100, "lawn", (), ambience(4.0, sound_rate, 5), blur=0, pan=1),
        Shot(225, "coffee", (two, quiet), second, blur=25, speaking=0),
        Shot(225, "rocket", (late,), third, speaking=0, offset=4),
    )
    return Video("interview", "interview.mp4", "ann", rate, (1280, 720), shots, sound_rate)


def _vlog() -> Video:
    rate, sound_rate = Fraction(30000, 1001), 44100
    face, sound = _talk("ben", 270, rate, sound_rate, 6, centre=(360.0, 560.0), height=330.0)
    shots = (Shot(270, "gravel", (face,), sound, blur=20, speaking=0),)
    size, gains = (720, 1280), (0.9, 0.6)
    return Video("vlog", "vlog.mp4", "ben", rate, size, shots, sound_rate, gains, "eval")


def _lecture() -> Video:
    rate, sound_rate = Fraction(30), 16000
    far, first = _talk("ann", 180, rate, sound_rate, 7, centre=(400.0, 420.0), height=72.0)
    near, second = _talk("ann", 240, rate, sound_rate, 8, centre=(760.0, 330.0), height=190.0)
    shots = (
        Shot(180, "wall", (far,), first, blur=3, speaking=0),
        Shot(240, "coffee", (near,), second, blur=25, speaking=0),
    )
    return Video("lecture", "lecture.mp4", "ann", rate, (1280, 720), shots, sound_rate)


def _landscape() -> Video:
    shot = Shot(100, "moon", (), ambience(4.0, 48000, 9), blur=0, pan=2)
    return Video("landscape", "landscape.mp4", "", Fraction(25), (1280, 720), (shot,))


def _silent() -> Video:
    face, _ = _talk("cam", 100, Fraction(25), 16000, 10, centre=(640.0, 330.0), height=220.0)
    shot = Shot(100, "lawn", (face,), None, speaking=0)
    return Video("silent", "silent.mp4", "cam", Fraction(25), (1280, 720), (shot,))


def _place(name: str, size: tuple[int, int], blur: float) -> Image:
    """A photograph filling (width, height) = `size`, cropped at the middle, blurred."""
    read, cast = _PLACES[name]
    picture = np.asarray(read())
    if cast is not None:
        grey = cv2.GaussianBlur(picture, (0, 0), 1.0)[:, :, None]
        bgr = np.clip(grey * np.array(cast), 0, 255).astype(np.uint8)
    else:
        bgr = np.ascontiguousarray(picture[:, :, ::-1])
    width, height = size
    scale = max(width / bgr.shape[1], height / bgr.shape[0])
    wide = (max(width, round(bgr.shape[1] * scale)), max(height, round(bgr.shape[0] * scale)))
    bgr = cv2.resize(bgr, wide, interpolation=cv2.INTER_CUBIC)
    x, y = (wide[0] - width) // 2, (wide[1] - height) // 2
    bgr = bgr[y : y + height, x : x + width]
    return np.ascontiguousarray(cv2.GaussianBlur(bgr, (0, 0), blur) if blur else bgr)


def _pan(shot: Shot, size: tuple[int, int]) -> Iterator[Image]:
    """A shot without faces: the camera drifts over the photograph."""
    width, height = size
    reach = shot.pan * shot.frames
    wide = _place(shot.place, (width + reach, height), shot.blur)
    for index in range(shot.frames):
        yield np.ascontiguousarray(wide[:, index * shot.pan : index * shot.pan + width])
