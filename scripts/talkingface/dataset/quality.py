"""What a clip's face and sound are like to learn from: measured once, judged by `gates`.

Frames are measured at the clip's pixels, sizes and places in the source's. Every frame counts for
`face_height`, `present_share`, `border_share` and the pose, every n-th for what needs its pixels.

Sharpness is the variance of the Laplacian, as in blur_detection.py of
talking_face_preprocessing, made comparable between clips:

size    The face is brought to SIDE pixels first, whatever it has in the clip, and only the face
        counts, not hair and background. So it makes no difference whether a clip enlarged its face.
        But a face that is small in the source has less to show: 100 pixels score 0.67 of a large
        face, 70 pixels 0.46, 50 pixels 0.28. Look at `face_height` to tell it from a blur.
light   The face is brought to a mean of 128 first: the variance goes with the square of the
        exposure, and a dark skin is not a blur.
noise   White noise of standard deviation s adds 20 s^2 to the variance (the kernel's squared
        norm), so that a blurred face with grain would seem sharp. It is estimated with the mask of
        Immerkaer 1996 (doi 10.1006/cviu.1996.0060), by the median instead of the mean, which eyes
        and mouth do not reach, and taken off.

What a coder did is seen only where it smooths: at a tenth of the bit rate two films lost half of
their sharpness. Edges of blocks count as detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface.faces.angles import angle_ranges
from talkingface.faces.hands import HandFinder
from talkingface.faces.landmark_files import read_landmarks
from talkingface.job.arrays import read_array
from talkingface.job.per_clip import make_for_clips
from talkingface.job.tables import table_of_rows, write_table
from talkingface.media.clip_files import Clip, boxes_in_clip, clip_to_source
from talkingface.sound.speech import SpeechDetector
from talkingface.sound.speech_quality import SpeechJudge
from talkingface.sync.sync import residual_offset
from talkingface.tables import QUALITY, QUALITY_FRAMES

# Length of the face at which sharpness is measured, in pixels: no more than the smallest faces
# that `segments` lets through by default have.
SIDE = 96
# A hand hides the face where it covers at least this share of it; less is a finger at the jaw.
HIDDEN = 0.02
# A face that comes this near to the edge of the source picture touches it, in its pixels.
EDGE = 1.0

_OUTLINE = 468  # points of the mesh without irises
_INNER = 0.9  # of the mesh's hull: without the hair and background along its rim
_MID_GREY = 128.0
_LEAST_PIXELS = 64  # fewer say nothing about sharpness
_LAPLACIAN_NORM = 20  # 4^2 + 4 x 1^2
# Immerkaer's mask, the difference of two Laplacians; its norm is 6.
_NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
_MAD = 1.4826  # standard deviation over median absolute value, of a normal distribution
_GRID = 128  # raster on which areas are compared

# Given a frame and (K, 2) points of the face, the points (M, 2) of every hand around it.
FindHands = Callable[[np.ndarray, np.ndarray], Sequence[np.ndarray]]


def make_quality(
    clips: Sequence[Clip],
    landmarks: str | Path,
    pose: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    source_size_at: Callable[[int], tuple[int, int]],
    every: int,
) -> None:
    """Write a table QUALITY_FRAMES (csv) of each clip to `folder`, and `manifest` (QUALITY).

    `landmarks` and `pose` are the folders with what these stages made of the clips.
    `source_size_at` gives width and height of the source in pixels at a grid frame. `every`: see
    `measure_clip`.
    """

    # Where there are no clips, nothing is loaded.
    judge = SpeechJudge(threads=1) if clips else None
    detector = SpeechDetector(threads=1) if clips else None

    def make(clip: Clip, folder: Path) -> Mapping[str, float]:
        sound = clip.sound()
        marks = read_landmarks(Path(landmarks, f"{clip.clip_id}.npz"))
        detector.reset()
        boxes = clip.boxes()
        measures, frames = measure_clip(
            clip.frames(),
            boxes,
            marks.points,
            marks.present,
            read_array(Path(pose, f"{clip.clip_id}.npy")),
            residual_offset(marks.points, sound, detector.run(sound)),
            judge.run(sound),
            clip_size=(clip.width, clip.height),
            source_size=source_size_at(int(boxes.source_frame[0])),
            find_hands=hands.run,
            every=every,
        )
        write_table(frames, folder / f"{clip.clip_id}.csv", QUALITY_FRAMES)
        return measures

    opened: AbstractContextManager[Any] = HandFinder() if clips else nullcontext()
    with opened as hands:
        make_for_clips(make, clips, folder, manifest, QUALITY)


def measure_clip(
    frames: Iterable[np.ndarray],
    boxes: np.recarray,
    points: np.ndarray,
    present: np.ndarray,
    angles: np.ndarray,
    residual: tuple[float, float],
    speech_quality: float,
    *,
    clip_size: tuple[int, int],
    source_size: tuple[int, int],
    find_hands: FindHands,
    every: int,
) -> tuple[dict[str, float], np.recarray]:
    """The measures of one clip of N frames in the table QUALITY, by name, and a table
    QUALITY_FRAMES of every `every`-th frame from the first.

    frames: (H, W, 3) uint8 BGR, in order; taken one at a time, none is kept.
    boxes: the clip's table CLIP_FRAMES, one row a frame.
    points, present: (N, 468 or more, 3) in clip pixels and (N,), by `landmarks`.
    angles: (N, 3) yaw, pitch, roll in degrees, by `pose`; NaN where absent.
    residual: offset and certainty by `sync.residual_offset`.
    speech_quality: by `speech_quality.SpeechJudge`.
    clip_size, source_size: width and height in pixels.
    find_hands: such as `hands.HandFinder.run`.

    The measures:
    face_height: median height of the face box, in source pixels: what `segments` judges.
    present_share: of frames with a mesh.
    border_share: of frames in which box or mesh touch the edge of the source picture.
    brightness: mean luma of the face, 0 to 255 (BT.601); sharpness: see the module. Medians over
        sampled frames with a mesh, NaN where there is none.
    hand_share: of sampled frames in which hands cover at least HIDDEN of the face (`hand_overlap`:
        its mesh, or the ellipse in its box where a hand hides it from the mesh). Hands that are
        merely visible do not count.
    max_abs_*, *_range: see `angles.angle_ranges`.
    residual_offset: frames by which the finished clip's sound still leads, and
        residual_certainty: how likely that is within a frame of the truth.
    speech_quality: how good the sound is, 1 to 5.

    Raises ValueError where the parts are not of one length.
    """
    lengths = {len(boxes), len(points), len(present), len(angles)}
    if len(lengths) > 1:
        raise ValueError(
            f"{len(boxes)} frames in the csv, {len(points)} (present: {len(present)}) in the "
            f"landmarks, {len(angles)} in its pose: make landmarks and pose again"
        )
    at_border = touches_border(boxes, points, clip_size, source_size)
    in_clip = boxes_in_clip(boxes, *clip_size)
    rows = []
    count = 0
    for k, frame in enumerate(frames):
        count = k + 1
        if k % every or k >= len(boxes):
            continue
        face = points[k, :_OUTLINE, :2] if present[k] else _ellipse(in_clip[k])
        brightness, detail = measure_face(frame, face) if present[k] else (np.nan, np.nan)
        overlap = covered_share(face, find_hands(frame, face))
        rows.append((k, int(present[k]), int(at_border[k]), brightness, detail, overlap))
    if count != len(boxes):
        raise ValueError(f"{count} frames in the clip, {len(boxes)} in its csv")
    table = table_of_rows(QUALITY_FRAMES, rows)
    measures = {
        "face_height": _median(boxes.h),
        "present_share": np.mean(present),
        "border_share": np.mean(at_border),
        "brightness": _median(table.brightness),
        "sharpness": _median(table.sharpness),
        "hand_share": np.mean(table.hand_overlap >= HIDDEN),
        **angle_ranges(angles),
        "residual_offset": residual[0],
        "residual_certainty": residual[1],
        "speech_quality": speech_quality,
    }
    for name, digits in {"brightness": 1, "sharpness": 2, "hand_overlap": 3}.items():
        table[name] = table[name].round(digits)
    return {name: _rounded(name, value) for name, value in measures.items()}, table


def measure_face(frame: np.ndarray, face: np.ndarray) -> tuple[float, float]:
    """Brightness and sharpness of a face, from a frame (H, W, 3) BGR and its points (K, 2).

    NaN for a face that is not in the frame.
    """
    grey, inside = _face_patch(frame, face)
    if inside.sum() < _LEAST_PIXELS:
        return np.nan, np.nan
    return float(grey[inside].mean()), sharpness(grey, inside)


def sharpness(grey: np.ndarray, inside: np.ndarray) -> float:
    """Variance of the Laplacian of a picture (H, W) float32, 0 to 255, where `inside` (H, W).

    At a mean of 128 and without what noise adds; 0 for a black picture.
    """
    mean = float(grey[inside].mean())
    if mean < 1:
        return 0.0
    grey = grey * np.float32(_MID_GREY / mean)
    variance = float(cv2.Laplacian(grey, cv2.CV_32F)[inside].var())
    noise = _MAD * float(np.median(abs(cv2.filter2D(grey, cv2.CV_32F, _NOISE_MASK)[inside])))
    return max(0.0, variance - _LAPLACIAN_NORM * noise**2)


def touches_border(
    boxes: np.recarray,
    points: np.ndarray,
    clip_size: tuple[int, int],
    source_size: tuple[int, int],
) -> np.ndarray:
    """(N,) bool: whether the face's box or mesh touches the edge of the source picture, or leaves
    it. Arguments as in `measure_clip`."""
    mesh = clip_to_source(points[:, :_OUTLINE, :2], boxes, clip_size)
    low = np.stack([boxes.x, boxes.y], axis=1)
    high = low + np.stack([boxes.w, boxes.h], axis=1)
    # A frame without a mesh has NaN, which fmin and fmax pass over.
    low = np.fmin(low, mesh.min(axis=1))
    high = np.fmax(high, mesh.max(axis=1))
    return ((low <= EDGE) | (high >= np.array(source_size) - EDGE)).any(axis=1)


def covered_share(face: np.ndarray, hands: Sequence[np.ndarray]) -> float:
    """Share of the convex hull of a face (K, 2) that the hulls of hands (M, 2) cover, 0 to 1."""
    low = face.min(axis=0)
    scale = _GRID / max(float((face.max(axis=0) - low).max()), 1.0)
    area = _filled((face - low) * scale, (_GRID, _GRID))
    covered = np.zeros_like(area)
    for hand in hands:
        covered |= _filled((hand - low) * scale, area.shape)
    return float((area & covered).sum() / area.sum())


def _face_patch(frame: np.ndarray, face: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The face at SIDE pixels as luma (h, w) float32, and where it is in that, (h, w) bool."""
    low, high = face.min(axis=0), face.max(axis=0)
    size = np.array(frame.shape[1::-1])
    start = np.clip(np.floor(low), 0, size).astype(int)
    stop = np.clip(np.ceil(high), 0, size).astype(int)
    scale = SIDE / max(float((high - low).max()), 1.0)
    width, height = np.round((stop - start) * scale).astype(int)
    if min(width, height) < 1 or (stop <= start).any():
        return np.zeros((1, 1), np.float32), np.zeros((1, 1), bool)
    patch = frame[start[1] : stop[1], start[0] : stop[0]]
    luma = cv2.cvtColor(patch, cv2.COLOR_BGR2GRAY).astype(np.float32)
    filtering = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(luma, (int(width), int(height)), interpolation=filtering))
    middle = (low + high) / 2
    inner = (face - middle) * _INNER + middle
    return grey, _filled((inner - start) * scale, grey.shape)


def _filled(points: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Raster (H, W) bool of the convex hull of points (K, 2) in continuous coordinates."""
    hull = cv2.convexHull(np.ascontiguousarray(points, np.float32))
    raster = np.zeros(shape, np.uint8)
    # In sixteenths of a pixel, and cv2 has pixel centres at whole numbers.
    cv2.fillConvexPoly(raster, np.round((hull - 0.5) * 16).astype(np.int32), (1,), shift=4)
    return raster.astype(bool)


def _ellipse(box: np.ndarray) -> np.ndarray:
    """Points (32, 2) of the ellipse that fills a box x, y, w, h."""
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    return box[:2] + box[2:] * (1 + circle) / 2


def _median(values: np.ndarray) -> float:
    """The median of what is not NaN; NaN where there is nothing."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else np.nan


def _rounded(name: str, value: float) -> float:
    """A measure as it is written."""
    if name.endswith(("_share", "_certainty")):
        return round(float(value), 4)
    return round(float(value), 1 if name in ("face_height", "brightness") else 2)
