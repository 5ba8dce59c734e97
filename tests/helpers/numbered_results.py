"""Results folders in which everything says its number: pictures show that of their frame, samples
that of their place, rows of features their own. So what belongs together can be told from outside.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from helpers.synthetic import number_picture
from talkingface import tables
from talkingface.grid import clip_name
from talkingface.job.tables import table_of_columns, table_of_rows, write_table
from talkingface.media.audio import write_wav
from talkingface.media.writer import VideoWriter

WIDTH, HEIGHT = 64, 32
LAYERS, BANDS = 3, 80
# Of every clip, beside what there always is.
FEATURES = (
    "landmarks", "landmarks68", "pose", "expression", "depth", "depth_scale", "parsing",
    "background", "torso", "mfcc", "mel", "hubert",
)  # fmt: skip
# The frame without a face.
ABSENT = 7
# The quantity of a depth picture of value v is OFFSET + SCALE v.
SCALE, OFFSET = -0.25, 100.0


@dataclass(frozen=True)
class NumberedClip:
    """A clip to make. mel: its layout. offset: by how many frames its sound was delayed."""

    video: str
    n_frames: int
    start: int = 0
    side: str = "train"
    identity: str = "ann"
    offset: int = 0
    mel: str = "grid"
    width: int = WIDTH

    @property
    def name(self) -> str:
        return clip_name(self.video, self.start, self.start + self.n_frames, 0)


def numbered_results(
    results: Path,
    clips: Sequence[NumberedClip],
    *,
    features: Sequence[str] = FEATURES,
    keyframe_interval: int = 12,
) -> Path:
    """Make a results folder with these clips, and give it."""
    columns = ("video", "audio", "boxes", *features)
    rows = []
    for clip in clips:
        write_clip(results, clip, keyframe_interval)
        write_features(results, clip)
        rows.append(row_of(clip, columns))
    speech = {clip.video: clip.start + clip.n_frames for clip in clips}
    for video, frames in speech.items():
        path = results / f"speech/{video}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        number = np.arange(frames)
        table = table_of_columns(tables.SPEECH, {"frame": number, "probability": number / 1000})
        write_table(table, path, tables.SPEECH)
    definition = tables.dataset_clips(columns)
    (results / "dataset").mkdir(parents=True, exist_ok=True)
    for side in ("train", "eval"):
        table = table_of_rows(definition, [row for row in rows if row["split"] == side])
        write_table(table, results / f"dataset/{side}.csv", definition)
    return results


def row_of(clip: NumberedClip, columns: Sequence[str]) -> dict[str, Any]:
    definition = tables.dataset_clips(tuple(columns))
    empty = {c.name: "" if c.kind == "text" else 0 for c in definition.columns}
    paths = {
        name: f"{name}/{clip.video}/{clip.name}" for name in columns
    }  # As long as nobody looks: where files are, the register says.
    return {
        **empty,
        **paths,
        "clip_id": clip.name,
        "video_id": clip.video,
        "identity": clip.identity,
        "split": clip.side,
        "start_frame": clip.start,
        "end_frame": clip.start + clip.n_frames,
        "n_frames": clip.n_frames,
        "width": clip.width,
        "height": HEIGHT,
        "audio_shift": 640 * clip.offset,
    }


def samples_of(first: int, last: int) -> np.ndarray:
    """Samples that say where they are: two and two a number of 30 bits."""
    pairs = np.arange(first // 2, (last + 1) // 2)
    both = np.stack([pairs & 0x7FFF, pairs >> 15], axis=1).astype(np.int16)
    return both.reshape(-1)[first % 2 : first % 2 + last - first]


def write_clip(results: Path, clip: NumberedClip, keyframe_interval: int) -> None:
    folder = results / "clips" / clip.video
    folder.mkdir(parents=True, exist_ok=True)
    with VideoWriter(
        folder / f"{clip.name}.mp4",
        clip.width,
        HEIGHT,
        preset="superfast",
        crf=10,
        keyframe_interval=keyframe_interval,
    ) as writer:
        for k in range(clip.n_frames):
            picture = number_picture(k, (clip.width, HEIGHT))
            writer.write(av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p"))
    write_wav(folder / f"{clip.name}.wav", samples_of(0, 640 * clip.n_frames), 16_000)
    k = np.arange(clip.n_frames)
    table = table_of_columns(
        tables.CLIP_FRAMES,
        # The crop has half the clip's scale, so that 10 + k source pixels are 2 k clip pixels.
        {
            "frame": k, "source_frame": clip.start + k, "x": 10.0 + k, "y": 20.0 + 2 * k,
            "w": 5.0, "h": 8.0, "crop_x": 10.0, "crop_y": 20.0,
            "crop_w": clip.width / 2, "crop_h": HEIGHT / 2,
        },
    )  # fmt: skip
    write_table(table, folder / f"{clip.name}.csv", tables.CLIP_FRAMES)


def write_features(results: Path, clip: NumberedClip) -> None:
    n, name = clip.n_frames, clip.name

    def path(stage: str, suffix: str = "") -> Path:
        folder = results / stage / clip.video
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}{suffix}"

    def numbered(rows: int, columns: int) -> np.ndarray:
        return np.repeat(np.arange(rows, dtype=np.float32)[:, None], columns, axis=1)

    points = np.broadcast_to(np.arange(n, dtype=np.float32)[:, None, None], (n, 478, 3)).copy()
    points68 = points[:, :68, :2] + 1000
    points[ABSENT : ABSENT + 1] = points68[ABSENT : ABSENT + 1] = np.nan
    present = ~np.isnan(points[:, 0, 0])
    np.savez(path("landmarks", ".npz"), points=points, points68=points68, present=present)
    np.save(path("pose", ".npy"), numbered(n, 3))
    np.save(path("mfcc", ".npy"), numbered(4 * n, 39))
    rows = 4 * n if clip.mel == "grid" else 1 + 640 * n // 200
    np.save(path("mel", ".npy"), numbered(rows, BANDS))
    layers = 10_000 * np.arange(LAYERS)[:, None, None] + numbered(2 * n, 5)
    np.save(path("hubert", ".npy"), layers.astype(np.float16 if n < 100 else np.float32))
    columns: dict[str, Any] = dict.fromkeys(tables.EXPRESSION_FRAMES.names, 0)
    columns |= {"frame": np.arange(n), "mouth_open": np.arange(n) / 100, "blink_left": np.nan}
    columns["blink_right"] = columns["blink_left"] = np.full(n, np.nan)
    table = table_of_columns(tables.EXPRESSION_FRAMES, columns)
    write_table(table, path("expression", ".csv"), tables.EXPRESSION_FRAMES)
    path("depth", ".json").write_text(json.dumps({"scale": SCALE, "offset": OFFSET}))
    cv2.imwrite(str(path("background", ".png")), plain(clip.width, (10, 20, 30)))
    for stage in ("parsing", "depth", "torso"):
        path(stage).mkdir()
    for k in range(n):
        picture = f"{k + 1:06d}.png"
        labels = np.full((HEIGHT, clip.width), k % 19, np.uint8)
        depth = np.full((HEIGHT, clip.width), 1 + k, np.uint16)
        depth[0] = 0
        cv2.imwrite(str(path("parsing") / picture), labels)
        cv2.imwrite(str(path("depth") / picture), depth)
        cv2.imwrite(str(path("torso") / picture), plain(clip.width, (k % 256, 20, 30, 255)))


def plain(width: int, colour: tuple[int, ...]) -> np.ndarray:
    """A picture of one colour, which is BGR or BGRA."""
    return np.full((HEIGHT, width, len(colour)), colour, np.uint8)


def digest(sample: dict[str, Any]) -> int:
    """A number that tells elements of a dataset apart, by all that is in them."""
    crc = 0
    for name in sorted(sample):
        crc = zlib.crc32(np.asarray(sample[name]).tobytes(), zlib.crc32(name.encode(), crc))
    return crc
