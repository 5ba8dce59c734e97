"""Each stage's wall time over decoding the same file, in one run.

    python benchmarks/stages.py VIDEO [--loop SECONDS] [--memory]

`decode only` reads every frame of the file with libav's own threads and throws it away; it is
measured anew around every stage, for machines are not equally fast all the time. Every stage is the
function that its script calls, with the config's own settings, in a process of its own, on all
cores. What a stage needs before its first frame (imports, models) is measured apart, as its run on
the first seconds of the file: the time of a frame is what the rest of the frames takes. `--loop`
repeats the video without re-encoding until it is that long. `--memory` adds every stage's peak
resident memory on the file and on one ten times as long.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
THREADS = len(os.sched_getaffinity(0))
COUNTED = ("scenes", "tracks", "speech", "sync", "clips")
# Seconds of the file by which start-up is told from work.
SHORT = 4.0


def settings_of(stage: str) -> dict[str, Any]:
    """A stage's section of the config, with the defaults."""
    from talkingface.settings.load import check_config

    return dict(check_config({}).get(stage, {}))


def of_clips() -> list[Any]:
    """The clips, as stages after `clips` are given them."""
    from talkingface.media.clip_files import read_clips

    return read_clips("clips", "clips.csv")


def source_size_at(frame: int) -> tuple[int, int]:
    """Width and height of the source at a grid frame."""
    from talkingface.shots.proxy import read_proxy

    return read_proxy("proxy.json").size_at(frame)


ON_CPU = {"model": None, "device": "cpu", "threads": THREADS}


def proxy(media: str) -> None:
    from talkingface.shots.proxy import make_proxy

    Path("media.json").write_text(json.dumps({"status": "ok", "reason": None}))
    files = (media, "media.json", "proxy.mp4", "proxy.wav", "proxy.json")
    make_proxy(*files, threads=THREADS, **settings_of("proxy"))


def scenes(media: str) -> None:
    from talkingface.shots.scenes import make_scenes

    make_scenes("proxy.mp4", "proxy.json", "scenes.csv", **settings_of("scenes"))


def tracks(media: str) -> None:
    from talkingface.faces.tracks import make_tracks

    files = ("proxy.mp4", "proxy.json", "scenes.csv", "tracks.csv")
    make_tracks(*files, threads=THREADS, **settings_of("tracks"))


def speech(media: str) -> None:
    from talkingface.sound.speech import make_speech

    make_speech("proxy.wav", "proxy.json", "speech.csv", threads=1)


def sync(media: str) -> None:
    from talkingface.shots.proxy import read_proxy
    from talkingface.sync.comparison import VideoFiles
    from talkingface.sync.sync import make_sync

    scale_at = read_proxy("proxy.json").scale_at
    video = VideoFiles(proxy="proxy.mp4", scale_at=scale_at, sound="proxy.wav", media=None)
    tables = ("tracks.csv", "speech.csv", "sync.csv", "sync.frames.csv")
    make_sync(video, *tables, **ON_CPU, **settings_of("sync"))


def segments(media: str) -> None:
    from talkingface.clips.judgement import thresholds_for
    from talkingface.clips.segments import make_segments

    # Whatever the file shows, it is cut into clips.
    lenient = {"min_face_height": 1, "min_loudness": -100, "min_speech_share": 0}
    lenient |= {"min_mouth_motion": 0, "min_probability": 0}
    thresholds = thresholds_for("mesh", **settings_of("segments") | lenient)
    records = ("media.json", "proxy.json")
    tables = ("tracks.csv", "speech.csv", "sync.csv", "sync.frames.csv")
    files = (*records, *tables, "proxy.wav", "segments.csv")
    make_segments("video", *files, thresholds=thresholds)


def clips(media: str) -> None:
    from talkingface.clips.clips import make_clips
    from talkingface.shots.proxy import read_proxy

    files = (media, "proxy.wav", "segments.csv", "tracks.csv", "clips", "clips.csv")
    proxy = read_proxy("proxy.json")
    make_clips(*files, proxy=proxy, threads=THREADS, **settings_of("clips"))


def landmarks(media: str) -> None:
    from talkingface.faces.landmarks import make_landmarks

    make_landmarks(of_clips(), "landmarks", "landmarks.csv", **settings_of("landmarks"))


def pose(media: str) -> None:
    from talkingface.faces.pose import make_pose

    files = ("landmarks", "pose", "pose.csv")
    make_pose(of_clips(), *files, source_size_at=source_size_at, **settings_of("pose"))


def expression(media: str) -> None:
    from talkingface.faces.expression import make_expression

    files = ("landmarks", "expression", "expression.csv")
    make_expression(of_clips(), *files, **settings_of("expression"))


def parsing(media: str) -> None:
    from talkingface.pictures.parsing.parsing import make_parsing

    files = ("landmarks", "parsing", "parsing.csv")
    make_parsing(of_clips(), *files, **ON_CPU, **settings_of("parsing"))


def background(media: str) -> None:
    from talkingface.pictures.background import make_background

    files = ("parsing", "background", "background.csv")
    make_background(of_clips(), *files, **settings_of("background"))


def torso(media: str) -> None:
    from talkingface.pictures.torso import make_torso

    files = ("parsing", "torso", "torso.csv")
    make_torso(of_clips(), *files, threads=THREADS, **settings_of("torso"))


def depth(media: str) -> None:
    from talkingface.pictures.depth.depth import make_depth

    files = ("landmarks", "depth", "depth.csv")
    make_depth(of_clips(), *files, **ON_CPU, **settings_of("depth"))


