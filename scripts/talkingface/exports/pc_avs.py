"""The pictures of PC-AVS: faces of one size and place, as its `align_68` crops them, and its lists.

That program looks at the middle of either eye and of the mouth. Their means over a clip give the
one similarity that lays them where VoxCeleb2's crops have them; every frame is then shifted so that
the mouth stays in its place, most of the way at once, the rest with the frame before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface.dataset.split import SIDES
from talkingface.export_tables import PC_AVS
from talkingface.exports.conditions import at_least, equal
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import Landmarks, clip_landmarks
from talkingface.faces.similarity import similarity
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.pictures.numbered import write_numbered

# scripts/align_68.py: side of the crop; where the eye left in the picture, the other one and the
# mouth lie in it, by OpenCV's count, in which the centre of the first pixel is 0; how much of a
# frame's shift is its own.
SIDE = 224
_PLACES = np.array([[87.0, 59.0], [137.0, 59.0], [112.0, 120.0]])
_OWN_SHIFT = 0.8
# The points of 300-W that it takes the means of.
_GROUPS = (slice(36, 42), slice(42, 48), slice(60, 68))

# The reader leaves out two frames at either end of its spectrogram, which is one frame longer than
# the sound: this many frames give it one to look at.
_LEAST_FRAMES = 4


def make_pc_avs(
    clips: Sequence[Clip],
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    quality: int,
    threads: int,
) -> None:
    """Write the crop of every frame of the clips as `000001.jpg` ..., and the table PC_AVS.

    landmarks: the clips' folder of landmarks. quality: of JPEG, 1 to 100. threads: see
    write_numbered.
    """

    def make(clip: Clip, into: Path) -> Mapping[str, Any]:
        found = clip_landmarks(landmarks, clip)
        matrices = crop_matrices(found, (clip.width, clip.height))
        write_numbered(
            _crops(clip.frames(), matrices),
            into / clip.clip_id,
            suffix=".jpg",
            options=[cv2.IMWRITE_JPEG_QUALITY, quality],
            threads=threads,
        )
        per_pixel = float(np.median(clip.boxes()["crop_w"])) / clip.width
        return {
            "faceless_frames": int((~found.present).sum()),
            "scale": round(per_pixel / float(np.hypot(*matrices[0, 0, :2])), 3),
            "outside_share": round(_outside_share(matrices, (clip.width, clip.height)), 4),
        }

    make_for_clips(make, clips, folder, manifest, PC_AVS)


def crop_matrices(landmarks: Landmarks, size: tuple[int, int]) -> np.ndarray:
    """(N, 2, 3) float64: from pixels of the clip's frames to those of their crops.

    Both count the centre of the first pixel as 0, as OpenCV does, so the landmarks, which count it
    as a half, are moved by that. A frame without a face is shifted like the one before it; a clip
    without any is cropped in its middle. size: the clip's width and height.
    """
    present = landmarks.present
    if not present.any():
        scale = SIDE / min(size)
        middle = np.array([SIDE / 2, SIDE / 2]) - scale * np.array(size) / 2
        matrix = np.column_stack([scale * np.eye(2), middle + (scale - 1) / 2])
        return np.tile(matrix, (len(present), 1, 1))
    points68 = landmarks.points68.astype(np.float64) - 0.5
    places = np.stack([points68[:, group].mean(axis=1) for group in _GROUPS], axis=1)
    matrix = similarity(places[present].mean(axis=0), _PLACES)
    mouths = places[:, 2] @ matrix[:, :2].T + matrix[:, 2]
    matrices = np.tile(matrix, (len(present), 1, 1))
    shift = _PLACES[2] - mouths[np.argmax(present)]
    for k in range(len(present)):
        if present[k]:
            shift = (1 - _OWN_SHIFT) * shift + _OWN_SHIFT * (_PLACES[2] - mouths[k])
        matrices[k, :, 2] += shift
    return matrices


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, quality: int) -> None:
    """A folder of crops a clip, the sound beside them, a list for either side.

    A line has a clip drive itself: the pictures show who it is, how the head moves and, to compare
    with, the mouth. quality: of the pictures, which are made.
    Raises ValueError where the export's path has a blank: the reader's fields end at blanks.
    """
    lines: dict[str, list[str]] = {side: [] for side in SIDES}
    for clip in clips:
        if not _is_read(clip, tree):
            continue
        pictures, sound = f"frames/{clip.clip_id}", f"audio/{clip.clip_id}.wav"
        tree.link_folder(clip.path("pc_avs"), pictures, _from_zero)
        tree.link(clip.path("audio"), sound)
        shown = [tree.absolute(pictures), str(clip.n_frames)]
        line = [*shown, *shown, tree.absolute(sound), *shown, "None"]
        lines[clip.side].append(" ".join(line))
        if len(lines[clip.side][-1].split()) != len(line):
            raise ValueError(
                f"{tree.absolute('')}: a blank in this path, and the lists of PC-AVS divide their "
                "fields by blanks; work in a folder without one in its path"
            )
    for side in SIDES:
        tree.write_lines(f"{side}.csv", lines[side])


def _is_read(clip: ExportClip, tree: Tree) -> bool:
    """Whether the reader, and the program that crops for it, take a clip."""
    return tree.check(
        clip,
        at_least("frames", clip.n_frames, _LEAST_FRAMES),
        equal("frames without a face", clip.measures.faceless_frames, 0),
    )


def _from_zero(name: str) -> str:
    number, dot, suffix = name.partition(".")
    return f"{int(number) - 1:06d}{dot}{suffix}"


def _crops(frames: Iterable[np.ndarray], matrices: np.ndarray) -> Iterator[np.ndarray]:
    """The crops of N frames (H, W, 3), lazily; black beyond the frame."""
    for frame, matrix in zip(frames, matrices, strict=True):
        yield cv2.warpAffine(frame, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR)


def _outside_share(matrices: np.ndarray, size: tuple[int, int]) -> float:
    """The share of what the reader looks at that is beyond the frames, of width and height `size`.

    It cuts off 16 pixels left and right and 32 below (data/voxtest_dataset.py).
    """
    frame, looked_at = _corners(0, 0, *size), _corners(16, 0, SIDE - 16, SIDE - 32)
    inside = 0.0
    for matrix in matrices:
        seen = (frame @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        inside += cv2.intersectConvexConvex(seen, looked_at)[0]
    return 1 - inside / max(1, len(matrices)) / cv2.contourArea(looked_at)


def _corners(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """(4, 2) float32: those of a rectangle of whole pixels, the centre of the first one at 0."""
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return (corners - 0.5).astype(np.float32)
