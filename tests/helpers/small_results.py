"""A small finished results folder with exactly known content, for what is made of a dataset.

Three clips of two videos. A head of known shape (the library's mean face) stands before a known
camera and turns by known angles, so every landmark is where this says. A frame shows its number
(`synthetic.read_number`), its sound is a click at the beginning of every tenth frame.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from helpers.synthetic import number_picture
from talkingface import tables
from talkingface.faces.expression import expression_table
from talkingface.faces.face_model import CANONICAL
from talkingface.faces.ibug68 import points68
from talkingface.faces.landmark_files import Landmarks, write_landmarks, write_text
from talkingface.job.tables import table_of_columns, table_of_rows, write_table
from talkingface.media.audio import write_wav
from talkingface.media.writer import VideoWriter, frame_from_planes
from talkingface.stages import STAGES

FEATURES = (
    "landmarks", "pose", "expression", "depth", "frames", "parsing", "background", "torso",
    "mfcc", "mel", "hubert",
)  # fmt: skip
SOURCE = (1280, 720)  # pixels
FOCAL = 1.4 * SOURCE[0]  # pixels
CROP = (380.0, 130.0, 512.0, 512.0)  # x, y, width, height in source pixels
SIZE = 256  # pixels of a clip
SCALE = SIZE / CROP[2]
_FLIP = np.array([1, -1, -1])


@dataclass(frozen=True)
class SmallClip:
    """What one clip is made of."""

    video: str
    identity: str
    side: str
    start: int
    n_frames: int

    @property
    def clip_id(self) -> str:
        return f"{self.video}_{self.start:06d}_{self.start + self.n_frames:06d}_00"

    @property
    def angles(self) -> np.ndarray:
        """(N, 3) yaw, pitch, roll in degrees, relative to the line of sight to the head."""
        t = np.arange(self.n_frames) / 25
        return np.stack([15 * np.sin(2 * t), 5 * np.sin(3 * t), 3 * np.cos(t)], axis=1)

    @property
    def translation(self) -> np.ndarray:
        """(N, 3) place of the head in cm: right of the camera, below it, before it."""
        t = np.arange(self.n_frames) / 25
        return np.stack([0.5 * np.sin(t), -2 + 0.3 * np.cos(t), 80 + 2 * np.sin(t)], axis=1)

    @property
    def points(self) -> np.ndarray:
        """(N, 478, 3) mesh in clip pixels: the mean face, projected; irises between the lids."""
        eyes = ([33, 133, 159, 145], [263, 362, 386, 374])
        irises = np.repeat([CANONICAL[eye].mean(axis=0) for eye in eyes], 5, axis=0)
        head = np.concatenate([CANONICAL, irises])
        rotation = sight(self.translation) @ rotations(self.angles)
        camera = (rotation @ head.T).transpose(0, 2, 1) * _FLIP
        camera = camera + self.translation[:, None]
        pixels = FOCAL * camera[..., :2] / camera[..., 2:] + np.array(SOURCE) / 2
        in_clip = (pixels - CROP[:2]) * SCALE
        depth = (
            FOCAL
            * SCALE
            / self.translation[:, None, 2]
            * (camera[..., 2] - self.translation[:, None, 2])
        )
        return np.concatenate([in_clip, depth[..., None]], axis=2).astype(np.float32)

    @property
    def samples(self) -> np.ndarray:
        """(640 N,) int16: noise, and a click at the beginning of every tenth frame."""
        noise = np.random.default_rng(self.start).integers(-300, 300, 640 * self.n_frames)
        noise[::6400] = 20_000
        return noise.astype(np.int16)

    def picture(self, k: int) -> np.ndarray:
        """(256, 256, 3) uint8 BGR: frame k, which shows the grid frame's number."""
        return number_picture(self.start + k, (SIZE, SIZE))


CLIPS = (
    SmallClip("talk1", "alice", "train", 0, 60),
    SmallClip("talk1", "alice", "train", 100, 90),
    SmallClip("talk2", "Böb/../Ünal", "eval", 25, 170),
)


