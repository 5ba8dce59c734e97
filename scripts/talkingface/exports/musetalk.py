"""The folder `HDTF` of TMElyralab/MuseTalk, version 1.5."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.dataset.split import SIDES
from talkingface.export_tables import MUSETALK
from talkingface.exports.clips import ExportClip
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import Landmarks, read_landmarks
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip

ROOT = "HDTF"
# Where the reader, which runs in its own folder, finds the export: it says so itself of the lists.
PLACE = f"./dataset/{ROOT}"
FILMS = "video_audio_clip_root"
# The reader takes a list's first line for a header.
HEADER = "name"
LISTS = {"train": "train.txt", "eval": "val.txt"}

# musetalk/data/dataset.py and configs/training/stage{1,2}.yaml: a window of its SyncNet is 52 rows
# of mel at 80 a second, which 16 frames have; ten times the 16 frames of a sample; face widths.
LEAST_FRAMES = {1: 16, 2: 160}
LEAST_WIDTH = {1: 150, 2: 200}
# From this frame on the reader looks for the sound 4 s, from 750 on 30 s too early.
SOUND_WRONG_FROM = 700


def make_musetalk(
    clips: Sequence[Clip], landmarks: str | Path, folder: str | Path, manifest: str | Path
) -> None:
    """Write the record of every clip: `folder`/{clip}.json, and the table MUSETALK.

    landmarks: the folder with the clips' landmarks.
    """

    def make(clip: Clip, into: Path) -> Mapping[str, Any]:
        found = read_landmarks(Path(landmarks, f"{clip.clip_id}.npz"))
        record = clip_record(clip.clip_id, found, clip.width, clip.height)
        (into / f"{clip.clip_id}.json").write_text(json.dumps(record), encoding="ascii")
        width = union_width(record["face_list"][0], record["landmark_list"][0])
        return {
            "faceless_frames": int((~found.present).sum()),
            "face_width": width if found.present[0] else 0,
        }

    make_for_clips(make, clips, folder, manifest, MUSETALK)


def clip_record(clip_id: str, landmarks: Landmarks, width: int, height: int) -> dict[str, Any]:
    """What MuseTalk's preprocessing notes of a clip.

    Pixels are counted from 0 and coordinates are the pixel that a point falls in, as MuseTalk
    rounds them. A face is the extent of the mesh, from the top of the forehead to the chin, as
    S3FD's boxes are meant; its lower right corner is the pixel after the last. What lies beyond the
    picture is brought to its edge: the reader would fill it with black. A frame without a face has
    an empty box.

    landmarks: of N frames, in pixels of a clip of this width and height.
    """
    size = np.array([width, height])
    mesh = np.where(landmarks.present[:, None, None], landmarks.points[..., :2], 0.0)
    low = np.floor(mesh.min(axis=1)).clip(0, size)
    boxes = np.concatenate([low, np.ceil(mesh.max(axis=1)).clip(low, size)], axis=1).astype(int)
    points = np.where(landmarks.present[:, None, None], landmarks.points68, 0.0)
    whole = np.floor(points).clip(0, size - 1).astype(int)
    x1, y1, x2, y2 = boxes[0].tolist()
    return {
        "mp4_path": f"{PLACE}/{FILMS}/{clip_id}.mp4",
        "wav_path": f"{PLACE}/{FILMS}/{clip_id}.wav",
        "video_size": [height, width],
        "face_size": [y2 - y1, x2 - x1],
        "frames": min(len(boxes), SOUND_WRONG_FROM),
        "face_list": boxes.tolist(),
        "landmark_list": whole.tolist(),
        "isvalid": bool(landmarks.present.all()),
    }


def union_width(box: Sequence[int], points: Sequence[Sequence[int]]) -> int:
    """The width in pixels that the reader compares: of the extent of box x1, y1, x2, y2 and
    points x, y."""
    columns = [box[0], box[2], *(x for x, _ in points)]
    return max(columns) - min(columns)


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """Films, records and two lists, as MuseTalk's preprocessing leaves them.

    Clips that only the first stage of training takes are in the lists, and in skipped.csv.
    """
    names: dict[str, list[str]] = {side: [] for side in SIDES}
    for clip in clips:
        if clip.measures.faceless_frames:
            tree.skip(clip, "frames without a face", clip.measures.faceless_frames, 0)
        elif _fits(clip, tree, 1, stays=False):
            _fits(clip, tree, 2, stays=True)
            tree.link(clip.path("video"), f"{ROOT}/{FILMS}/{clip.clip_id}.mp4")
            tree.link(clip.path("audio"), f"{ROOT}/{FILMS}/{clip.clip_id}.wav")
            tree.link(clip.path("musetalk"), f"{ROOT}/meta/{clip.clip_id}.json")
            names[clip.side].append(f"{clip.clip_id}.json")
    for side in SIDES:
        tree.write_lines(f"{ROOT}/{LISTS[side]}", [HEADER, *names[side]])


def _fits(clip: ExportClip, tree: Tree, stage: int, *, stays: bool) -> bool:
    """Whether a stage of training takes a clip; what it does not meet is noted."""
    width = int(clip.measures.face_width)
    long, wide = clip.n_frames >= LEAST_FRAMES[stage], width >= LEAST_WIDTH[stage]
    if not long:
        condition = f"frames, stage {stage}"
        tree.skip(clip, condition, clip.n_frames, LEAST_FRAMES[stage], stays=stays)
    if not wide:
        condition = f"face width (px), stage {stage}"
        tree.skip(clip, condition, width, LEAST_WIDTH[stage], stays=stays)
    return long and wide
