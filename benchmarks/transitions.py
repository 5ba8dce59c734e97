"""Are two people kept out of one clip, and is nobody cut who should not be?

    python benchmarks/transitions.py FOLDER... [--half 0|1] [--each 2] [--only joined|alone]
                                    [--now]

The folders hold videos of talkers, such as those of `talkers.csv`. `joined`: pairs of them, one
after the other, by cuts and by ffmpeg's transitions, which the program `ffmpeg` must be there for.
A clip is a track of 75 frames or more, as with the default settings. `both` are the pairs of which
a clip shows either person alone, `mixed` those of which a clip shows a frame of the transition's
middle half, `kept` the share of the frames with one person that are in clips. `alone`: the videos
by themselves, as they are and with zooms, pans, shaking, flashes and changes of light, and how much
of what the tracks have without looking for transitions they have with it. `--half` takes the one
half of the videos or the other, by name: the settings were chosen on half 0. With every result
stands what it would be without transitions and appearance, unless it is to be for `--now` alone.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from talkers import SUFFIXES  # which finds the library

from talkingface.faces import detection
from talkingface.faces.tracks import track_faces
from talkingface.settings.load import check_config
from talkingface.shots.proxy import proxy_frames
from talkingface.shots.scenes import find_scenes, make_detector

TRANSITIONS = (
    "fade", "dissolve", "fadeblack", "fadewhite", "wipeleft", "wipeup", "slideleft", "slideup",
    "smoothleft", "circleopen", "radial", "pixelize", "hblur", "zoomin", "squeezeh", "diagtl",
)  # fmt: skip
SECONDS = (0.12, 0.2, 0.5, 1.0, 1.5)
# Of one person, and of the other, with nothing but the one or the other.
ALONE = 4.0
LONGEST = 250  # frames of a video by itself
SHORTEST = check_config({})["segments"]["min_frames"]

Tracks = list[tuple[int, int]]


@dataclass
class Person:
    """A video that shows a face from frame `start` to `end`, on the grid."""

    path: Path
    start: int
    end: int


def clips_of(frames: Callable[[], Iterable[np.ndarray]], *, look: bool) -> Tracks:
    """First and last frame (exclusive) of what is long enough for clips; `look`: for transitions
    and changes of appearance."""
    settings = check_config({})
    scenes, tracks = dict(settings["scenes"]), dict(settings["tracks"])
    if not look:
        scenes["gradual"], tracks["max_change"] = False, None
    gradual = {name: scenes[name] for name in ("min_scene_frames", "gradual")}
    del scenes["gradual"]
    shots = find_scenes(frames(), make_detector(**scenes), **gradual)
    if not len(shots):
        return []
    with detection.load(threads=1) as detector:
        table = track_faces(frames(), shots, detector.follow, **tracks)
    found = [table.frame[table.track == number] for number in np.unique(table.track)]
    return [(int(f[0]), int(f[-1]) + 1) for f in found if len(f) >= SHORTEST]


def people(folders: Iterable[Path], half: int | None, seconds: float) -> Iterator[Person]:
    """The longest face of every video that has one for so long."""
    paths = {p for folder in folders for p in folder.rglob("*") if p.suffix in SUFFIXES}
    for path in sorted(paths, key=lambda path: path.name):
        if half is not None and zlib.crc32(path.stem.encode()) % 2 != half:
            continue
        # Without transitions and appearance, these are not asked which videos they are judged on.
        tracks = clips_of(lambda path=path: first_frames(path), look=False)
        start, end = max(tracks, key=lambda t: t[1] - t[0], default=(0, 0))
        if end - start >= 25 * seconds:
            yield Person(path, start, end)


def first_frames(path: Path, count: int = 1000) -> Iterator[np.ndarray]:
    """A video's first frames on the grid, its longer side 640 at most."""
    for frame, image in enumerate(proxy_frames(path)):
        if frame == count:
            return
        scale = 640 / max(image.shape[:2])
        yield cv2.resize(image, None, fx=scale, fy=scale) if scale < 1 else image


