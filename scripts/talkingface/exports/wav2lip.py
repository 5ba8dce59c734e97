"""The folders of Wav2Lip: the face of every frame as a picture, and the sound.

Wav2Lip hides the lower half of each picture and learns to draw it again, so mouth and chin must be
in that half, in every frame. The boxes of its own detector, S3FD, do that on the whole, but follow
the chin: the wider the mouth is open, the larger is the box, and what is left in sight tells by its
size what is hidden. The boxes here are made of the landmarks instead. Their unit is the distance of
the outer eye corners in space, which neither the jaw nor a turn of the head changes; above and
below the face they reach as far in every frame of a clip, below it to the lowest place of the chin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface.export_tables import WAV2LIP
from talkingface.exports.conditions import at_least
from talkingface.exports.export_clips import ExportClip
from talkingface.exports.tree import Tree
from talkingface.faces.landmark_files import Landmarks, clip_landmarks
from talkingface.grid import SAMPLES_PER_FRAME
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.pictures.numbered import numbered_path, write_numbered

_SUFFIX = ".jpg"  # its reader looks for no other

# Outer eye corners in the mesh; points of 300-W.
_EYE_CORNERS = (33, 263)
_JAW, _EYES, _LIPS, _NOSE_BASE = slice(0, 17), slice(36, 48), slice(48, 68), 33
# Lengths in distances of the outer eye corners. Of the face of an adult at rest, brows to chin are
# about 1.45. With these the eyes are at 0.39 of the box's height, where a detector trained on
# WIDER FACE, as S3FD is, has them too (docs/exports/wav2lip.md).
_ABOVE_EYES = 0.9
_MARGIN = 0.05  # below the chin, left and right
# The share of frames whose chin the box reaches; where it is lower still, the box follows.
_REACHED = 0.98

# wav2lip_train.py: frames of a window, and the columns of sound that stand for one.
_WINDOW, _COLUMNS = 5, 16
# hparams.py: samples of a column; columns a second, as the reader computes them.
_HOP, _COLUMN_RATE, _FRAME_RATE = 200, 80.0, 25.0
# Its reader passes over a clip with at most three windows' worth of pictures.
_LEAST_PICTURES = 3 * _WINDOW + 1
# One window, and another one that shows another mouth.
_LEAST_WINDOWS = 2

# Its train.txt and val.txt; test.txt is read by others only.
_LISTS = {"train": ("train",), "eval": ("val", "test")}


def make_wav2lip(
    clips: Sequence[Clip],
    landmarks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    quality: int,
    threads: int,
) -> None:
    """Write the face of every frame of the clips as `000001.jpg` ..., and the table WAV2LIP.

    Of a frame without a face there is a picture, too, of where it is by the frames beside it; the
    table says which ones they are.

    landmarks: the clips' folder of landmarks. quality: of JPEG, 1 to 100. threads: see
    write_numbered.
    """

    def make(clip: Clip, into: Path) -> Mapping[str, Any]:
        found = clip_landmarks(landmarks, clip)
        boxes = crop_boxes(found, (clip.width, clip.height))
        write_numbered(
            _parts(clip.frames(), boxes),
            into / clip.clip_id,
            suffix=_SUFFIX,
            options=[cv2.IMWRITE_JPEG_QUALITY, quality],
            threads=threads,
        )
        usable = usable_frames(found, boxes)
        return {
            "left_out": " ".join(map(str, np.flatnonzero(~usable))),
            "pictures": int(usable.sum()),
            "windows": int(window_starts(usable).sum()),
            "smallest_side": _smallest_side(clip, boxes[usable]),
        }

    make_for_clips(make, clips, folder, manifest, WAV2LIP)


def crop_boxes(landmarks: Landmarks, size: tuple[int, int]) -> np.ndarray:
    """The box of every frame: (N, 4) int left, top, right, bottom, edges of whole clip pixels.

    The right and the lower edge are exclusive. A frame without a face has the box of those beside
    it; where no frame has one, the boxes are the whole picture. size: the clip's width and height;
    boxes end at the edges of the picture, as the reader's own do, and are never empty.
    """
    present = landmarks.present
    if not present.any():
        return np.tile([0, 0, *size], (len(present), 1))
    points = landmarks.points[present].astype(np.float64)
    points68 = landmarks.points68[present].astype(np.float64)
    unit = np.linalg.norm(points[:, _EYE_CORNERS[0]] - points[:, _EYE_CORNERS[1]], axis=1)
    eyes, nose = points68[:, _EYES, 1].mean(axis=1), points68[:, _NOSE_BASE, 1]
    chin = points68[:, _JAW, 1].max(axis=1)
    reach = np.quantile((chin - nose) / unit, _REACHED) + _MARGIN
    edges = np.stack(
        [
            points68[..., 0].min(axis=1) - _MARGIN * unit,
            eyes - _ABOVE_EYES * unit,
            points68[..., 0].max(axis=1) + _MARGIN * unit,
            np.maximum(nose + reach * unit, chin),
        ],
        axis=1,
    )
    there = np.flatnonzero(present)
    frames = np.arange(len(present))
    boxes = np.stack([np.interp(frames, there, edge) for edge in edges.T], axis=1)
    low = np.clip(np.floor(boxes[:, :2]), 0, np.array(size) - 1)
    high = np.clip(np.ceil(boxes[:, 2:]), low + 1, size)
    return np.concatenate([low, high], axis=1).astype(int)


def usable_frames(landmarks: Landmarks, boxes: np.ndarray) -> np.ndarray:
    """(N,) bool: the frames with a face whose mouth and chin are in the lower half of the box.

    boxes: see `crop_boxes`. A chin is not where the picture ends above it.
    """
    top, bottom = boxes[:, 1], boxes[:, 3]
    with np.errstate(invalid="ignore"):  # There are no points where there is no face.
        lips = landmarks.points68[:, _LIPS, 1].min(axis=1)
        chin = landmarks.points68[:, _JAW, 1].max(axis=1)
        return landmarks.present & (lips >= (top + bottom) / 2) & (chin <= bottom)


def window_starts(usable: np.ndarray) -> np.ndarray:
    """(N,) bool: the frames at which the reader can begin a window.

    It takes five frames in a row, and for each the 16 columns of sound that begin with the frame
    before it; so the first frame begins none, nor do the last ones, whose sound would end early.
    usable: (N,) bool, the frames of which there are pictures.
    """
    n = len(usable)
    columns = 1 + SAMPLES_PER_FRAME * n // _HOP  # of a centred transform
    starts = np.zeros(n, bool)
    for k in range(1, n - _WINDOW + 1):
        last = int(_COLUMN_RATE * ((k + _WINDOW - 2) / _FRAME_RATE))
        starts[k] = usable[k : k + _WINDOW].all() and last + _COLUMNS <= columns
    return starts


def lay_out(clips: Sequence[ExportClip], tree: Tree, *, quality: int, min_side: int) -> None:
    """A folder of pictures and sound a clip, in one a speaker; the films; the lists.

    min_side: a clip with a smaller face is skipped, see the table WAV2LIP. quality: of the
    pictures, which are made.

    A list without a clip is not written. The reader stops at once where it is missing; an empty
    val.txt would keep it evaluating for ever.
    """
    lines: dict[str, list[str]] = {name: [] for names in _LISTS.values() for name in names}
    for clip in clips:
        if not _is_read(clip, tree, min_side):
            continue
        name = f"{clip.speaker}/{clip.clip_id}"
        left_out = {int(word) for word in str(clip.measures.left_out).split()}
        for frame in range(clip.n_frames):
            if frame not in left_out:
                picture = numbered_path(clip.path("wav2lip"), frame + 1, _SUFFIX)
                tree.link(picture, f"preprocessed/{name}/{frame}{_SUFFIX}")
        tree.link(clip.path("audio"), f"preprocessed/{name}/audio.wav")
        tree.link(clip.path("video"), f"videos/{name}.mp4")
        for list_name in _LISTS[clip.side]:
            lines[list_name].append(name)
    for list_name, names in lines.items():
        if names:
            tree.write_lines(f"filelists/{list_name}.txt", names)


def _is_read(clip: ExportClip, tree: Tree, min_side: int) -> bool:
    """Whether the reader takes a clip; where it does not, the conditions are noted."""
    measures = clip.measures
    return tree.check(
        clip,
        at_least(
            "frames with mouth and chin in the lower half", measures.pictures, _LEAST_PICTURES
        ),
        at_least("windows of 5 such frames in a row", measures.windows, _LEAST_WINDOWS),
        at_least("smallest side of the face (px)", measures.smallest_side, min_side),
    )


def _parts(frames: Iterable[np.ndarray], boxes: np.ndarray) -> Iterator[np.ndarray]:
    """The boxes (N, 4) of N frames (H, W, 3), lazily."""
    for frame, (left, top, right, bottom) in zip(frames, boxes, strict=True):
        yield np.ascontiguousarray(frame[top:bottom, left:right])


def _smallest_side(clip: Clip, boxes: np.ndarray) -> float:
    """The smallest side of a clip's boxes (n, 4), in pixels; in those of the source where the clip
    was enlarged, as that adds none. NaN without boxes."""
    if not len(boxes):
        return float("nan")
    crops = clip.boxes()
    per_pixel = min((crops["crop_w"] / clip.width).min(), (crops["crop_h"] / clip.height).min())
    return round(float((boxes[:, 2:] - boxes[:, :2]).min() * min(1.0, per_pixel)), 1)
