"""A small results folder as a finished run leaves it, of made-up content in the right form."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np

from talkingface import tables
from talkingface.faces.landmark_files import Landmarks, write_landmarks, write_text
from talkingface.job.tables import empty_table, table_of_rows, write_table
from talkingface.media.audio import write_wav
from talkingface.media.writer import VideoWriter, frame_from_planes
from talkingface.report.javascript import write_data
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.shots.timeline import Picture
from talkingface.stage import is_folder
from talkingface.stages import STAGES

N_FRAMES, WIDTH, HEIGHT = 4, 32, 16
TABLES = tables.tables_by_path()
# Of a clip there is a strip, and no picture of why it was rejected.
_OF_PREVIEW = {"pictures": 10, "cause_frame": None}
DATASET = ("clips.csv", "train.csv", "eval.csv", "rejected.csv")


def finish_video(results: Path, video: str, clips: int = 1) -> list[str]:
    """Write what all stages make of a video; the names of its clips."""
    names = [f"{video}_{k:06d}_{k + N_FRAMES:06d}_00" for k in range(clips)]
    source = results.parent / f"{video}.mp4"
    source.write_bytes(b"a source of somebody's")
    raw = results / f"raw/{video}.media"
    raw.parent.mkdir(parents=True, exist_ok=True)
    raw.symlink_to(source)
    record = {"video_id": video, "status": "ok", "provenance": {"size": 22, "sha256": "of it"}}
    write(results / f"videos/{video}.json", json.dumps(record))
    film(results / f"proxy/{video}.mp4")
    write_wav(results / f"proxy/{video}.wav", np.zeros(640 * N_FRAMES, np.int16), 16_000)
    size = WIDTH, HEIGHT
    proxy = Proxy("ok", None, N_FRAMES, (Picture(0, *size, *size),), size)
    write_proxy(proxy, results / f"proxy/{video}.json")
    for stage in STAGES.values():
        for pattern in stage.video_files:
            definition = TABLES.get(pattern)
            if definition is not None:
                rows = []
                if stage.clip_files:
                    sizes = {"n_frames": N_FRAMES, "width": WIDTH, "height": HEIGHT}
                    filled = dict.fromkeys(definition.names, 0) | sizes | _OF_PREVIEW
                    texts = {c.name: "" for c in definition.columns if c.kind == "text"}
                    rows = [filled | texts | {"clip_id": name} for name in names]
                table = table_of_rows(definition, rows)
                write_table(table, results / pattern.format(video=video), definition)
        if stage.clip_folder:
            (results / stage.clip_folder.format(video=video)).mkdir(parents=True)
        for pattern in stage.clip_files:
            for name in names:
                write_product(results / pattern.format(video=video, clip=name), pattern)
    write(results / f"finished/{video}", "")
    return names


def finish_dataset(results: Path) -> None:
    """Write the tables of a dataset without clips, and its summary."""
    for name in DATASET:
        write(results / "dataset" / name, "clip_id,video_id\n")
    write(results / "dataset/summary.json", "{}")


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def film(path: Path, n_frames: int = N_FRAMES) -> None:
    """An mp4 of grey noise, WIDTH x HEIGHT, without sound."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0)
    with VideoWriter(path, WIDTH, HEIGHT, preset="superfast", crf=18, sound=None) as writer:
        for _ in range(n_frames):
            luma = noise.integers(0, 255, (HEIGHT, WIDTH), np.uint8)
            chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
            writer.write(frame_from_planes(luma, chroma, chroma))


def write_product(path: Path, pattern: str) -> None:
    """What a stage makes of a clip, with the shape that docs/outputs.md says it has."""
    name = pattern.split("/")[0]
    if is_folder(pattern):
        path.mkdir()
        if one_file(pattern).endswith(".lms"):
            for k in range(N_FRAMES):
                (path / f"{k + 1:06d}.lms").write_text("1.5 2.5\n" * 68)
            return
        if name == "aniportrait":
            for k in range(N_FRAMES):
                np.save(path / f"{k + 1:06d}.npy", np.ones((478, 3), np.float32))
            return
        shape, dtype = {
            "depth": ((HEIGHT, WIDTH), np.uint16),
            "frames": ((HEIGHT, WIDTH, 3), np.uint8),
            "parsing": ((HEIGHT, WIDTH), np.uint8),
            "radnerf": ((HEIGHT, WIDTH, 3), np.uint8),
            "torso": ((HEIGHT, WIDTH, 4), np.uint8),
            "wav2lip": ((HEIGHT // 2, WIDTH // 3, 3), np.uint8),
            "pc_avs": ((224, 224, 3), np.uint8),
        }[name]
        for k in range(N_FRAMES):
            cv2.imwrite(str(path / f"{k + 1:06d}.png"), np.full(shape, k, dtype))
    elif path.suffix in (".png", ".jpg"):
        shape = (HEIGHT, WIDTH, 3)
        if name == "hallo":
            shape = (64, 64) if "{clip}." in pattern.removesuffix(".png") else (HEIGHT, WIDTH)
        cv2.imwrite(str(path), np.zeros(shape, np.uint8))
    elif path.suffix == ".pt":
        with zipfile.ZipFile(path, "w") as file:  # As torch writes them.
            file.writestr("archive/data/0", np.ones(512, np.float32).tobytes())
    elif path.suffix == ".mp4":
        film(path)
    elif path.suffix == ".wav":
        write_wav(path, np.zeros(640 * N_FRAMES, np.int16), 16_000)
    elif path.suffix == ".npy":
        shapes = {"pose": (4, 3), "mfcc": (16, 39), "mel": (16, 80), "hubert": (2, 8, 5)}
        np.save(path, np.ones(shapes[name], np.float32))
    elif name == "landmarks_hdf5":
        features, points = (np.ones((N_FRAMES, width), np.float32) for width in (128, 136))
        np.savez(path, features=features, landmarks=points)
    elif path.suffix == ".npz":
        points, points68 = (np.ones(s, np.float32) for s in ((4, 478, 3), (4, 68, 2)))
        write_landmarks(path, Landmarks.of(points, points68))
    elif path.suffix == ".txt":
        write_text(path, np.ones((4, 68, 2)), np.ones(4, bool))
    elif path.suffix == ".js":
        write_data(path.stem, {"n_frames": N_FRAMES}, path)
    elif path.suffix == ".json":
        path.write_text('{"scale": 1.0, "offset": 0.0}')
    else:
        write_table(empty_table(TABLES[pattern], N_FRAMES), path, TABLES[pattern])


def one_file(pattern: str) -> str:
    """The pattern of a file of a product: of a folder with one a frame, the third."""
    suffix = {"aniportrait/{video}/{clip}": ".npy", "radnerf/{video}/{clip}_lms": ".lms"}
    return f"{pattern}/000003{suffix.get(pattern, '.png')}" if is_folder(pattern) else pattern


def halve(path: Path) -> None:
    """Cut a file to the first half of its bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
