"""What SyncNet's distances say: offset, confidence, also of every frame, and drift.

A row of distances belongs to one window of five frames; its columns are the shifts -V to V of the
sound against it, in frames, V = `max_offset`. All offsets are positive when the sound leads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from talkingface.filters import median_filter

# torch.nn.functional.pairwise_distance adds it to every difference.
EPSILON = 1e-6

# run_visualise.py of syncnet_python: N frames have N - 5 windows and so N + 1 padded entries, of
# which it reads N. Frame k gets window k - 3, which reaches from k - 3 to k + 1.
PAD_FRAMES = 3
PAD_DISTANCE = 10.0
MEDIAN_FRAMES = 9


@dataclass(frozen=True)
class Sync:
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


def judge(table: np.ndarray) -> Sync:
    """Offset and confidence of a track, or of a part of it, from its (n, 2 V + 1) distances.

    The curve is the mean over the windows (those with a distance: a shift that NaN leaves none
    does not take part); the offset is V less the place of its minimum, the confidence its median
    less that minimum. Without any distance all is 0.
    """
    curve = _curve(table)
    if not np.isfinite(curve).any():
        return Sync(0, 0.0, 0.0)
    best = int(np.nanargmin(curve))
    lowest = float(curve[best])
    return Sync(len(curve) // 2 - best, float(np.nanmedian(curve)) - lowest, lowest)


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
    own = table[:, int(np.nanargmin(curve))].astype(float)
    own = np.where(np.isfinite(own), own, np.nanmedian(curve))
    confidences = np.nanmedian(curve) - own
    after = max(PAD_FRAMES, n_frames + 1 - len(own) - PAD_FRAMES)
    if pad_distance is None:
        # So far that the filter's own zeros stay outside.
        reach = MEDIAN_FRAMES // 2
        padded = np.pad(confidences, (PAD_FRAMES + reach, after + reach), mode="edge")
        return median_filter(padded, MEDIAN_FRAMES)[reach:][:n_frames]
    padded = np.pad(
        confidences, (PAD_FRAMES, after), constant_values=np.nanmedian(curve) - pad_distance
    )
    return median_filter(padded, MEDIAN_FRAMES)[:n_frames]


def local_offsets(table: np.ndarray, window: int = 100, step: int = 25) -> list[tuple[int, Sync]]:
    """Offset and confidence of every `window` windows, `step` apart: (middle window, Sync).

    Short of one whole window there is none.
    """
    starts = range(0, len(table) - window + 1, step)
    return [(start + window // 2, judge(table[start : start + window])) for start in starts]


def drift(parts: list[tuple[int, Sync]], min_confidence: float = 3.0) -> float:
    """How fast the sound drifts against the picture, in frames of offset per minute.

    `parts` are `local_offsets`; those below `min_confidence` (LatentSync's gate) say nothing of
    the offset and are left out. The slope is the median of those between all pairs (Theil and
    Sen), so single wrong offsets do not turn it. NaN with fewer than three parts.
    """
    sure = [(middle, sync.offset) for middle, sync in parts if sync.confidence >= min_confidence]
    if len(sure) < 3:
        return float("nan")
    # An hour has 3,600 parts; 500 of them are plenty, and 125,000 pairs.
    sure = sure[:: -(-len(sure) // 500)]
    slopes = [(b - a) / (k - i) for (i, a), (k, b) in combinations(sure, 2)]
    return float(np.median(slopes)) * 25 * 60


def _curve(table: np.ndarray) -> np.ndarray:
    """Mean distance of every shift, (2 V + 1,) float64; NaN where no window has one."""
    counts = np.isfinite(table).sum(axis=0)
    sums = np.nansum(table, axis=0, dtype=np.float64)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
