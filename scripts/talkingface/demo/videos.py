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
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface.demo.face import Face
from talkingface.demo.shots import Shot, Video
from talkingface.demo.speech import Voice, ambience, chew, speak
from talkingface.demo.writer import write_video
from talkingface.grid import FPS
from talkingface.job.files import atomic_path

Array = npt.NDArray[np.float64]

VOICES = {
    "ann": Voice(pitch=205, pace=4.2, tract=1.15),
    "ben": Voice(pitch=118, pace=3.8, tract=1.0),
    "cam": Voice(pitch=170, pace=4.0, tract=1.1),
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


def _talk(
    look: str, frames: int, rate: Fraction, audio_rate: int, seed: int, offset: int = 0, **face: Any
) -> tuple[Face, Array]:
    """A face that speaks for `frames` frames, and its sound, `offset` grid frames early."""
    seconds = float(frames / rate)
    early = offset * audio_rate // FPS
    speech = speak(seconds + offset / FPS, audio_rate, VOICES[look], seed)
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
