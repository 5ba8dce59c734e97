"""What the workflow adds to the learned backends' networks: speed, memory, size on the disk.

    python benchmarks/learned.py [VIDEO] [--backends NAME ...] [--threads N] [--device cpu]

Every backend runs in a process of its own, on weights made here: random ones, of the size and
layout of the published ones. The stage is what the workflow's does with a clip: decoding,
preparing, the network, writing. The bare network is the same calls of it again, as many as the
stage made, on the batches that the stage gave it. Blocks of both take turns, after one of each for
warming up. Seconds are the processor's, of all threads: other work on the machine hardly disturbs
them, and they count what is done beside the network on other cores. With a card, and in the last
column, they are the clock's.

start-up    what the first block of the stage takes more than a later one, from the start of Python
            on: imports, loading, what torch does at the first run
bare, stage frames a second of one core, medians over the turns
ratio       median of the turns' stage over bare
peak        the process's resident memory after the first block
kB/frame    written; maps of random networks are rougher than those of trained ones
frames/s    of the stage, by the clock, on all its threads, in the fastest turn

Clips are 512 x 512, the middle of VIDEO (by default the demonstration's vlog); syncnet reads VIDEO
itself, with a face of half its height in its middle. At last: what several clips of a video cost
hubert, which is started once for all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from helpers.settings import default_settings  # noqa: E402
from talkingface.job.files import write_json  # noqa: E402
from talkingface.media.clip_files import Clip  # noqa: E402
from talkingface.models.store import StoredModel  # noqa: E402
from talkingface.pictures.parsing.labels import LABELS  # noqa: E402

SIZE = 512
# Frames of a block; on a slow processor some 10 s.
FRAMES = {
    "hubert": 750,
    "syncnet": 200,
    "bisenet": 64,
    "segformer": 8,
    "dagan_resnet18": 128,
    "dagan_resnet50": 64,
    "depth_anything": 12,
}
HUBERT_CLIP = 250  # of max_seconds' 30 s three make a batch
SHORT_CLIP, MANY = 75, 10  # frames and number of the clips of the last lines

# What the published models have, where transformers' defaults are others.
DAGAN_SIZE = (256, 256)
HUBERT_LARGE = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
    "intermediate_size": 4096, "feat_extract_norm": "layer", "do_stable_layer_norm": True,
}  # fmt: skip
SEGFORMER_B5 = {
    "depths": [3, 6, 40, 3], "hidden_sizes": [64, 128, 320, 512], "decoder_hidden_size": 768,
    "num_attention_heads": [1, 2, 5, 8],
}  # fmt: skip
DEPTH_ANYTHING_SMALL = {
    "backbone_config": {
        "model_type": "dinov2", "hidden_size": 384, "image_size": 518, "num_attention_heads": 6,
        "out_indices": [3, 6, 9, 12], "patch_size": 14, "reshape_hidden_states": False,
    },
    "fusion_hidden_size": 64, "head_hidden_size": 32, "neck_hidden_sizes": [48, 96, 192, 384],
    "reassemble_hidden_size": 384,
}  # fmt: skip
PREPROCESSOR = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}

Stage = Callable[[Path], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path, nargs="?")
    parser.add_argument("--backends", nargs="*", choices=FRAMES, default=list(FRAMES))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--times", type=float, default=1, help="longer blocks, for fast cards")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = (options.video or demonstration(folder)).resolve()
        made = {key: max(8, int(options.times * count)) for key, count in FRAMES.items()}
        length = make_sound(video, folder)
        made["syncnet"] = min(made["syncnet"], length)
        make_clips(video, folder, {made[name] for name in options.backends})
        print(f"{video.name}, {options.threads} threads, {options.device}, {options.precision}")
        head = ("backend", "frames", "start-up s", "bare", "stage", "ratio", "peak MB", "kB/frame")
        row = "{:<16}{:>7}{:>12}{:>9}{:>9}{:>7}{:>9}{:>10}{:>10}"
        print(row.format(*head, "frames/s"), flush=True)
        for name in options.backends:
            make_weights(name, folder / name)
            measured = run_child(name, made[name], video, folder, options)
            values = columns(measured, made[name], options.device == "cpu")
            print(row.format(name, made[name], *values), flush=True)
        if "hubert" in options.backends:
            for count in (1, MANY):
                measured = run_child(f"clips {count}", SHORT_CLIP, video, folder, options)
                seconds = measured["first"][options.device == "cpu"]
                print(
                    f"hubert, {count} clips of {SHORT_CLIP / 25:g} s in one process: "
                    f"{seconds:.1f} s, {seconds / count:.1f} s a clip",
                    flush=True,
                )


def columns(measured: dict[str, Any], frames: int, processor: bool) -> list[str]:
    # Both kinds of blocks have wall and processor seconds, one pair a turn.
    bare, stage = np.array(measured["bare"]), np.array(measured["stage"])
    clock = int(processor)
    seconds = [median(blocks[:, clock]) for blocks in (bare, stage)]
    return [
        f"{measured['first'][clock] - seconds[1]:.1f}",
        *(f"{frames / second:.3g}" for second in seconds),
        f"{median(bare[:, clock] / stage[:, clock]):.2f}",
        f"{measured['peak']:.0f}",
        f"{measured['bytes'] / frames / 1000:.1f}",
        f"{frames / stage[:, 0].min():.3g}",
    ]


def run_child(name: str, frames: int, video: Path, folder: Path, options: Any) -> dict[str, Any]:
    words = [sys.executable, __file__, str(video), "--child", f"{folder}:{frames}:{name}"]
    words += ["--began", str(time.monotonic())]
    for key in ("threads", "device", "precision", "turns"):
        words += [f"--{key}", str(getattr(options, key))]
    # Threads that wait sleep, so that waiting does not count as work.
    environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{name} failed")
    return json.loads(done.stdout.splitlines()[-1])


# In the process of a backend ---------------------------------------------------------------------


def child(options: Any) -> None:
    place, frames, name = options.child.split(":")
    folder = Path(place)
    machine = {key: getattr(options, key) for key in ("device", "threads", "precision")}
    if name.startswith("clips "):
        written(load_hubert(folder, [int(frames)] * int(name.split()[1]), machine), folder)
        print(json.dumps({"first": [time.monotonic() - options.began, time.process_time()]}))
        return
    stage = load(name, int(frames), options.video, folder, machine)
    written(stage, folder)
    first = time.monotonic() - options.began, time.process_time()
    measured: dict[str, Any] = {"first": first, "bare": [], "stage": []}
    measured["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with recorded_calls() as calls:
        measured["bytes"] = written(stage, folder)
    replay(calls)
    for _ in range(options.turns):
        measured["bare"].append(timed(lambda: replay(calls)))
        measured["stage"].append(timed(lambda: written(stage, folder)))
    print(json.dumps(measured))


def load(name: str, frames: int, video: Path, folder: Path, options: dict[str, Any]) -> Stage:
    """What makes the backend's products of a clip in a folder, as its stage does."""
    if name == "hubert":
        count = max(1, frames // HUBERT_CLIP)
        return load_hubert(folder, [frames // count] * count, options)
    if name == "syncnet":
        return load_syncnet(frames, video, folder, options)
    from talkingface.faces.landmark_files import Landmarks
    from talkingface.media.prefetch import prefetch
    from talkingface.pictures.depth import depth
    from talkingface.pictures.parsing import parsing

    backend, model = name.partition("_resnet")[0], StoredModel(name, folder / name, "")
    clip = Clip(str(frames), frames, SIZE, SIZE, folder)
    points, present = np.full((frames, 478, 3), np.nan, np.float32), np.zeros(frames, bool)
    nobody = Landmarks(points, points[:, :68, :2], present)
    if backend in parsing.BACKENDS:
        person = default_settings("parsing")["person"]
        parser = parsing.load(backend, model=model, person=person, **options)
        threads = options["threads"]
        return lambda into: parsing.parse_clip(
            parser, prefetch(clip.frames()), nobody, into / "clip", threads
        )
    network = depth.load(backend, model=model, **options)
    return lambda into: depth.write_depth(network, clip, nobody, into / "clip", into / "clip.json")


def load_syncnet(frames: int, video: Path, folder: Path, options: dict[str, Any]) -> Stage:
    from talkingface.job.tables import table_of_columns, write_table
    from talkingface.media.video import bgr_frames
    from talkingface.sync import sync
    from talkingface.sync.comparison import VideoFiles
    from talkingface.tables import SYNC, SYNC_FRAMES, TRACKS

    settings = default_settings("sync") | {"backend": "syncnet"} | options
    model = StoredModel("syncnet", folder / "syncnet", "")
    network = sync.load(settings.pop("backend"), model=model, **settings)
    height, width = next(bgr_frames(video, [(0, 1)]))[1].shape[:2]
    face = {"x": width / 2 - height / 4, "y": height / 4, "w": height / 2, "h": height / 2}
    certain = {"track": 0, "scene": 0, "confidence": 1, "detected": 1}
    tracks = table_of_columns(TRACKS, {"frame": np.arange(frames)} | certain | face)
    files = VideoFiles(folder / "proxy.mp4", lambda frame: 1.0, folder / f"{frames}.wav", video)

    def stage(into: Path) -> None:
        of_tracks, of_frames = sync.compare_tracks(network, files, tracks)
        write_table(of_tracks, into / "sync.csv", SYNC)
        write_table(of_frames, into / "sync.frames.csv", SYNC_FRAMES)

    return stage


def load_hubert(folder: Path, lengths: list[int], options: dict[str, Any]) -> Stage:
    from talkingface.grid import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
    from talkingface.media.audio import read_wav, write_wav
    from talkingface.sound import hubert

    clips = [Clip(f"clip{k}", length, SIZE, SIZE, folder) for k, length in enumerate(lengths)]
    sound = read_wav(folder / "sound.wav")
    for clip in clips:
        samples = np.resize(sound, clip.n_frames * SAMPLES_PER_FRAME)
        write_wav(folder / f"{clip.clip_id}.wav", samples, SAMPLE_RATE)
    settings = default_settings("hubert")
    most, overlap = (int(settings[key] * FPS) for key in ("max_seconds", "overlap_seconds"))
    network = hubert.load(StoredModel("hubert", folder / "hubert", ""), **options)
    layers, dtype = list(range(network.layers)), np.dtype(settings["dtype"])

    def stage(into: Path) -> None:
        writer = hubert.HiddenStateWriter(network, clips, layers, dtype, most, overlap)
        for clip in clips:
            writer.write(clip, into)

    return stage


def written(stage: Stage, folder: Path) -> int:
    """Run the stage once; how many bytes it wrote."""
    with tempfile.TemporaryDirectory(dir=folder) as into:
        stage(Path(into))
        return sum(path.stat().st_size for path in Path(into).rglob("*") if path.is_file())


@contextmanager
def recorded_calls() -> Iterator[list[tuple[Callable[[], Any], int]]]:
    """Gathers every call of a network from outside: what repeats it, and how often it was made.

    Calls of one module on tensors of the same shapes count as one, repeated.
    """
    from torch import nn

    counted: dict[Any, list[Any]] = {}
    calls: list[tuple[Callable[[], Any], int]] = []
    depth = 0
    original = nn.Module.__call__

    def call(module: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        if depth == 0:
            shapes = [getattr(value, "shape", None) for value in (*args, *kwargs.values())]
            key = (id(module), str(shapes))
            counted.setdefault(key, [lambda: original(module, *args, **kwargs), 0])[1] += 1
        depth += 1
        try:
            return original(module, *args, **kwargs)
        finally:
            depth -= 1

    nn.Module.__call__ = call
    try:
        yield calls
    finally:
        nn.Module.__call__ = original
    calls += [(repeat, count) for repeat, count in counted.values()]


def replay(calls: list[tuple[Callable[[], Any], int]]) -> None:
    import torch

    with torch.inference_mode():
        for repeat, count in calls:
            for _ in range(count):
                repeat()
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Wall seconds and processor seconds of all threads."""
    began = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began[0], time.process_time() - began[1]


# Clips and weights -------------------------------------------------------------------------------


def demonstration(folder: Path) -> Path:
    from talkingface.demo.videos import demo_videos, write_video

    [video] = (video for video in demo_videos() if video.video_id == "vlog")
    path = folder / video.file
    write_video(path, video.frames(), video.rate, video.sound(), video.audio_rate)
    return path


def make_sound(video: Path, folder: Path) -> int:
    """`sound.wav`; how many frames the video has."""
    from talkingface.shots.proxy import encode_proxy

    settings = default_settings("proxy")
    proxy = encode_proxy(video, folder / "proxy.mp4", folder / "sound.wav", **settings)
    if proxy.status != "ok":
        sys.exit(f"{video}: {proxy.reason}")
    return proxy.n_frames


def make_clips(video: Path, folder: Path, lengths: set[int]) -> None:
    """`{frames}.mp4` and `.wav` of every length, from the video as often as it takes."""
    import av
    import cv2

    from talkingface.grid import SAMPLE_RATE, SAMPLES_PER_FRAME
    from talkingface.media.audio import read_wav, write_wav
    from talkingface.media.video import bgr_frames, limited_yuv420p
    from talkingface.media.writer import VideoWriter

    sound = read_wav(folder / "sound.wav")
    pictures = []
    for _, frame in islice(bgr_frames(video), max(lengths)):
        side = min(frame.shape[:2])
        top, left = ((length - side) // 2 for length in frame.shape[:2])
        square = cv2.resize(frame[top : top + side, left : left + side], (SIZE, SIZE))
        pictures.append(limited_yuv420p(av.VideoFrame.from_ndarray(square, "bgr24")))
    for length in lengths:
        with VideoWriter(
            folder / f"{length}.mp4", SIZE, SIZE, colour=pictures[0], preset="superfast", crf=18
        ) as writer:
            for picture in islice(cycle(pictures), length):
                writer.write(picture)
        samples = np.resize(sound, length * SAMPLES_PER_FRAME)
        write_wav(folder / f"{length}.wav", samples, SAMPLE_RATE)


def make_weights(name: str, folder: Path) -> None:
    """A backend's model as it is published, but for the weights, in `folder`."""
    import torch
    import transformers

    from helpers.random_networks import random_bisenet, random_dagan
    from helpers.random_syncnet import random_state

    folder.mkdir()
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    if name == "syncnet":
        torch.save(random_state(), folder / "syncnet_v2.model")
    elif name == "bisenet":
        torch.save(random_bisenet(), folder / "79999_iter.pth")
    elif name.startswith("dagan"):
        states = random_dagan(int(name.removeprefix("dagan_resnet")), *DAGAN_SIZE)
        for part, state in zip(("encoder", "depth"), states, strict=True):
            torch.save(state, folder / f"{part}.pth")
    elif name == "hubert":
        config = transformers.HubertConfig(**HUBERT_LARGE)
        transformers.HubertModel(config).save_pretrained(folder)
        transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    elif name == "segformer":
        config = transformers.SegformerConfig(**SEGFORMER_B5, id2label=dict(enumerate(LABELS)))
        transformers.SegformerForSemanticSegmentation(config).save_pretrained(folder)
        resized = {"resample": 2, "size": {"height": 512, "width": 512}}
        write_json(PREPROCESSOR | resized, folder / "preprocessor_config.json")
    else:
        config = transformers.DepthAnythingConfig(**DEPTH_ANYTHING_SMALL)
        model = transformers.DepthAnythingForDepthEstimation(config)
        # Far from 0, where the network cuts off.
        torch.nn.init.constant_(model.head.conv3.bias, 20)
        model.save_pretrained(folder)
        resized = {"resample": 3, "size": {"height": 518, "width": 518}}
        resized |= {"keep_aspect_ratio": True, "ensure_multiple_of": 14}
        write_json(PREPROCESSOR | resized, folder / "preprocessor_config.json")


if __name__ == "__main__":
    main()
