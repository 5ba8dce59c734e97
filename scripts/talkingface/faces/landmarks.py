"""Facial landmarks of a clip, frame by frame, and the two files that hold them.

Backends: `mediapipe` (embedded; mesh and the mapping of `ibug68`) and `dlib` (optional; see
`dlib68` for what to install and its licence). Both find and follow the face with the mesh, so
`points` and `present` are the same; only `points68` differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.faces import dlib68, ibug68
from talkingface.faces.mesh import N_POINTS, Box, FaceMesh
from talkingface.job.closeable import Closeable

BACKENDS = ("mediapipe", "dlib")

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


class Landmarker(Closeable):
    """A loaded backend, for any number of clips one after another; not for several threads."""

    def __init__(self, backend: str = "mediapipe", model: str | Path | None = None) -> None:
        """backend: one of BACKENDS. model: dlib's predictor file, if not the installed one.

        Raises ValueError for another backend and dlib68.DlibMissing when dlib is not installed.
        """
        if backend not in BACKENDS:
            raise ValueError(f"landmark backend {backend!r} is none of {', '.join(BACKENDS)}")
        self.backend = backend
        self._predictor: Any = dlib68.load(model) if backend == "dlib" else None
        self._mesh = FaceMesh(refine=True)

    def close(self) -> None:
        """Frees the models."""
        self._mesh.close()
        self._predictor = None

    def run(
        self, frames: Iterable[np.ndarray], boxes: Iterable[Box | None] | None = None
    ) -> Landmarks:
        """Landmarks of one clip.

        frames: (H, W, 3) uint8 BGR, in order; taken one at a time, none is kept.
        boxes: per frame the face's x, y, w, h in clip pixels, or None; None: no box is known, the
            largest face is followed. Raises ValueError if there are not as many as frames.
        """
        self._mesh.reset()
        meshes: list[np.ndarray] = []
        by_dlib: list[np.ndarray] = []
        present: list[bool] = []
        nothing = np.full((N_POINTS, 3), np.nan, np.float32)
        nothing68 = np.full((68, 2), np.nan, np.float32)
        for frame, box in _with_boxes(frames, boxes):
            found = self._mesh.follow(frame, box)
            present.append(found is not None)
            meshes.append(nothing if found is None else found)
            if self._predictor is not None:
                by_dlib.append(
                    nothing68 if found is None else dlib68.run(self._predictor, frame, found)
                )
        points = np.stack(meshes) if meshes else np.empty((0, N_POINTS, 3), np.float32)
        if self._predictor is None or not by_dlib:
            points68 = ibug68.points68(points)
        else:
            points68 = np.stack(by_dlib)
        return Landmarks(points, points68, np.array(present, bool))


def _with_boxes(
    frames: Iterable[np.ndarray], boxes: Iterable[Box | None] | None
) -> Iterable[tuple[np.ndarray, Box | None]]:
    if boxes is None:
        return ((frame, None) for frame in frames)
    return zip(frames, boxes, strict=True)


def write_npz(path: str | Path, landmarks: Landmarks) -> None:
    """Writes `points`, `points68` and `present`, compressed, to exactly this path."""
    with open(path, "wb") as file:  # given a name, numpy would append .npz
        np.savez_compressed(
            file,
            points=landmarks.points,
            points68=landmarks.points68,
            present=landmarks.present,
        )


def read_npz(path: str | Path) -> Landmarks:
    """Reads what `write_npz` wrote."""
    with np.load(path) as file:
        return Landmarks(file["points"], file["points68"], file["present"])


def write_text(
    path: str | Path, points68: np.ndarray, present: Sequence[bool] | np.ndarray
) -> None:
    """Writes the text of talking_face_preprocessing: `000001.png x_y x_y ...`, one line per frame.

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
    """Reads such a text: points68 (N, 68, 2) float32 (NaN where absent) and present (N,) bool.

    Raises ValueError, naming the line, if a line has not 68 points or the names are not in order.
    """
    rows: list[np.ndarray] = []
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, start=1):
            name, *words = line.split()
            if name != f"{number:06d}.png" or len(words) != 68:
                raise ValueError(f"{path}, line {number}: expected {number:06d}.png and 68 points")
            try:
                pairs = [(int(x), int(y)) for x, y in (word.split("_") for word in words)]
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: expected x_y, {error}") from None
            rows.append(np.array(pairs, np.float32))
    points68 = np.stack(rows) if rows else np.empty((0, 68, 2), np.float32)
    present = ~(points68 == _ABSENT).all(axis=(1, 2))
    points68[~present] = np.nan
    return points68, present
