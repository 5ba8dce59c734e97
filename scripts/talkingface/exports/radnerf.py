"""The folders of RAD-NeRF, ER-NeRF, SyncTalk and TalkingGaussian: a scene for every clip.

A scene has one camera and one background, so it is made of one clip, cropped by a square that
keeps still. What is written is listed in docs/exports/radnerf.md; the camera is explained in
`radnerf_camera`, the colours in `radnerf_parts`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from talkingface.dataset.split import SIDES
from talkingface.export_tables import RADNERF
from talkingface.exports.conditions import Condition, at_least, at_most, equal
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.radnerf_parts import PARTS, PARTS_AND_HAIR, face_mask, person_over
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import Landmarks, clip_landmarks
from talkingface.job.arrays import read_array
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.media.picture import read_picture, write_picture
from talkingface.media.prefetch import prefetch
from talkingface.pictures.numbered import NumberedFolder, numbered_path, write_numbered_sets
from talkingface.pictures.parsing.labels import read_labels

if TYPE_CHECKING:
    from talkingface.exports.radnerf_camera import HeadCamera

logger = logging.getLogger(__name__)

CROPS = ("fixed", "none")  # of clips, with which the camera stands still
_SIDE = 512  # pixels that the camera's error is told at
_LIPS = slice(48, 60)  # of 300-W, the outer edge
_TRAINED = (10, 11)  # data_utils/process.py: the first 10 of 11 parts of a clip are trained on
# The pictures of a clip that the stage makes, by their column: folder in a scene, and how a name
# there ends.
_PICTURES = {
    "radnerf_ori_imgs": ("ori_imgs", ".jpg"),
    "radnerf_lms": ("ori_imgs", ".lms"),
    "radnerf_gt_imgs": ("gt_imgs", ".jpg"),
    "torso": ("torso_imgs", ".png"),
}
_PARTS = {"radnerf_parsing": ("parsing", ".png"), "radnerf_face": ("parsing", "_face.png")}
_PARTS_AND_HAIR = {"radnerf_hair": ("parsing", ".png")}
_FILES = {
    "radnerf_bc": "bc.jpg",
    "radnerf_train": "transforms_train.json",
    "radnerf_val": "transforms_val.json",
}
_SOUND = ("aud.wav", "audio.wav")  # the second is linxiagong/dataprocess-talkingface's name
# AlexNet, by which lips are compared (LPIPS), has nothing left of a smaller picture.
_SMALLEST_LIPS = 32
_LARGEST_ERROR = 2  # pixels at 512
_SPEECH_CHANNELS = 1024  # what the networks of ER-NeRF, SyncTalk and TalkingGaussian expect
# Folders of a clip with a picture a frame, and their format, in the order in which they are drawn.
_OF_FRAMES = {
    "ori_imgs": ".jpg", "gt_imgs": ".jpg", "parsing": ".png", "hair": ".png", "face": ".png",
}  # fmt: skip


def make_radnerf(
    clips: Sequence[Clip],
    landmarks: str | Path,
    parsing: str | Path,
    background: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    source_size_at: Callable[[int], tuple[int, int]],
    focal: float,
    quality: int,
    threads: int,
) -> None:
    """Write what a scene of every clip has beyond the dataset, and the table RADNERF.

    landmarks, parsing, background: the clips' folders of these stages. source_size_at: width and
    height of the source in pixels at a grid frame. focal: the camera's focal length in longer sides
    of the source. quality: of JPEG, 1 to 100. threads: see write_numbered.

    A frame without a face has -1 for all coordinates and stands in none of the lists of cameras.
    """
    # It reads the mesh's topology from mediapipe, which whoever only lays out need not have.
    from talkingface.exports.radnerf_camera import fit_head_camera

    def make(clip: Clip, into: Path) -> Mapping[str, Any]:
        def place(kind: str) -> Path:
            return into / f"{clip.clip_id}_{kind}"

        found = clip_landmarks(landmarks, clip)
        labels = Path(parsing, clip.clip_id)
        plate = read_picture(Path(background, f"{clip.clip_id}.png"))
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        folders = [
            NumberedFolder(place(kind), suffix, options if suffix == ".jpg" else ())
            for kind, suffix in _OF_FRAMES.items()
        ]
        pictures = (
            (frame, person_over(frame, parts, plate), PARTS[parts], PARTS_AND_HAIR[parts],
             face_mask(parts))
            for frame, parts in zip(clip.frames(), _labels(labels, clip), strict=True)
        )  # fmt: skip
        write_numbered_sets(pictures, folders, threads=threads)
        write_picture(plate, place("bc.jpg"), options)
        _write_points(found, place("lms"))
        frames, camera = np.flatnonzero(found.present), None
        if len(frames):
            length = _focal_length(clip, source_size_at, focal)
            camera = fit_head_camera(found.points[frames], (clip.width, clip.height), length)
        ends = clip.n_frames * _TRAINED[0] // _TRAINED[1]
        for name, chosen in (("train", frames < ends), ("val", frames >= ends)):
            text = json.dumps(_transforms(camera, frames, chosen), indent=1)
            place(f"{name}.json").write_text(text, encoding="utf-8")
        return _measures(clip, found, camera)

    make_for_clips(make, clips, folder, manifest, RADNERF)


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, quality: int) -> None:
    """A scene for every clip, once more below `talkinggaussian`, and a list for either side.

    TalkingGaussian reads other colours from the same places. quality: of the pictures, which are
    made.
    """
    names: dict[str, list[str]] = {side: [] for side in SIDES}
    for clip in clips:
        if not _is_read(clip, tree):
            continue
        speech = _speech(clip)
        for scene, parts in (
            (clip.clip_id, _PARTS), (f"talkinggaussian/{clip.clip_id}", _PARTS_AND_HAIR),
        ):  # fmt: skip
            for column, (folder, ending) in (_PICTURES | parts).items():
                rename = partial(_from_zero, ending=ending)
                tree.link_folder(clip.path(column), f"{scene}/{folder}", rename)
            for column, name in _FILES.items():
                tree.link(clip.path(column), f"{scene}/{name}")
            tree.link(clip.path("video"), f"{scene}/{clip.clip_id}.mp4")
            for name in _SOUND:
                tree.link(clip.path("audio"), f"{scene}/{name}")
            if clip.has("expression"):
                tree.link(clip.path("expression"), f"{scene}/expression.csv")
            if speech is not None:
                np.save(tree.path(f"{scene}/aud_hu.npy"), speech)
        names[clip.side].append(clip.clip_id)
    for side in SIDES:
        tree.write_lines(f"{side}.txt", names[side])


def _is_read(clip: ExportClip, tree: Tree) -> bool:
    """Whether the readers take a clip; where they do not, the conditions are noted."""
    crop, measures = clip.row.crop, clip.measures
    return tree.check(
        clip,
        Condition("crop", crop, " or ".join(CROPS), crop in CROPS),
        equal("frames without a face", measures.faceless_frames, 0),
        at_most("median error of the camera (px at 512)", measures.camera_error, _LARGEST_ERROR),
        at_least("smallest square around the lips (px)", measures.lips_side, _SMALLEST_LIPS),
        at_least("from that square to the picture's edge (px)", measures.lips_margin, 0),
    )


def _speech(clip: ExportClip) -> np.ndarray | None:
    """(N, 2, 1024) float32: the last hidden state kept of every frame, None without any."""
    if not clip.has("hubert"):
        return None
    states = read_array(clip.path("hubert"), "r")[-1]
    if states.shape[-1] != _SPEECH_CHANNELS:
        logger.warning(
            "%s: no aud_hu.npy, for which %d channels are needed; its model has %d",
            clip.clip_id, _SPEECH_CHANNELS, states.shape[-1],
        )  # fmt: skip
        return None
    return np.asarray(states, np.float32).reshape(clip.n_frames, 2, _SPEECH_CHANNELS)


def _from_zero(name: str, ending: str) -> str:
    """The readers' name of a numbered file: `000001.png` is `0` and `ending`."""
    return f"{int(name[:6]) - 1}{ending}"


