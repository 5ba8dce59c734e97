"""The person without the head, as RGBA pictures: what a talking-head NeRF puts its head upon.

Neck, necklace and cloth are kept. Their upper edge is carried on upwards under the head, so that
no gap opens where the rendered head ends a little higher than the one that was cut off. RAD-NeRF
carries it on too, in another way. Here every head pixel straight above the torso and near it gets
the torso's mean colour just below the edge under it, smoothed sideways. The rest is transparent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from talkingface import tables
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.media.prefetch import prefetch
from talkingface.pictures.numbered import write_numbered
from talkingface.pictures.parsing.labels import BACKGROUND, CLOTH, FACE, TORSO, read_labels

# Lengths are shares of the face's height in the picture.
_CLOTH_REACH = 0.04  # how far cloth is carried on; above it is hair, seldom the chin
_EDGE = 0.03  # the outermost of the torso, where the head's colours are mixed in
_WINDOW = 0.12  # side of the windows whose mean colour is carried on

_IS_TORSO = np.isin(np.arange(256), TORSO)
_IS_FACE = np.isin(np.arange(256), FACE)


def make_torso(
    clips: Sequence[Clip],
    parsing: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    reach: float,
    threads: int,
) -> None:
    """Cut the torso out of every frame: a folder of pictures for each clip, and the table TORSO.

    parsing: the clips' folder of label maps. reach: see `cut_torsos`. threads: see write_numbered.
    """

    def make(clip: Clip, into: Path) -> None:
        labels = read_labels(Path(parsing, clip.clip_id), clip.n_frames)
        torsos = cut_torsos(prefetch(clip.frames()), prefetch(labels), reach=reach)
        write_numbered(torsos, into / clip.clip_id, threads=threads)

    make_for_clips(make, clips, folder, manifest, tables.TORSO)


def cut_torsos(
    frames: Iterable[np.ndarray], labels: Iterable[np.ndarray], *, reach: float
) -> Iterator[np.ndarray]:
    """The torso of every frame, lazily.

    frames: (H, W, 3) uint8 BGR. labels: (H, W) uint8 of each frame. reach: how far the neck is
    carried on, over the face's height in the picture; 0 carries nothing on. Yields (H, W, 4) uint8
    BGRA; alpha is 255 or 0, colours are 0 where it is 0.
    Raises ValueError when there are not as many labels as frames.
    """
    for frame, label in zip(frames, labels, strict=True):
        yield cut_torso(frame, label, reach=reach)


def cut_torso(frame: np.ndarray, labels: np.ndarray, *, reach: float) -> np.ndarray:
    """The torso of one frame; see `cut_torsos`.

    A frame without a face has no height to measure by, so nothing is carried on there; all that
    its labels call neck or cloth is torso.
    """
    torso = _IS_TORSO[labels]
    alpha = torso.astype(np.uint8) * 255
    picture = cv2.copyTo(frame, alpha)
    face_rows = np.flatnonzero(_IS_FACE[labels].any(axis=1))
    torso_rows = np.flatnonzero(torso.any(axis=1))
    if len(face_rows) and len(torso_rows) and reach > 0:
        face_height = float(face_rows[-1] - face_rows[0] + 1)
        part = slice(max(0, torso_rows[0] - int(reach * face_height) - 1), None)
        _carry_on(picture[part], alpha[part], labels[part], face_height, reach)
    return cv2.merge([picture, alpha])


def _carry_on(
    picture: np.ndarray, alpha: np.ndarray, labels: np.ndarray, face_height: float, reach: float
) -> None:
    """Fill `picture` (H, W, 3) and `alpha` (H, W) above the torso and in its edge, in place."""
    added, under = _above(alpha > 0, labels, face_height, reach)
    if not added.any():
        return
    # The rim are the torso's pixels that have an added one at most `edge` rows above them.
    edge = max(1, round(_EDGE * face_height))
    row = np.arange(len(labels), dtype=np.int32)[:, None]
    rows_below = row - _row_above(added)
    rim = (alpha > 0) & (rows_below <= edge)
    unmixed = (alpha > 0) & ~rim
    y, x = np.nonzero(added | rim)
    is_added, rows_below = added[y, x], rows_below[y, x]
    first = np.where(is_added, under[y, x], y - rows_below + 1)  # row of the torso's first pixel
    source = np.minimum(first + 2 * edge, len(labels) - 1)
    weight = np.where(is_added, 1, np.clip(1.5 - 1.5 * (rows_below - 0.5) / edge, 0, 1))[:, None]
    is_cloth = labels[first, x] == CLOTH
    colours = np.empty((len(y), 3), np.float32)
    # Cloth is carried on from cloth, and all else from all else.
    for part, source_part in ((is_cloth, labels == CLOTH), (~is_cloth, labels != CLOTH)):
        if part.any():
            mean = _local_mean(picture, unmixed & source_part, source[part], x[part], face_height)
            mean = _smooth_sideways(mean, y[part], x[part], face_height)
            colours[part] = weight[part] * mean + (1 - weight[part]) * picture[y[part], x[part]]
    picture[y, x] = np.rint(colours)
    alpha[added] = 255


def _above(
    torso: np.ndarray, labels: np.ndarray, face_height: float, reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """Head pixels to fill, (H, W) bool, and the row of the torso's pixel under every pixel.

    Between a pixel and the torso under it there is nothing but head.
    """
    height = len(labels)
    row = np.arange(height, dtype=np.int32)[:, None]
    under = _running(np.minimum, np.where(torso, row, height)[::-1])[::-1]
    y, x = np.nonzero((labels != BACKGROUND) & ~torso & (under - row <= reach * face_height))
    below = under[y, x]
    inside = below < height
    y, x, below = y[inside], x[inside], below[inside]
    far = np.where(labels[below, x] == CLOTH, min(reach, _CLOTH_REACH), reach) * face_height
    # Counted down to a row, background pixels are as many at both ends where none lies between.
    gaps = _running(np.add, (labels == BACKGROUND).astype(np.int32))
    fits = (below - y <= far) & (gaps[below, x] == gaps[y, x])
    added = np.zeros_like(torso)
    added[y[fits], x[fits]] = True
    return added, under


def _row_above(mask: np.ndarray) -> np.ndarray:
    """For every pixel the row of the first of `mask` at or above it; far away if there is none."""
    height = len(mask)
    rows = np.where(mask, np.arange(height, dtype=np.int32)[:, None], -2 * height)
    return _running(np.maximum, rows)


def _running(combine: np.ufunc, values: np.ndarray) -> np.ndarray:
    """`combine.accumulate` down the rows of (H, W) values, in a fifth of its time."""
    out = values.copy()
    for above, row in pairwise(out):
        combine(above, row, out=row)
    return out


def _local_mean(
    picture: np.ndarray, mask: np.ndarray, y: np.ndarray, x: np.ndarray, face_height: float
) -> np.ndarray:
    """(n, 3) float64, mean colour of the mask's pixels around places; of all where none is near."""
    side = round(_WINDOW * face_height) | 1
    part = np.s_[max(0, y.min() - side) : y.max() + side, max(0, x.min() - side) : x.max() + side]
    share = mask[part].astype(np.float32)
    weighted = cv2.merge([*cv2.split(picture[part] * share[..., None]), share])
    near = cv2.blur(weighted, (side, side), borderType=cv2.BORDER_CONSTANT)
    at = near[y - part[0].start, x - part[1].start].astype(np.float64)
    whole = cv2.mean(picture, mask.astype(np.uint8))[:3] if mask.any() else picture[y, x]
    # A few pixels at a window's border are no mean yet.
    trust = np.minimum(1, at[:, 3:] * 20)
    return trust * at[:, :3] / np.maximum(at[:, 3:], 1e-6) + (1 - trust) * np.asarray(whole)


def _smooth_sideways(
    colours: np.ndarray, y: np.ndarray, x: np.ndarray, face_height: float
) -> np.ndarray:
    """(n, 3), means of the colours (n, 3) of pixels in the same row nearby."""
    side = round(_WINDOW * face_height) | 1
    top, left = y.min(), x.min()
    sheet = np.zeros((y.max() - top + 1, x.max() - left + 1, 4), np.float32)
    sheet[y - top, x - left, :3] = colours
    sheet[y - top, x - left, 3] = 1
    mean = cv2.blur(sheet, (side, 1), borderType=cv2.BORDER_CONSTANT)[y - top, x - left]
    return mean[:, :3] / mean[:, 3:]
