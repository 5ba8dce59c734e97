"""One clean plate of a clip: what stands behind the person, from the frames where it is seen.

A pixel counts as background in the frames in which it is labelled so and is more than `margin`
pixels away from the person; closer by, masks are often wrong. From every pixel's frames the
`KEPT` ones are kept that

- lie far from the person (in steps of `margin`, up to four), and among those
- are spread over the whole clip, by a fixed sequence that looks random.

The plate is their median, per channel. So a mask that fails in some frames does no harm, nor
someone who walks by, and memory does not depend on the clip's length. Pixels never seen get the
colour of the nearest pixel that was, as in RAD-NeRF.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from talkingface import tables
from talkingface.job.per_clip import make_for_clips
from talkingface.media.clip_files import Clip
from talkingface.media.picture import write_picture
from talkingface.media.prefetch import prefetch
from talkingface.pictures.parsing.labels import BACKGROUND, read_labels

KEPT = 9  # frames kept of every pixel
SEEN = 3  # frames in which it must be seen: in one or two it is rather the mask that failed
_STEPS = 4  # beyond this many margins, farther is not better
_GOLDEN = 0.6180339887498949  # golden ratio: its multiples modulo 1 are spread evenly


@dataclass(frozen=True)
class Plate:
    """A clip's background.

    image: (H, W, 3) uint8 BGR.
    known: (H, W) bool, seen in at least SEEN frames (all, of a shorter clip); the rest is filled.
    residual: mean absolute difference between a pixel's kept frames and the plate, in levels of
        0 to 255, over the known pixels; NaN where there are none, or one frame only. Noise of a
        still camera gives 1 to 3. A moving camera, crop or background gives more: then no single
        plate can be right.
    """

    image: np.ndarray
    known: np.ndarray
    residual: float

    @property
    def known_share(self) -> float:
        """Share of the pixels that were seen, 0 to 1."""
        return float(self.known.mean())


def make_background(
    clips: Sequence[Clip],
    parsing: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    margin: float,
) -> None:
    """Make the clean plate of every clip: a picture for each, and the table BACKGROUND.

    parsing: the clips' folder of label maps. margin: see `make_plate`.
    """

    def make(clip: Clip, into: Path) -> dict[str, float]:
        labels = read_labels(Path(parsing, clip.clip_id), clip.n_frames)
        plate = make_plate(prefetch(clip.frames()), prefetch(labels), margin=margin)
        write_picture(plate.image, into / f"{clip.clip_id}.png")
        return {"known_share": round(plate.known_share, 4), "residual": round(plate.residual, 2)}

    make_for_clips(make, clips, folder, manifest, tables.BACKGROUND)


def make_plate(
    frames: Iterable[np.ndarray], labels: Iterable[np.ndarray], *, margin: float
) -> Plate:
    """Find a clip's background.

    frames: (H, W, 3) uint8 BGR. labels: (H, W) uint8 of each frame, 0 is background. margin: pixels
    at most this far from the person are not taken.
    Raises ValueError when there are no frames, or not as many labels, or not of one size.
    """
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    kept: np.ndarray | None = None
    for number, (frame, label) in enumerate(zip(frames, labels, strict=True)):
        if kept is None:
            kept = np.zeros((KEPT, *frame.shape), np.uint8)
            merits = np.zeros((KEPT, *frame.shape[:2]), np.float32)
        if frame.shape != kept.shape[1:] or label.shape != frame.shape[:2]:
            raise ValueError(
                f"frame {number + 1}: picture {frame.shape}, labels {label.shape}, but the first "
                f"picture was {kept.shape[1:]}"
            )
        _keep(kept, merits, frame, _merit(label, margin, number))
    if kept is None:
        raise ValueError("no frames to take a background from")
    return _combine(kept, merits > 0, min(SEEN, number + 1))


def _merit(label: np.ndarray, margin: float, number: int) -> np.ndarray:
    """(H, W) float32 merit of a frame's pixels: 0 where they are not background, else at least 1.

    number: of the frame, from 0.
    """
    background = (label == BACKGROUND).astype(np.uint8)
    if background.all():  # The distance to nothing is not defined.
        return np.full(label.shape, _STEPS + number * _GOLDEN % 1, np.float32)
    distance = cv2.distanceTransform(background, cv2.DIST_L2, cv2.DIST_MASK_5)
    steps = np.clip(np.floor(distance / max(margin, 1)), 1, _STEPS)
    merit = steps + np.float32(number * _GOLDEN % 1)
    return np.where(distance > margin, merit, 0).astype(np.float32)


def _keep(kept: np.ndarray, merits: np.ndarray, frame: np.ndarray, merit: np.ndarray) -> None:
    """Put a frame's pixels in the place of the kept ones of least merit, where theirs is greater.

    kept: (KEPT, H, W, 3) uint8. merits: (KEPT, H, W) float32. Both are changed in place.
    """
    least = merits[0].copy()
    for other in merits[1:]:
        np.minimum(least, other, out=least)
    better = merit > least
    for slot in range(KEPT):
        replaced = (better & (merits[slot] == least)).astype(np.uint8)
        cv2.copyTo(frame, replaced, kept[slot])
        cv2.copyTo(merit, replaced, merits[slot])
        better &= replaced == 0  # One slot of each pixel is replaced.


def _combine(kept: np.ndarray, valid: np.ndarray, needed: int) -> Plate:
    """The plate of kept pixels, of which those `valid` (KEPT, H, W) count and `needed` must be."""
    count = valid.sum(axis=0)
    known = count >= needed
    # Invalid entries are sorted to the end; the median of the first `count` is then at its middle.
    ordered = np.sort(np.where(valid[..., None], kept, 255), axis=0)
    middle = np.maximum(count - 1, 0) // 2
    image = np.take_along_axis(ordered, middle[None, ..., None], axis=0)[0]
    difference = np.abs(kept.astype(np.int16) - image).mean(axis=-1, dtype=np.float32)
    several = valid & known & (count > 1)
    residual = float(difference[several].mean()) if several.any() else float("nan")
    return Plate(fill_nearest(image, known), known, residual)


def fill_nearest(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Give every unknown pixel the colour of the nearest known one.

    image: (H, W, 3) uint8. known: (H, W) bool. Where nothing is known, all is black.
    """
    if not known.any():
        return np.zeros_like(image)
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.empty((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[known]] = image[known]
    return colours[nearest]
