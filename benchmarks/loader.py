"""How fast windows of clips are read, and what a keyframe interval costs and gives.

    python benchmarks/loader.py VIDEO [VIDEO ...]

Clips are made of real footage, of the whole length of every video and the square in its middle, as
the workflow encodes them by default, with several keyframe intervals; their size is told. Then the
same random windows are read by the loader, by PyAV alone (open, seek to the keyframe before,
decode, to RGB), and from the single pictures of the feature `frames`. All ways take turns in one
run, and are compared in time of the clock and of a processor, as a machine may have others to
serve. With PyTorch installed the loader is
also tried in a DataLoader, with and without workers.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from talkingface import tables
from talkingface.clips.clips import Encoding, write_clips
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.grid import clip_name
from talkingface.job.tables import table_of_rows, write_table
from talkingface.loader import TalkingFaceDataset, collate
from talkingface.media.clip_files import Clip
from talkingface.pictures.frames import make_frames
from talkingface.settings.load import check_config
from talkingface.shots.proxy import encode_proxy
from talkingface.sound.mfcc import make_mfcc

FEATURES = ("landmarks", "landmarks68", "mfcc")
COLUMNS = ("video", "audio", "boxes", *FEATURES)
# What a model of lips typically reads.
SOUND_AND_MESH = ("frames", "audio", "mfcc", "landmarks")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--intervals", type=int, nargs="+", default=[250, 50, 25, 12])
    parser.add_argument("--frames", type=int, default=5, help="length of the windows")
    parser.add_argument("--windows", type=int, default=20, help="windows read at a time")
    parser.add_argument("--rounds", type=int, default=9, help="the median of so many is told")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = {n: Path(folder, f"{n}/results") for n in options.intervals}
        for interval, into in results.items():
            make_results(options.videos, into, interval)
            films = list(into.glob("clips/*/*.mp4"))
            sound = sum(sound_bytes(film) for film in films)
            size = sum(film.stat().st_size for film in films)
            print(
                f"keyframe interval {interval}: {size / 1e6:.2f} MB, {sound / 1e6:.2f} of it sound"
            )
        pictures = Path(folder, "frames")
        write_pictures(results[options.intervals[0]], pictures)
        size = sum(path.stat().st_size for path in pictures.rglob("*.png"))
        print(f"single pictures (png): {size / 1e6:.0f} MB")
        for interval, into in results.items():
            print(f"\nkeyframe interval {interval}, windows of {options.frames} frames")
            compare(into, pictures, options)


def make_results(videos: list[Path], results: Path, interval: int) -> None:
    """A results folder with a clip of every video, of the square in its middle."""
    settings = check_config({})["clips"]
    encoding = Encoding(settings["preset"], settings["crf"], interval, 2)
    rows = []
    for number, video in enumerate(videos):
        name = f"v{number}"
        folder = results / "clips" / name
        folder.mkdir(parents=True)
        sound = results / f"{name}.wav"
        proxy = encode_proxy(video, results / f"{name}.mp4", sound, long_side=640, threads=2)
        width, height = proxy.size_at(0)
        side = 0.6 * min(width, height)
        clip_id = clip_name(name, 0, proxy.n_frames, 0)
        whole = {"start_frame": 0, "end_frame": proxy.n_frames, "n_frames": proxy.n_frames}
        segment = {"clip_id": clip_id, "video_id": name, "scene": 0, "track": 0, **whole}
        segments = table_of_rows(tables.SEGMENTS, [segment])
        face = {"x": (width - side) / 2, "y": (height - side) / 2, "w": side, "h": side}
        seen = {"track": 0, "scene": 0, "confidence": 1, "detected": 1, **face}
        boxes = [{"frame": k, **seen} for k in range(proxy.n_frames)]
        track = table_of_rows(tables.TRACKS, boxes)
        chosen = {key: settings[key] for key in ("crop", "scale", "size", "correct_offset")}
        made = write_clips(
            video, sound, segments, track, folder, proxy=proxy, encoding=encoding, **chosen
        )
        clip = Clip(clip_id, proxy.n_frames, int(made.width[0]), int(made.height[0]), folder)
        make_features(results, name, clip)
        row = {column: made[column][0] for column in tables.CLIPS.names}
        rows.append({**dict.fromkeys(COLUMNS, "-"), **row, "split": "train"})
    definition = tables.dataset_clips(COLUMNS)
    (results / "dataset").mkdir()
    texts = {c.name: "" for c in definition.columns if c.kind == "text"}
    empty = {c.name: 0 for c in definition.columns} | texts
    table = table_of_rows(definition, [empty | row for row in rows])
    write_table(table, results / "dataset/train.csv", definition)


def make_features(results: Path, name: str, clip: Clip) -> None:
    """MFCC, and a mesh of noise: what is in it does not matter to the time."""
    (results / "mfcc").mkdir(exist_ok=True)
    make_mfcc([clip], results / "mfcc" / name, results / f"mfcc/{name}.csv")
    points = np.random.default_rng(0).normal(0, 200, (clip.n_frames, 478, 3)).astype(np.float32)
    (results / "landmarks" / name).mkdir(parents=True)
    marks = Landmarks.of(points, points[:, :68, :2])
    write_landmarks(results / f"landmarks/{name}/{clip.clip_id}.npz", marks)


def sound_bytes(film: Path) -> int:
    """Of how many bytes the sound of a film is."""
    with av.open(str(film)) as container:
        return sum(packet.size for packet in container.demux(audio=0))


def write_pictures(results: Path, folder: Path) -> None:
    """The feature `frames` of all clips, as png."""
    for video in sorted((results / "clips").iterdir()):
        (film,) = video.glob("*.mp4")
        with av.open(str(film)) as container:
            stream = container.streams.video[0]
            clip = Clip(film.stem, stream.frames, stream.width, stream.height, video)
        settings = {"threads": 2, **check_config({})["frames"]}
        make_frames([clip], folder / video.name, folder / f"{video.name}.csv", **settings)


def compare(results: Path, pictures: Path, options: argparse.Namespace) -> None:
    windows = {"n_frames": options.frames, "windows": "all", "stride": 1}
    dataset = TalkingFaceDataset(results, "train", ["frames"], **windows)
    more = TalkingFaceDataset(results, "train", SOUND_AND_MESH, **windows)
    random = np.random.default_rng(0)
    turns = random.integers(0, len(dataset), (options.rounds, options.windows)).tolist()
    ways: dict[str, Callable[[int], object]] = {
        "PyAV": partial(by_pyav, dataset),
        "PyAV, one thread": partial(by_pyav, dataset, threads=1),
        "loader": dataset.__getitem__,
        f"loader, {', '.join(SOUND_AND_MESH)}": more.__getitem__,
        "png (OpenCV)": partial(by_pictures, dataset, pictures),
    }
    seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for indices in turns:
        for way, read in ways.items():
            began, cpu = time.perf_counter(), time.process_time()
            for index in indices:
                read(index)
            seconds[way].append((time.perf_counter() - began, time.process_time() - cpu))
    baseline = np.array(seconds["PyAV"]) / options.windows
    for way, times in seconds.items():
        tell(way, np.array(times) / options.windows, baseline)
    for workers in (0, 2):
        with_workers(dataset, workers, sum(turns, []), baseline)


def by_pyav(dataset: TalkingFaceDataset, index: int, threads: int = 0) -> np.ndarray:
    """The window as one writes it with PyAV alone, with its own choice of threads or so many."""
    window = dataset.window(index)
    with av.open(str(window.path("video"))) as container:
        stream = container.streams.video[0]
        if threads:
            stream.codec_context.thread_count = threads
        container.seek(round(window.start / 25 / stream.time_base), stream=stream)
        found = []
        for frame in container.decode(stream):
            k = round(frame.pts * stream.time_base * 25)
            if k >= window.start:
                found.append(frame.to_ndarray(format="rgb24"))
            if k == window.stop - 1:
                break
    return np.stack(found)


def by_pictures(dataset: TalkingFaceDataset, folder: Path, index: int) -> np.ndarray:
    """The window from single pictures, by what is usual and fast."""
    window = dataset.window(index)
    into = folder / window.video_id / window.clip_id
    names = (f"{k + 1:06d}.png" for k in range(window.start, window.stop))
    return np.stack([cv2.imread(str(into / name))[..., ::-1] for name in names])


def with_workers(
    dataset: TalkingFaceDataset, workers: int, indices: list[int], baseline: np.ndarray
) -> None:
    """The loader in PyTorch's, the start of its workers left out of the time but not of what it
    costs; baseline: as of `tell`."""
    try:
        from torch.utils.data import DataLoader
    except ImportError:
        return
    cpu = usage(workers)
    batches = iter(
        DataLoader(
            dataset,
            batch_size=4,
            sampler=indices,
            num_workers=workers,
            collate_fn=partial(collate, tensors=True),
        )
    )
    next(batches)
    began = time.perf_counter()
    count = sum(len(batch["lengths"]) for batch in batches)
    seconds = (time.perf_counter() - began) / count
    del batches
    each = (usage(workers) - cpu) / len(indices)
    tell(f"DataLoader, {workers} workers", np.array([[seconds, each]]), baseline)


def usage(workers: int) -> float:
    """Seconds of processor time so far, of this process or of those that it has started."""
    who = resource.RUSAGE_CHILDREN if workers else resource.RUSAGE_SELF
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def tell(way: str, seconds: np.ndarray, baseline: np.ndarray) -> None:
    """seconds: (turns, 2) of the clock and of a processor for a window; baseline: PyAV's own."""
    wall, cpu = np.median(seconds, axis=0)
    faster = np.median(baseline, axis=0) / (wall, cpu)
    print(
        f"  {way:42} {1 / wall:7.1f} windows/s  {1000 * cpu:6.1f} ms of a core  "
        f"{faster[0]:5.2f} x PyAV by the clock, {faster[1]:5.2f} by the processor",
        flush=True,
    )


if __name__ == "__main__":
    main()