def quality(media: str) -> None:
    from talkingface.dataset.quality import make_quality

    files = ("landmarks", "pose", "quality", "quality.csv")
    every = settings_of("quality")["every"]
    make_quality(of_clips(), *files, source_size_at=source_size_at, every=every)


def preview(media: str) -> None:
    from talkingface.report.preview import make_preview

    make_preview(
        "segments.csv",
        "clips",
        "clips.csv",
        "preview",
        "preview.csv",
        tracks="tracks.csv",
        speech="speech.csv",
        sync="sync.csv",
        sync_frames="sync.frames.csv",
        landmarks="landmarks",
        pose="pose",
        quality="quality",
        proxy="proxy.mp4",
        proxy_sound="proxy.wav",
        proxy_record="proxy.json",
        speech_threshold=settings_of("segments")["speech_threshold"],
    )


def mfcc(media: str) -> None:
    from talkingface.sound.mfcc import make_mfcc

    make_mfcc(of_clips(), "mfcc", "mfcc.csv")


STAGES: dict[str, Callable[[str], None]] = {
    stage.__name__: stage
    for stage in (
        proxy, scenes, tracks, speech, sync, segments, clips, landmarks, pose, expression, parsing,
        background, torso, depth, quality, preview, mfcc,
    )
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--loop", type=float, metavar="SECONDS", default=0)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--child", choices=STAGES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        STAGES[options.child](str(options.video))
        return
    with tempfile.TemporaryDirectory() as folder:
        media = looped(options.video.resolve(), Path(folder, "media.mp4"), options.loop)
        start = first_seconds(media, Path(folder, "start.mp4"), SHORT)
        for name in ("whole", "start"):
            Path(folder, name).mkdir()
        frames, _ = decode_only(media, THREADS)
        few, _ = decode_only(start, THREADS)
        print(f"{media.name}: {frames} frames, {THREADS} threads")
        print(f"{'stage':<12}{'seconds':>9}{'decode s':>10}{'x decode':>10}{'start-up s':>12}")
        ratios, peaks = {}, {}
        for stage in STAGES:
            decode = decode_only(media, THREADS)[1]
            short, _ = run(stage, start, Path(folder, "start"))
            long, peaks[stage] = run(stage, media, Path(folder, "whole"))
            decode = (decode + decode_only(media, THREADS)[1]) / 2
            seconds = max(0.0, long - short) * frames / (frames - few)
            ratios[stage] = seconds / decode
            idle = max(0.0, long - seconds)
            cells = f"{seconds:9.2f}{decode:10.2f}{ratios[stage]:10.2f}{idle:12.2f}"
            print(f"{stage:<12}{cells}", flush=True)
        total = sum(ratios[stage] for stage in COUNTED)
        print(f"{' + '.join(COUNTED)}: {total:.2f} x decode only")
        print(f"and proxy, which the first four read: {total + ratios['proxy']:.2f}")
        if options.memory:
            memory(media, peaks)


def memory(media: Path, short: dict[str, float]) -> None:
    """Peak memory of every stage on a file ten times as long, over that on `media`."""
    with av.open(str(media)) as container:
        seconds = float(container.duration / av.time_base)
    with tempfile.TemporaryDirectory() as folder:
        long = looped(media, Path(folder, "long.mp4"), 10 * seconds)
        print(f"\n{'peak MB':<12}{seconds:8.0f} s{10 * seconds:8.0f} s{'ratio':>8}")
        for stage in STAGES:
            _, peak = run(stage, long, Path(folder))
            print(
                f"{stage:<12}{short[stage]:10.0f}{peak:10.0f}{peak / short[stage]:8.2f}", flush=True
            )


def decode_only(media: Path, threads: int) -> tuple[int, float]:
    """Number of frames, and seconds to decode them with libav's threads."""
    began = time.perf_counter()
    with av.open(str(media)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        frames = sum(1 for _ in container.decode(stream))
    return frames, time.perf_counter() - began


def run(stage: str, media: Path, folder: Path) -> tuple[float, float]:
    """Wall seconds and peak memory (MB) of a stage in a process of its own, in `folder`."""
    command = [sys.executable, str(Path(__file__).resolve()), str(media), "--child", stage]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{stage} failed: {said.decode()}")
    return seconds, usage.ru_maxrss / 1024


def first_seconds(video: Path, target: Path, seconds: float) -> Path:
    """The first seconds of a video, packets as they are, from its first keyframe on."""
    with av.open(str(video)) as source, av.open(str(target), "w") as output:
        streams = [source.streams.video[0], *source.streams.audio[:1]]
        copies = {s.index: output.add_stream_from_template(s) for s in streams}
        for packet in source.demux(streams):
            if packet.dts is not None and packet.dts * packet.time_base < seconds:
                packet.stream = copies[packet.stream.index]
                output.mux(packet)
    return target


def looped(video: Path, target: Path, seconds: float) -> Path:
    """The video repeated, packets as they are, until it lasts `seconds`; itself where it does."""
    with av.open(str(video)) as container:
        length = container.duration / av.time_base
    if length >= seconds:
        return video
    with av.open(str(target), "w") as output, av.open(str(video)) as first:
        copies = {
            stream.index: output.add_stream_from_template(stream)
            for stream in (first.streams.video[0], *first.streams.audio[:1])
        }
        for repeat in range(int(seconds / length) + 1):
            with av.open(str(video)) as container:
                for packet in container.demux([container.streams[i] for i in copies]):
                    if packet.dts is not None:
                        shift = round(repeat * length / packet.time_base)
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = copies[packet.stream.index]
                        output.mux(packet)
    return target


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
