"""What SyncNet's distances say: offset, confidence, also of every frame, and drift.

A row of distances belongs to one window of five frames; its columns are the shifts -V to V of the
sound against it, in frames, V = `max_offset`. All offsets are positive when the sound leads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from talkingface.filters import median_filter
from talkingface.grid import FPS

# From this confidence on LatentSync takes an offset for certain.
TRUSTED_CONFIDENCE = 3.0

# torch.nn.functional.pairwise_distance adds it to every difference.
EPSILON = 1e-6

# run_visualise.py of syncnet_python: N frames have N - 5 windows and so N + 1 padded entries, of
# which it reads N. Frame k gets window k - 3, which reaches from k - 3 to k + 1.
PAD_FRAMES = 3
PAD_DISTANCE = 10.0
MEDIAN_FRAMES = 9

# Drift shows in offsets of windows of 4 s, a second apart; in windows of lips.
LOCAL_WINDOW = 100
LOCAL_STEP = 25
# An hour has 3,600 of them; so many are plenty, and make 125,000 pairs.
MAX_LOCAL_OFFSETS = 500


@dataclass(frozen=True)
class OffsetEstimate:
    """Offset in frames (positive: the sound leads), confidence (median less lowest mean
    distance) and that lowest distance."""

    offset: int
    confidence: float
    distance: float


def distances(lips: np.ndarray, sounds: np.ndarray) -> np.ndarray:
    """Euclidean distances of n windows to the sounds around them, (n, 2 V + 1) float32.

    `lips` are (n, C) float32; `sounds` (n + 2 V, C), row i + V belonging to window i. Rows of NaN
    (no sound there) give NaN.
    """
    shifts = len(sounds) - len(lips) + 1
    around = np.lib.stride_tricks.sliding_window_view(sounds, shifts, axis=0)
    apart = lips[:, :, None] - around + np.float32(EPSILON)
    return np.sqrt(np.einsum("ncs,ncs->ns", apart, apart))


def estimate_offset(table: np.ndarray) -> OffsetEstimate:
    """Offset and confidence of a track, or of a part of it, from its (n, 2 V + 1) distances.

    The curve is the mean over the windows (those with a distance: a shift that NaN leaves none
    does not take part); the offset is V less the place of its minimum, the confidence its median
    less that minimum. Without any distance all is 0.
    """
    curve = _curve(table)
    if not np.isfinite(curve).any():
        return OffsetEstimate(0, 0.0, 0.0)
    best = int(np.nanargmin(curve))
    lowest = float(curve[best])
    confidence = float(np.nanmedian(curve)) - lowest
    return OffsetEstimate(len(curve) // 2 - best, confidence, lowest)


def frame_confidences(
    table: np.ndarray, n_frames: int, pad_distance: float | None = PAD_DISTANCE
) -> np.ndarray:
    """Confidence of every frame of a track, (n_frames,) float64, from its (n, 2 V + 1) distances.

    The curve's median less the distance at the track's offset, with three windows of
    `pad_distance` put before and after, through a median filter of 9 that takes zeros beyond the
    ends. A `pad_distance` of None repeats the first and the last window instead. Without any
    distance all is 0.
    """
    curve = _curve(table)
    if not np.isfinite(curve).any():
        return np.zeros(n_frames)
    at_offset = table[:, int(np.nanargmin(curve))].astype(float)
    at_offset = np.where(np.isfinite(at_offset), at_offset, np.nanmedian(curve))
    confidences = np.nanmedian(curve) - at_offset
    after = max(PAD_FRAMES, n_frames + 1 - len(at_offset) - PAD_FRAMES)
    if pad_distance is None:
        # So far that the filter's own zeros stay outside.
        reach = MEDIAN_FRAMES // 2
        padded = np.pad(confidences, (PAD_FRAMES + reach, after + reach), mode="edge")
        return median_filter(padded, MEDIAN_FRAMES)[reach:][:n_frames]
    padded = np.pad(
        confidences, (PAD_FRAMES, after), constant_values=np.nanmedian(curve) - pad_distance
    )
    return median_filter(padded, MEDIAN_FRAMES)[:n_frames]


def frame_likeness(table: np.ndarray, n_frames: int, sounds: range) -> np.ndarray:
    """How alike the lips of every frame and the sound around it are, (n_frames, 2 V + 1) float32:
    less the distances of the frame's window, from a track's (n, 2 V + 1).

    `sounds` are the numbers of the windows that have sound, 0 that of the track's first window of
    lips. Frames at the ends have the nearest window that they are in; NaN where there is none, and
    where the distance is not to a sound.
    """
    reach = table.shape[1] // 2
    others = np.arange(len(table))[:, None] + np.arange(-reach, reach + 1)
    known = (sounds.start <= others) & (others < sounds.stop)
    of_windows = np.where(known, -table, np.nan)
    likeness = np.full((n_frames, table.shape[1]), np.nan, np.float32)
    if len(table):
        # A window's own frame is its fourth; the fifth comes after it.
        of_frames = np.pad(of_windows, ((PAD_FRAMES, 1), (0, 0)), mode="edge")[:n_frames]
        likeness[: len(of_frames)] = of_frames
    return likeness


def local_offsets(table: np.ndarray) -> list[tuple[int, OffsetEstimate]]:
    """The number of the middle window and the offset of every stretch of 4 s, a second apart, in a
    track's (n, 2 V + 1) distances. Short of 4 s there is none."""
    starts = range(0, len(table) - LOCAL_WINDOW + 1, LOCAL_STEP)
    return [
        (start + LOCAL_WINDOW // 2, estimate_offset(table[start : start + LOCAL_WINDOW]))
        for start in starts
    ]


def drift(estimates: list[tuple[int, OffsetEstimate]]) -> float:
    """How fast the sound drifts against the picture, in frames of offset per minute.

    `estimates` are `local_offsets`; those below TRUSTED_CONFIDENCE say nothing of the offset and
    are left out. The slope is the median of those between all pairs (Theil and Sen), so single
    wrong offsets do not turn it. NaN with fewer than three.
    """
    sure = [
        (middle, estimate.offset)
        for middle, estimate in estimates
        if estimate.confidence >= TRUSTED_CONFIDENCE
    ]
    if len(sure) < 3:
        return float("nan")
    sure = sure[:: -(-len(sure) // MAX_LOCAL_OFFSETS)]
    slopes = [(b - a) / (k - i) for (i, a), (k, b) in combinations(sure, 2)]
    return float(np.median(slopes)) * FPS * 60


def _curve(table: np.ndarray) -> np.ndarray:
    """Mean distance of every shift, (2 V + 1,) float64; NaN where no window has one."""
    counts = np.isfinite(table).sum(axis=0)
    sums = np.nansum(table, axis=0, dtype=np.float64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