def join(
    one: Person, other: Person, kind: str, seconds: float, target: Path, rng: np.random.Generator
) -> tuple[int, int]:
    """Write one person and then the other; returns the first and last frame of the transition."""
    length = ALONE + seconds
    inputs = []
    for person in (one, other):
        last = person.end / 25 - length
        start = rng.uniform(person.start / 25, max(last, person.start / 25))
        inputs += ["-ss", f"{start:.2f}", "-t", f"{length:.2f}", "-i", str(person.path)]
    same = "fps=25,scale=512:512:force_original_aspect_ratio=increase,crop=512:512,setsar=1"
    how = f"xfade=transition={kind}:duration={seconds}:offset={ALONE}"
    if kind == "cut":
        how = "concat=n=2"
    graph = f"[0:v]{same}[a];[1:v]{same}[b];[a][b]{how},format=yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", graph, "-an"]
    subprocess.run([*command, "-preset", "ultrafast", "-crf", "24", str(target)], check=True)
    return round(25 * ALONE), round(25 * length)


def judge_joined(persons: list[Person], each: int, now: bool) -> None:
    """Print a line for every kind of transition, and one for every length."""
    rng = np.random.default_rng(0)
    results: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "joined.mp4")
        for kind in ("cut", *TRANSITIONS):
            for seconds in (0.0,) if kind == "cut" else SECONDS:
                for _ in range(each * (5 if kind == "cut" else 1)):
                    one, other = rng.choice(len(persons), 2, replace=False)
                    pair = persons[one], persons[other]
                    start, end = join(*pair, kind, seconds, target, rng)
                    row = [float("nan")] * 3 if now else []
                    for look in (True,) if now else (False, True):
                        clips = clips_of(lambda: proxy_frames(target), look=look)
                        row += judged(clips, start, end)
                    for name in (kind, f"{seconds:.2f} s", "all"):
                        results[name].append(tuple(row))
                    if row[3] or row[4]:
                        names = pair[0].path.stem, pair[1].path.stem
                        print(f"  {kind} {seconds}: {names} {row[3:]} {clips}", flush=True)
            print_joined(kind, results[kind])
    for name in (*(f"{seconds:.2f} s" for seconds in (0.0, *SECONDS)), "all"):
        print_joined(name, results[name])


def judged(clips: Tracks, start: int, end: int) -> list[float]:
    """Whether a clip has both people, and one the transition's middle, and the share that is kept.

    A clip has a person whose frames it has 3 or more of.
    """
    both = any(a <= start - 3 and b >= end + 3 for a, b in clips)
    middle = start + (end - start) / 4, end - (end - start) / 4
    mixed = end > start and any(a < middle[1] - 1 and b > middle[0] + 1 for a, b in clips)
    kept = sum(max(0, min(b, start) - a) + max(0, b - max(a, end)) for a, b in clips)
    return [both, mixed, min(1.0, kept / (2 * 25 * ALONE))]


def print_joined(name: str, rows: list[tuple[float, ...]]) -> None:
    if rows:
        mean = np.mean(rows, axis=0)
        before = f"both {mean[0]:5.2f} mixed {mean[1]:5.2f} kept {mean[2]:5.2f}"
        now = f"both {mean[3]:5.3f} mixed {mean[4]:5.3f} kept {mean[5]:5.2f}"
        print(f"{name:<12}{len(rows):5d} pairs   before: {before}   now: {now}", flush=True)


def zoomed(images: list[np.ndarray], seconds: float) -> list[np.ndarray]:
    """Slowly larger by half in the first `seconds` of every two, and back."""
    out = []
    for k, image in enumerate(images):
        phase = (k / 25 % 4) / seconds
        share = min(phase, 1) if k / 25 % 4 < 2 else max(0, 1 - (k / 25 % 4 - 2) / seconds)
        out.append(part(image, 1 / (1 + 0.5 * share), 0.5, 0.5))
    return out