def _labels(folder: Path, clip: Clip) -> Iterator[np.ndarray]:
    return prefetch(read_labels(folder, clip.n_frames))


def _write_points(landmarks: Landmarks, folder: Path) -> None:
    """Write the 68 points of every frame as `000001.lms` ...: 68 lines of x and y in clip pixels.

    The readers round them down, which gives the pixels that they fall in.
    """
    folder.mkdir()
    points = np.where(landmarks.present[:, None, None], landmarks.points68, -1.0)
    for number, frame in enumerate(points, start=1):
        text = "".join(f"{x:.6f} {y:.6f}\n" for x, y in frame)
        numbered_path(folder, number, ".lms").write_text(text, encoding="ascii")


def _focal_length(
    clip: Clip, source_size_at: Callable[[int], tuple[int, int]], focal: float
) -> float:
    """The camera's focal length in clip pixels; width and height differ by their rounding only."""
    boxes = clip.boxes()
    per_pixel = (boxes.crop_w[0] / clip.width + boxes.crop_h[0] / clip.height) / 2
    return focal * max(source_size_at(int(boxes.source_frame[0]))) / float(per_pixel)


def _transforms(
    camera: HeadCamera | None, frames: np.ndarray, chosen: np.ndarray
) -> dict[str, Any]:
    """What one of the two lists holds: of the `frames` of a camera those `chosen` (n,) bool."""
    if camera is None:
        return {"frames": []}
    places = [
        {"img_id": int(frame), "aud_id": int(frame), "transform_matrix": matrix.tolist()}
        for frame, matrix in zip(frames[chosen], camera.matrices[chosen].round(8), strict=True)
    ]
    width, height = camera.size
    intrinsics = {"focal_len": round(camera.focal, 4), "cx": width / 2, "cy": height / 2}
    return {**intrinsics, "frames": places}


def _measures(clip: Clip, landmarks: Landmarks, camera: HeadCamera | None) -> dict[str, Any]:
    """The clip's row of RADNERF."""
    present = landmarks.present
    cells: dict[str, Any] = {"faceless_frames": int((~present).sum())}
    if camera is None:
        none = dict.fromkeys(("focal", "camera_error", "lips_side", "lips_margin"), np.nan)
        return cells | none
    error = np.median(camera.errors(landmarks.points[present])) * _SIDE / max(camera.size)
    lips = landmarks.points68[present][:, _LIPS].astype(int)  # as the readers round them
    low, high = lips.min(axis=1), lips.max(axis=1)
    half = (high - low).max(axis=1, keepdims=True) // 2
    middle = (low + high) // 2
    margin = np.minimum(middle - half, [clip.width, clip.height] - middle - half)
    return cells | {
        "focal": round(camera.focal, 1),
        "camera_error": round(float(error), 2),
        "lips_side": float(2 * half.min()),
        "lips_margin": float(margin.min()),
    }
