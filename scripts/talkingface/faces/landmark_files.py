"""The landmarks of a clip, and the two files that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from talkingface.job.arrays import read_arrays
from talkingface.job.files import DamagedFile, damage_in

_ABSENT = -1  # both coordinates of every point in the text, on a frame without a face


@dataclass(frozen=True)
class Landmarks:
    """One clip of N frames; a frame without a face keeps its row, so indexes never shift.

    points: (N, 478, 3) float32, mediapipe's mesh with irises: x, y in clip pixels (continuous, the
        centre of the top left pixel is 0.5, 0.5), z in the same scale, nearer is smaller. NaN where
        absent.
    points68: (N, 68, 2) float32, 300-W order, clip pixels. NaN where absent.
    present: (N,) bool; what counts as present is defined in `mesh`.
    """

    points: np.ndarray
    points68: np.ndarray
    present: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, points68: np.ndarray) -> Landmarks:
        """Landmarks of which a face is present where its mesh is not NaN."""
        return cls(points, points68, ~np.isnan(points).any(axis=(1, 2)))


def write_landmarks(path: str | Path, landmarks: Landmarks) -> None:
    """Write an npz with `points`, `points68` and `present` to exactly this path.

    It is not compressed: that saves a tenth, and some frames could not be read without those before
    them.
    """
    with open(path, "wb") as file:  # given a name, numpy would append .npz
        np.savez(
            file,
            points=landmarks.points,
            points68=landmarks.points68,
            present=landmarks.present,
        )


def read_landmarks(path: str | Path) -> Landmarks:
    """Read what `write_landmarks` wrote; raises DamagedFile where it is something else."""
    arrays = read_arrays(path)
    with damage_in(path, KeyError):
        return Landmarks(arrays["points"], arrays["points68"], arrays["present"])


def write_text(
    path: str | Path, points68: np.ndarray, present: Sequence[bool] | np.ndarray
) -> None:
    """Write the text of talking_face_preprocessing: `000001.png x_y x_y ...`, one line per frame.

    points68: (N, 68, 2) in clip pixels. A coordinate becomes the index of the pixel it falls in
    (rounded down), and may be negative or beyond the frame. present: (N,).
    A frame without a face has 68 times `-1_-1`: its line stays, so line k is always frame k - 1.
    """
    if len(points68) != len(present):
        raise ValueError(f"{len(points68)} frames of points, {len(present)} flags")
    with open(path, "w", encoding="ascii", newline="\n") as file:
        for number, (points, there) in enumerate(zip(points68, present, strict=True), start=1):
            whole = np.floor(points).astype(int) if there else np.full((68, 2), _ABSENT)
            file.write(f"{number:06d}.png " + " ".join(f"{x}_{y}" for x, y in whole) + "\n")


def read_text(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read such a text: points68 (N, 68, 2) float32 (NaN where absent) and present (N,) bool.

    Raises DamagedFile, naming the line, if a line has not 68 points or the names are not in order.
    """
    rows: list[np.ndarray] = []
    with open(path, encoding="ascii") as file, damage_in(path, UnicodeError):
        for number, line in enumerate(file, start=1):
            name, *words = line.split() or [""]
            if name != f"{number:06d}.png" or len(words) != 68:
                raise DamagedFile(path, f"line {number}: expected {number:06d}.png and 68 points")
            try:
                pairs = [(int(x), int(y)) for x, y in (word.split("_") for word in words)]
            except (ValueError, OverflowError) as error:
                raise DamagedFile(path, f"line {number}: expected x_y, {error}") from None
            rows.append(np.array(pairs, np.float32))
    points68 = np.stack(rows) if rows else np.empty((0, 68, 2), np.float32)
    present = ~(points68 == _ABSENT).all(axis=(1, 2))
    points68[~present] = np.nan
    return points68, present