def rotations(angles: np.ndarray) -> np.ndarray:
    """(N, 3, 3) of yaw, pitch, roll (N, 3) in degrees: roll about z after yaw about -y after pitch
    about x, in axes x right, y up, z towards the camera."""
    yaw, pitch, roll = np.radians(angles).T
    one, zero = np.ones_like(yaw), np.zeros_like(yaw)

    def matrix(*rows: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.array(rows).transpose(2, 0, 1)

    c, s = np.cos(roll), np.sin(roll)
    about_z = matrix((c, -s, zero), (s, c, zero), (zero, zero, one))
    c, s = np.cos(-yaw), np.sin(-yaw)
    about_y = matrix((c, zero, s), (zero, one, zero), (-s, zero, c))
    c, s = np.cos(pitch), np.sin(pitch)
    about_x = matrix((one, zero, zero), (zero, c, -s), (zero, s, c))
    return about_z @ about_y @ about_x


def sight(translation: np.ndarray) -> np.ndarray:
    """(N, 3, 3) smallest rotations from the camera's axis to places (N, 3), by Rodrigues' formula,
    in axes x right, y up, z towards the camera."""
    x, y, z = (translation / np.linalg.norm(translation, axis=1, keepdims=True)).T
    zero = np.zeros_like(x)
    # The cross product of the axis (0, 0, 1) and the direction is (-y, x, 0).
    cross = np.array([[zero, zero, x], [zero, zero, y], [-x, -y, zero]]).transpose(2, 0, 1)
    turn = np.eye(3) + cross + cross @ cross / (1 + z)[:, None, None]
    return _FLIP[:, None] * turn * _FLIP


def labels() -> np.ndarray:
    """(256, 256) uint8 parsing of every frame: hair, skin, neck, cloth on a background."""
    picture = np.zeros((SIZE, SIZE), np.uint8)
    picture[235:, 20:236] = 16
    picture[215:240, 90:170] = 14
    cv2.ellipse(picture, (131, 118), (88, 112), 0, 0, 360, 17, -1)
    cv2.ellipse(picture, (131, 130), (76, 98), 0, 0, 360, 1, -1)
    return picture


def make_small_results(results: Path) -> Path:
    """Write the results folder, and give it."""
    for video in dict.fromkeys(clip.video for clip in CLIPS):
        clips = [clip for clip in CLIPS if clip.video == video]
        for feature in ("clips", *FEATURES):
            (results / feature / video).mkdir(parents=True)
        for clip in clips:
            _write_clip(results, clip)
        for stage in ("clips", *FEATURES):
            definition = tables.tables_by_path()[STAGES[stage].manifest]
            rows = [row_of(clip) for clip in clips]
            known = [{n: c for n, c in row.items() if n in definition.names} for row in rows]
            texts = {c.name: "" for c in definition.columns if c.kind == "text"}
            numbers = {c.name: 0 for c in definition.columns if c.kind != "text"}
            filled = [numbers | texts | row for row in known]
            path = results / STAGES[stage].manifest.format(video=video)
            write_table(table_of_rows(definition, filled), path, definition)
    write_dataset(results, CLIPS)
    return results


def write_dataset(
    results: Path, clips: tuple[SmallClip, ...], features: tuple[str, ...] = FEATURES
) -> None:
    """Write dataset/clips.csv, train.csv and eval.csv of `clips`."""
    products = [product for name in ("clips", *features) for product in STAGES[name].products]
    definition = tables.dataset_clips(tuple(product.column for product in products))
    rows = []
    for clip in clips:
        paths = {p.column: p.path.format(video=clip.video, clip=clip.clip_id) for p in products}
        texts = {c.name: "" for c in definition.columns if c.kind == "text"}
        numbers = {c.name: 0 for c in definition.columns if c.kind != "text"}
        rows.append(numbers | texts | row_of(clip) | paths)
    for name, side in (("clips", None), ("train", "train"), ("eval", "eval")):
        chosen = [row for row in rows if side in (None, row["split"])]
        write_table(table_of_rows(definition, chosen), results / f"dataset/{name}.csv", definition)


def row_of(clip: SmallClip) -> dict[str, object]:
    """Cells of a clip, of whatever table."""
    return {
        "clip_id": clip.clip_id, "video_id": clip.video, "identity": clip.identity,
        "source": f"/videos/{clip.video}.mp4", "split": clip.side, "n_frames": clip.n_frames,
        "start_frame": clip.start, "end_frame": clip.start + clip.n_frames,
        "duration_s": clip.n_frames / 25, "width": SIZE, "height": SIZE, "crop": "fixed",
        "crop_x": CROP[0], "crop_y": CROP[1], "crop_w": CROP[2], "crop_h": CROP[3],
        "face_height": face_boxes(clip)[0, 3], "present_share": 1, "probability": 0.9,
    }  # fmt: skip


def face_boxes(clip: SmallClip) -> np.ndarray:
    """(N, 4) x, y, width, height around the mesh, in source pixels."""
    xy = clip.points[..., :2].astype(float) / SCALE + CROP[:2]
    corner = xy.min(axis=1)
    return np.concatenate([corner, xy.max(axis=1) - corner], axis=1).round(2)


def _write_clip(results: Path, clip: SmallClip) -> None:
    n, name = clip.n_frames, f"{clip.video}/{clip.clip_id}"
    write_wav(results / f"clips/{name}.wav", clip.samples, 16_000)
    grey = np.full((SIZE // 2, SIZE // 2), 128, np.uint8)
    with VideoWriter(
        results / f"clips/{name}.mp4", SIZE, SIZE, preset="superfast", crf=18,
        sound=lambda start, stop: clip.samples[start:stop, None], sound_rate=16_000,
    ) as writer:  # fmt: skip
        for k in range(n):
            writer.write(frame_from_planes(clip.picture(k)[..., 0], grey, grey))
    boxes = np.concatenate([face_boxes(clip), np.tile(CROP, (n, 1))], axis=1)
    names = ("x", "y", "w", "h", "crop_x", "crop_y", "crop_w", "crop_h")
    frames = {"frame": np.arange(n), "source_frame": np.arange(n) + clip.start}
    columns = frames | dict(zip(names, boxes.T, strict=True))
    table = table_of_columns(tables.CLIP_FRAMES, columns)
    write_table(table, results / f"clips/{name}.csv", tables.CLIP_FRAMES)
    points = clip.points
    landmarks = Landmarks.of(points, points68(points).astype(np.float32))
    write_landmarks(results / f"landmarks/{name}.npz", landmarks)
    write_text(results / f"landmarks/{name}.txt", landmarks.points68, landmarks.present)
    np.save(results / f"pose/{name}.npy", clip.angles.astype(np.float32))
    _write_pose_table(results / f"pose/{name}.csv", clip)
    expression = expression_table(points, landmarks.present, 0.5)
    write_table(expression, results / f"expression/{name}.csv", tables.EXPRESSION_FRAMES)
    rows = np.arange(4 * n, dtype=np.float32)[:, None]
    np.save(results / f"mfcc/{name}.npy", np.tile(rows, 39))
    np.save(results / f"mel/{name}.npy", np.tile(rows, 80))
    np.save(results / f"hubert/{name}.npy", np.tile(rows[None, : 2 * n], (3, 1, 16)))
    (results / f"depth/{name}.json").write_text('{"scale": 0.001, "offset": 0.0}')
    cv2.imwrite(
        str(results / f"background/{name}.png"), np.full((SIZE, SIZE, 3), (200, 90, 30), np.uint8)
    )
    for folder, picture in (
        ("parsing", labels()), ("depth", labels().astype(np.uint16) * 1000), ("torso", _torso()),
    ):  # fmt: skip
        _write_pictures(results / folder / name, [picture] * n)
    _write_pictures(results / f"frames/{name}", [clip.picture(k) for k in range(n)])


def _torso() -> np.ndarray:
    seen = np.isin(labels(), (14, 16))
    return np.dstack([np.full((SIZE, SIZE, 3), (10, 20, 200), np.uint8), seen * np.uint8(255)])


def _write_pictures(folder: Path, pictures: list[np.ndarray]) -> None:
    folder.mkdir()
    for number, picture in enumerate(pictures, start=1):
        cv2.imwrite(str(folder / f"{number:06d}.png"), picture)


def _write_pose_table(path: Path, clip: SmallClip) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(tables.POSE_FRAMES.names)
        for k, (angles, place) in enumerate(zip(clip.angles, clip.translation, strict=True)):
            writer.writerow([k, 1, *angles, 0.0, "", *place, ""])
