"""A picture of a dataset: some frames of every clip, with the landmarks where there are any."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from talkingface.clips.clips import clip_frames
from talkingface.faces.landmark_files import read_landmarks
from talkingface.media.audio import read_wav

SIDE = 192
WAVE_HEIGHT = 32
MARGIN = 4


def contact_sheet(
    results: str | Path, clips: pd.DataFrame, *, columns: int = 6, most: int = 12
) -> np.ndarray:
    """Draw one row a clip: frames at even distances, and the sound's loudness below them.

    `results` is the results folder, `clips` its dataset/clips.csv; at most `most` clips, spread
    evenly. Gives (H, W, 3) uint8 BGR.
    """
    chosen = clips.iloc[
        np.unique(np.linspace(0, len(clips) - 1, min(most, len(clips))).astype(int))
    ]
    rows = [_row(Path(results), clip, columns) for _, clip in chosen.iterrows()]
    if not rows:
        rows = [np.full((SIDE, columns * (SIDE + MARGIN), 3), 255, np.uint8)]
    return np.concatenate(rows)


def _row(results: Path, clip: pd.Series, columns: int) -> np.ndarray:
    wanted = np.linspace(0, clip.n_frames - 1, columns).astype(int)
    points = read_landmarks(results / clip.landmarks).points68 if "landmarks" in clip else None
    pictures = []
    for k, image in enumerate(clip_frames(results / clip.video, clip.n_frames)):
        if k in wanted:
            pictures.append(_picture(image, None if points is None else points[k]))
    strip = np.concatenate(pictures, axis=1)
    return np.concatenate([strip, _wave(read_wav(results / clip.audio), strip.shape[1])])


def _picture(image: np.ndarray, points: np.ndarray | None) -> np.ndarray:
    scale = SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if points is not None and np.isfinite(points).all():
        for x, y in points * scale:
            cv2.circle(small, (round(float(x)), round(float(y))), 1, (80, 255, 80), -1, cv2.LINE_AA)
    picture = np.full((SIDE + MARGIN, SIDE + MARGIN, 3), 255, np.uint8)
    picture[: small.shape[0], : small.shape[1]] = small[:SIDE, :SIDE]
    return picture


def _wave(sound: np.ndarray, width: int) -> np.ndarray:
    """Peaks of the sound over the width of a row, and a gap below."""
    wave = np.full((WAVE_HEIGHT + 2 * MARGIN, width, 3), 255, np.uint8)
    edges = np.linspace(0, len(sound), width + 1).astype(int)
    peaks = np.maximum.reduceat(abs(sound.astype(int)), edges[:-1]) / 32768 * WAVE_HEIGHT / 2
    for x, peak in enumerate(peaks):
        middle = WAVE_HEIGHT // 2
        wave[middle - int(peak) : middle + int(peak) + 1, x] = (160, 110, 40)
    return wave
