"""Each stage's wall time over decoding the same file, in one run.

    python benchmarks/stages.py VIDEO [--loop SECONDS] [--memory]

`decode only` reads every frame of the file with libav's own threads and throws it away; it is
measured anew around every stage, for machines are not equally fast all the time. Every stage runs
as the workflow runs it, in a process of its own, on all cores; what it needs before its first frame
(imports, models) is measured apart, as the same process on no work. `--loop` repeats the video
without re-encoding until it is that long. `--memory` adds every stage's peak resident memory on the
file and on one ten times as long.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
THREADS = len(os.sched_getaffinity(0))
COUNTED = ("scenes", "tracks", "sync", "clips")

# What scripts/{stage}.py does, on plain paths. `work` says whether there is anything to do.
STAGES = {
    "proxy": """
from talkingface.shots.proxy import make_proxy
from talkingface.job.files import write_json
if work:
    write_json(make_proxy(media, "proxy.mp4", "proxy.wav", threads=threads).to_dict(), "proxy.json")
""",
    "scenes": """
from talkingface.job.files import write_table
from talkingface.shots.proxy import proxy_frames
from talkingface.shots.scenes import find_scenes, make_detector
frames = proxy_frames("proxy.mp4") if work else []
table = find_scenes(frames, make_detector())
if work:
    write_table(table, "scenes.csv")
""",
    "tracks": """
from talkingface.faces import detection
from talkingface.job.files import read_json, read_table, write_table
from talkingface.shots.proxy import Proxy, proxy_frames
from talkingface.faces.tracks import track_faces
with detection.load(threads=threads) as detector:
    if work:
        scenes = list(read_table("scenes.csv").itertuples(index=False, name=None))
        scale = Proxy.from_dict(read_json("proxy.json")).scale
        frames = proxy_frames("proxy.mp4")
        table = track_faces(frames, scenes, detector.follow, scale=scale, threads=threads)
        write_table(table, "tracks.csv")
""",
    "sync": """
import numpy as np
from talkingface.sync import motion
from talkingface.job.files import read_json, read_table, write_table
from talkingface.faces.mesh import FaceMesh
from talkingface.shots.proxy import Proxy, proxy_frames
from talkingface.sync.sync import sync_motion
if work:
    scale = Proxy.from_dict(read_json("proxy.json")).scale
    frames = proxy_frames("proxy.mp4")
    tracks = read_table("tracks.csv")
    tables = sync_motion(frames, tracks, "proxy.wav", scale=scale, threads=threads)
    write_table(tables[0], "sync.csv")
    write_table(tables[1], "sync.frames.csv")
else:
    for _ in range(threads):
        FaceMesh(refine=False).follow(np.zeros((64, 64, 3), np.uint8))
""",
    "segments": """
from talkingface.job.files import read_json, read_table, write_table
from talkingface.shots.proxy import Proxy
from talkingface.clips.segments import Thresholds, judge_segments
if work:
    ledger = judge_segments(
        "video", {"status": "ok"}, Proxy.from_dict(read_json("proxy.json")),
        read_table("tracks.csv"), read_table("sync.csv"), read_table("sync.frames.csv"),
        "proxy.wav", Thresholds(min_face_height=1, min_confidence=-100),
    )
    write_table(ledger, "segments.csv")
""",
    "clips": """
from talkingface.clips.clips import Encoding, make_clips
from talkingface.job.files import read_json, read_table, write_table
from talkingface.shots.proxy import Proxy
from talkingface.clips.segments import kept
if work:
    size = Proxy.from_dict(read_json("proxy.json")).size
    rows = kept(read_table("segments.csv"))
    manifest = make_clips(
        media, "proxy.wav", rows, read_table("tracks.csv"), "clips", frame_size=size,
        encoding=Encoding(threads=threads),
    )
    write_table(manifest, "clips.csv")
    print(f"{manifest.n_frames.sum()} frames in {len(manifest)} clips")
""",
    "landmarks": """
from pathlib import Path
from talkingface.clips.clips import clip_frames, face_boxes
from talkingface.job.files import read_table
from talkingface.faces.landmarks import Landmarker, write_npz
with Landmarker() as landmarker:
    if work:
        Path("landmarks").mkdir(exist_ok=True)
        for clip in read_table("clips.csv").itertuples():
            boxes = face_boxes(read_table(f"clips/{clip.clip_id}.csv"), clip.width, clip.height)
            frames = clip_frames(f"clips/{clip.clip_id}.mp4", clip.n_frames)
            write_npz(f"landmarks/{clip.clip_id}.npz", landmarker.run(frames, boxes))
""",
    "pose": """
from pathlib import Path
import numpy as np
from talkingface.job.files import read_json, read_table
from talkingface.faces.landmarks import read_npz
from talkingface.faces.pose import pose_table, solve_pose, to_source
if work:
    Path("pose").mkdir(exist_ok=True)
    record = read_json("proxy.json")
    for clip in read_table("clips.csv").itertuples():
        crops = read_table(f"clips/{clip.clip_id}.csv")[["crop_x", "crop_y", "crop_w", "crop_h"]]
        found = read_npz(f"landmarks/{clip.clip_id}.npz")
        points = to_source(found.points, crops.to_numpy(), (clip.width, clip.height))
        pose = solve_pose(points, found.present, (record["width"], record["height"]))
        pose_table(pose)
        np.save(f"pose/{clip.clip_id}.npy", pose.angles)
""",
    "expression": """
