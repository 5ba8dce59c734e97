"""A picture of a dataset: some frames of every clip, with the landmarks where there are any."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from talkingface.faces.landmark_files import read_landmarks
from talkingface.media.clip_files import Clip

SIDE = 192
WAVE_HEIGHT = 32
MARGIN = 4


def read_dataset(path: str | Path) -> list[dict[str, str]]:
    """The rows of a dataset's clips.csv, whatever features it has, as text."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contact_sheet(
    results: str | Path, clips: Sequence[Mapping[str, str]], *, columns: int = 6, most: int = 12
) -> np.ndarray:
    """Draw one row a clip: frames at even distances, and the sound's loudness below them.

    `results` is the results folder, `clips` the rows of its dataset/clips.csv; at most `most`
    clips, spread evenly. Gives (H, W, 3) uint8 BGR.
    """
    chosen = np.unique(np.linspace(0, len(clips) - 1, min(most, len(clips))).astype(int))
    rows = [_row(Path(results), clips[i], columns) for i in chosen]
    if not rows:
        rows = [np.full((SIDE, columns * (SIDE + MARGIN), 3), 255, np.uint8)]
    return np.concatenate(rows)


def _row(results: Path, row: Mapping[str, str], columns: int) -> np.ndarray:
    size = int(row["width"]), int(row["height"])
    folder = (results / row["video"]).parent
    clip = Clip(row["clip_id"], int(row["n_frames"]), *size, folder)
    shown = np.linspace(0, clip.n_frames - 1, columns).astype(int)
    points = read_landmarks(results / row["landmarks"]).points68 if "landmarks" in row else None
    pictures = []
    for k, image in enumerate(clip.frames()):
        if k in shown:
            pictures.append(_picture(image, None if points is None else points[k]))
    strip = np.concatenate(pictures, axis=1)
    return np.concatenate([strip, _wave(clip.sound(), strip.shape[1])])


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
