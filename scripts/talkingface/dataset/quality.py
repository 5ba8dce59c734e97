"""What a clip's face is like to learn from: measured once, judged by `gates`.

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

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd

from talkingface.clips.clips import face_boxes

COLUMNS = [
    "face_height", "present_share", "border_share", "brightness", "sharpness", "hand_share",
    "max_abs_yaw", "max_abs_pitch", "max_abs_roll", "yaw_range", "pitch_range", "roll_range",
    "residual_offset", "residual_confidence",
]  # fmt: skip
FRAME_COLUMNS = ["frame", "present", "at_border", "brightness", "sharpness", "hand_overlap"]

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


def measure_clip(
    frames: Iterable[np.ndarray],
    boxes: pd.DataFrame,
    points: np.ndarray,
    present: np.ndarray,
    angles: np.ndarray,
    residual: tuple[float, float],
    *,
    clip_size: tuple[int, int],
    source_size: tuple[int, int],
    find_hands: FindHands,
    every: int = 5,
) -> tuple[dict[str, float], pd.DataFrame]:
    """COLUMNS of one clip of N frames, and FRAME_COLUMNS of every `every`-th frame from the first.

    Args:
        frames: (H, W, 3) uint8 BGR, in order; taken one at a time, none is kept.
        boxes: the clip's csv by `clips`, one row a frame.
        points, present: (N, 468 or more, 3) in clip pixels and (N,), by `landmarks`.
        angles: (N, 3) yaw, pitch, roll in degrees, by `pose`; NaN where absent.
        residual: offset and confidence by `sync.residual_offset`.
        clip_size, source_size: width and height in pixels.
        find_hands: such as `hands.HandFinder.run`.

    The columns:
        face_height: median height of the face box, in source pixels: what `segments` judges.
        present_share: of frames with a mesh.
        border_share: of frames in which box or mesh touch the edge of the source picture.
        brightness: mean luma of the face, 0 to 255 (BT.601); sharpness: see the module. Medians
            over sampled frames with a mesh, NaN where there is none.
        hand_share: of sampled frames in which hands cover at least HIDDEN of the face
            (`hand_overlap`: its mesh, or the ellipse in its box where a hand hides it from the
            mesh). Hands that are merely visible do not count.
        max_abs_*: 95th percentile of the angle without its sign, *_range: from the 5th to the 95th
            percentile; degrees, NaN where no frame has a face.
        residual_offset: frames by which the finished clip's sound still leads, and
            residual_confidence: how sure that is.

    Raises ValueError where the parts are not of one length.
    """
    lengths = {len(boxes), len(points), len(present), len(angles)}
    if len(lengths) > 1:
        raise ValueError(
            f"{len(boxes)} frames in the csv, {len(points)} (present: {len(present)}) in the "
            f"landmarks, {len(angles)} in its pose: make landmarks and pose again"
        )
    at_border = touches_border(boxes, points, clip_size, source_size)
    in_clip = face_boxes(boxes, *clip_size)
    rows = []
    count = 0
    for k, frame in enumerate(frames):
        count = k + 1
        if k % every or k >= len(boxes):
            continue
        face = points[k, :_OUTLINE, :2] if present[k] else _ellipse(in_clip[k])
        light, detail = measure_face(frame, face) if present[k] else (np.nan, np.nan)
        overlap = covered_share(face, find_hands(frame, face))
        rows.append([k, int(present[k]), int(at_border[k]), light, detail, overlap])
    if count != len(boxes):
        raise ValueError(f"{count} frames in the clip, {len(boxes)} in its csv")
    table = pd.DataFrame(rows, columns=FRAME_COLUMNS)
    measures = {
        "face_height": boxes["h"].median(),
        "present_share": np.mean(present) if count else np.nan,
        "border_share": np.mean(at_border) if count else np.nan,
        "brightness": table["brightness"].dropna().median(),
        "sharpness": table["sharpness"].dropna().median(),
        "hand_share": (table["hand_overlap"] >= HIDDEN).mean(),
        **_pose_measures(angles),
        **dict(zip(COLUMNS[-2:], residual, strict=True)),
    }
    digits = {"brightness": 1, "sharpness": 2, "hand_overlap": 3}
    return {k: _rounded(k, measures[k]) for k in COLUMNS}, table.round(digits)


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
    boxes: pd.DataFrame,
    points: np.ndarray,
    clip_size: tuple[int, int],
    source_size: tuple[int, int],
) -> np.ndarray:
    """(N,) bool: whether the face's box or mesh touches the edge of the source picture, or leaves
    it. Arguments as in `measure_clip`."""
    crops = boxes[["crop_x", "crop_y", "crop_w", "crop_h"]].to_numpy(float)
    scale = crops[:, 2:] / clip_size
    mesh = points[:, :_OUTLINE, :2]
    low = boxes[["x", "y"]].to_numpy(float)
    high = low + boxes[["w", "h"]].to_numpy(float)
    # A frame without a mesh has NaN, which fmin and fmax pass over.
    low = np.fmin(low, mesh.min(axis=1) * scale + crops[:, :2])
    high = np.fmax(high, mesh.max(axis=1) * scale + crops[:, :2])
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
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(luma, (int(width), int(height)), interpolation=way))
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


def _pose_measures(angles: np.ndarray) -> dict[str, Any]:
    table = pd.DataFrame(np.asarray(angles, float), columns=["yaw", "pitch", "roll"])
    high = table.abs().quantile(0.95)
    spread = table.quantile(0.95) - table.quantile(0.05)
    return {f"max_abs_{name}": high[name] for name in table} | {
        f"{name}_range": spread[name] for name in table
    }


def _rounded(name: str, value: Any) -> float:
    digits = 4 if name.endswith("_share") else 1 if name in ("face_height", "brightness") else 2
    return round(float(value), digits)