from talkingface.faces.expression import expression_table
from talkingface.job.files import read_table
from talkingface.faces.landmarks import read_npz
if work:
    for clip in read_table("clips.csv").itertuples():
        found = read_npz(f"landmarks/{clip.clip_id}.npz")
        expression_table(found.points, found.present)
""",
    "parsing": """
from pathlib import Path
import numpy as np
from talkingface.clips.clips import clip_frames
from talkingface.job.files import read_table
from talkingface.faces.landmarks import read_npz
from talkingface.media.prefetch import prefetch
from talkingface.pictures.parsing.parsing import load, parse_clip
with load("mesh", threads=threads) as parser:
    for clip in read_table("clips.csv").itertuples() if work else []:
        found = read_npz(f"landmarks/{clip.clip_id}.npz")
        frames = prefetch(clip_frames(f"clips/{clip.clip_id}.mp4", clip.n_frames))
        folder = Path("parsing", clip.clip_id)
        parse_clip(parser, frames, found.points, found.present, folder, threads)
""",
    "background": """
from talkingface.pictures.background import make_plate
from talkingface.clips.clips import clip_frames
from talkingface.job.files import read_table
from talkingface.media.prefetch import prefetch
from talkingface.pictures.parsing.parsing import read_labels
for clip in read_table("clips.csv").itertuples() if work else []:
    frames = clip_frames(f"clips/{clip.clip_id}.mp4", clip.n_frames)
    make_plate(prefetch(frames), prefetch(read_labels(f"parsing/{clip.clip_id}", clip.n_frames)))
""",
    "torso": """
from talkingface.clips.clips import clip_frames
from talkingface.job.files import read_table
from talkingface.media.prefetch import prefetch
from talkingface.pictures.parsing.parsing import read_labels, write_pngs
from talkingface.pictures.torso import make_torsos
for clip in read_table("clips.csv").itertuples() if work else []:
    frames = clip_frames(f"clips/{clip.clip_id}.mp4", clip.n_frames)
    labels = read_labels(f"parsing/{clip.clip_id}", clip.n_frames)
    write_pngs(make_torsos(prefetch(frames), prefetch(labels)), f"torso/{clip.clip_id}", threads)
""",
    "depth": """
from pathlib import Path
from talkingface.pictures.depth.depth import load, make_depth
from talkingface.job.files import read_table
from talkingface.faces.landmarks import read_npz
backend = load("mesh")
for clip in read_table("clips.csv").itertuples() if work else []:
    Path("depth").mkdir(exist_ok=True)
    make_depth(
        backend, f"clips/{clip.clip_id}.mp4", read_npz(f"landmarks/{clip.clip_id}.npz"),
        (clip.width, clip.height), f"depth/{clip.clip_id}", f"depth/{clip.clip_id}.json",
    )
""",
    "quality": """
import numpy as np
from talkingface.clips.clips import clip_frames
from talkingface.job.files import read_json, read_table
from talkingface.faces.hands import HandFinder
from talkingface.faces.landmarks import read_npz
from talkingface.media.audio import read_wav
from talkingface.dataset.quality import measure_clip
from talkingface.sync.sync import residual_offset
with HandFinder() as hands:
    for clip in read_table("clips.csv").itertuples() if work else []:
        record = read_json("proxy.json")
        found = read_npz(f"landmarks/{clip.clip_id}.npz")
        measure_clip(
            clip_frames(f"clips/{clip.clip_id}.mp4", clip.n_frames),
            read_table(f"clips/{clip.clip_id}.csv"), found.points, found.present,
            np.load(f"pose/{clip.clip_id}.npy"),
            residual_offset(found.points, read_wav(f"clips/{clip.clip_id}.wav")),
            clip_size=(clip.width, clip.height), find_hands=hands.run,
            source_size=(record["width"], record["height"]),
        )
""",
    "mfcc": """
from talkingface.job.files import read_table
from talkingface.media.audio import read_wav
from talkingface.sound.mfcc import mfcc_features
if work:
    for clip in read_table("clips.csv").itertuples():
        mfcc_features(read_wav(f"clips/{clip.clip_id}.wav"))
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--loop", type=float, metavar="SECONDS", default=0)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        media = looped(options.video.resolve(), Path(folder, "media.mp4"), options.loop)
        frames, _ = decode_only(media, THREADS)
        print(f"{media.name}: {frames} frames, {THREADS} threads")
        print(f"{'stage':<12}{'seconds':>9}{'decode s':>10}{'x decode':>10}{'start-up s':>12}")
        ratios, peaks = {}, {}
        for stage in STAGES:
            decode = decode_only(media, THREADS)[1]
            idle, _ = run(stage, media, folder, work=False)
            busy, peaks[stage] = run(stage, media, folder, work=True)
            decode = (decode + decode_only(media, THREADS)[1]) / 2
            seconds = max(0.0, busy - idle)
            ratios[stage] = seconds / decode
            cells = f"{seconds:9.2f}{decode:10.2f}{ratios[stage]:10.2f}{idle:12.2f}"
            print(f"{stage:<12}{cells}", flush=True)
        total = sum(ratios[stage] for stage in COUNTED)
        print(f"{' + '.join(COUNTED)}: {total:.2f} x decode only")
        print(f"and proxy, which the first three read: {total + ratios['proxy']:.2f}")
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
            _, peak = run(stage, long, folder, work=True)
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


def run(stage: str, media: Path, folder: str, *, work: bool) -> tuple[float, float]:
    """Wall seconds and peak memory (MB) of a stage in a process of its own."""
    code = f"work, threads, media = {work}, {THREADS}, {str(media)!r}\n{STAGES[stage]}"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{stage} failed")
    return seconds, usage.ru_maxrss / 1024


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