def panned(images: list[np.ndarray], seconds: float) -> list[np.ndarray]:
    """From side to side by a quarter of the width, in `seconds`, and two of rest."""
    out = []
    for k, image in enumerate(images):
        at = k / 25 % (2 * seconds + 4)
        share = np.interp(at, [0, 2, 2 + seconds, 4 + seconds, 4 + 2 * seconds], [0, 0, 1, 1, 0])
        out.append(part(image, 0.75, float(share), 0.5))
    return out


def shaken(images: list[np.ndarray]) -> list[np.ndarray]:
    """By hand: turning by up to 6 % of the picture, some twice a second."""
    rng = np.random.default_rng(1)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (len(images), 2)), (1, 31), 5)
    noise = np.clip(0.5 + 1.2 * noise, 0, 1)
    return [part(image, 0.85, *at) for image, at in zip(images, noise, strict=True)]


def flashed(images: list[np.ndarray], length: int) -> list[np.ndarray]:
    """So many very bright frames, every two seconds."""
    bright = (cv2.convertScaleAbs(image, alpha=1.3, beta=120) for image in images)
    return [
        flash if k % 50 < length else image
        for k, (image, flash) in enumerate(zip(images, bright, strict=True))
    ]


def lit(images: list[np.ndarray], seconds: float) -> list[np.ndarray]:
    """Darker by half and bright again, every two seconds, within `seconds`."""
    out = []
    for k, image in enumerate(images):
        share = np.interp(k / 25 % 4, [0, 1, 1 + seconds, 3, 3 + seconds], [1, 1, 0.5, 0.5, 1])
        out.append(cv2.convertScaleAbs(image, alpha=float(share)))
    return out


def part(image: np.ndarray, size: float, x: float, y: float) -> np.ndarray:
    """A part of an image as large as the image, at x and y from 0 to 1 of what is left over."""
    height, width = image.shape[:2]
    scale = 1 / size
    matrix = np.array(
        [
            [scale, 0, -scale * x * width * (1 - size)],
            [0, scale, -scale * y * height * (1 - size)],
        ]
    )
    return cv2.warpAffine(image, matrix, (width, height))


LOOKS: dict[str, Callable[[list[np.ndarray]], list[np.ndarray]]] = {
    "as it is": lambda images: images,
    "zoom in 1.5 s": lambda images: zoomed(images, 1.5),
    "zoom in 0.4 s": lambda images: zoomed(images, 0.4),
    "pan in 1.5 s": lambda images: panned(images, 1.5),
    "pan in 0.4 s": lambda images: panned(images, 0.4),
    "shaking": shaken,
    "flash of 1": lambda images: flashed(images, 1),
    "flash of 3": lambda images: flashed(images, 3),
    "light in 0.5 s": lambda images: lit(images, 0.5),
    "light at once": lambda images: lit(images, 0.04),
}


def judge_alone(persons: list[Person]) -> None:
    """Print for every look how much of the videos is in clips, before and now."""
    for name, change in LOOKS.items():
        before = now = 0
        for person in persons:
            images = change(list(first_frames(person.path, LONGEST)))
            old, new = (
                sum(b - a for a, b in clips_of(lambda i=images: i, look=look))
                for look in (False, True)
            )
            before, now = before + old, now + new
            if abs(new - old) > 5:
                print(f"  {name}: {person.path.stem} {old} {new}", flush=True)
        print(f"{name:<16} before {before:7d} frames, now {now:7d} {now / before:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--half", type=int, choices=(0, 1))
    parser.add_argument("--each", type=int, default=2, help="pairs of every kind and length")
    parser.add_argument("--only", choices=("joined", "alone"))
    parser.add_argument("--now", action="store_true")
    options = parser.parse_args()
    persons = list(people(options.folders, options.half, SHORTEST / 25))
    longest = 25 * (ALONE + SECONDS[-1]) + 2
    long = [person for person in persons if person.end - person.start >= longest]
    print(f"{len(persons)} videos, {len(long)} to join")
    if options.only != "alone":
        judge_joined(long, options.each, options.now)
    if options.only != "joined":
        judge_alone(persons)


if __name__ == "__main__":
    main()
