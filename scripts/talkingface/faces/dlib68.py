"""The 68 points of iBUG 300-W from dlib's shape predictor: landmark backend `dlib`.

Optional: `pip install dlib-bin face_recognition_models` (the second carries the predictor file
`shape_predictor_68_face_landmarks.dat`, 99,693,937 bytes; its Python module is not imported).

Licence: dlib is Boost-licensed, but this predictor was trained on iBUG 300-W, whose licence
excludes commercial use; ask Imperial College London before using it in a product
(dlib-models, README). That is why it is not the default.

The predictor expects the rectangle that dlib's HOG face detector would have drawn. Running that
detector costs 30 ms and more a frame and it misses turned faces, so the rectangle is derived from
the mesh of `mesh`: the picture is turned upright by the eye line, and the square has its centre
0.02 of the mesh's extent below the centre of that extent, and 0.90 of it as its side. These are
the medians of 52 HOG detections on two faces (LatentSync's seated woman and scikit-image's
astronaut, and their mirror images; `benchmarks/fit_ibug68.py --rectangles`). The detector's own
rectangle varies by 6 % of the extent in side and 4 % in place, and the predictor's answer with it,
so the mean over five rectangles spread by that much is taken: a third less jitter from frame to
frame than with one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface.faces.landmark_files import Landmarks
from talkingface.faces.mesh import N_POINTS, FaceMesh
from talkingface.faces.region import POINTS_SCALE, Box, crop, crop_to_frame, region_of_points
from talkingface.job.closeable import Closeable

MODEL_NAME = "shape_predictor_68_face_landmarks.dat"

_EXTENT = 220  # the face's extent in the picture given to dlib, pixels; it trained on about 200
_SIDE = 400
_RECT_SIDE, _RECT_DROP = 0.90, 0.02  # of the extent, see above
# side, right, down; as factors and shares of the rectangle
_SPREAD = ((1.0, 0.0, 0.0), (0.93, 0.03, 0.03), (0.93, -0.03, -0.03), (1.07, 0.03, -0.03),
           (1.07, -0.03, 0.03))  # fmt: skip


class DlibMissing(ImportError):
    """dlib or its predictor file is not installed."""


def find_predictor() -> Path:
    """Path of the predictor file inside `face_recognition_models`.

    Raises DlibMissing if that package is not installed.
    """
    # find_spec does not run the package, which would need pkg_resources (setuptools < 81).
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is not None:
        for folder in spec.submodule_search_locations or []:
            path = Path(folder) / "models" / MODEL_NAME
            if path.is_file():
                return path
    raise DlibMissing(
        f"the landmark backend dlib needs {MODEL_NAME}: pip install face_recognition_models"
    )


def load_predictor(model: str | Path | None = None) -> Any:
    """dlib's predictor, read from `model` or from the package `face_recognition_models`.

    Raises DlibMissing, naming the pip command, when dlib or the file cannot be found.
    """
    try:
        import dlib
    except ImportError as error:
        raise DlibMissing("the landmark backend dlib needs dlib: pip install dlib-bin") from error
    path = find_predictor() if model is None else Path(model)
    if not path.is_file():
        raise DlibMissing(f"no dlib predictor at {path}: pip install face_recognition_models")
    return dlib.shape_predictor(str(path))


class DlibLandmarker(Closeable):
    """The backend; see `landmarks.Landmarker`. Raises DlibMissing, see `load_predictor`."""

    def __init__(self) -> None:
        self._predictor = load_predictor()
        self._mesh = FaceMesh(refine=True)

    def close(self) -> None:
        """Free the networks and the predictor."""
        self._mesh.close()
        self._predictor = None

    def run(
        self, frames: Iterable[np.ndarray], boxes: Iterable[Box | None] | None = None
    ) -> Landmarks:
        """Landmarks of one clip; see `landmarks.Landmarker`."""
        meshes: list[np.ndarray] = []
        points68: list[np.ndarray] = []
        absent = np.full((68, 2), np.nan, np.float32)
        for frame, points in self._mesh.follow_clip(frames, boxes):
            meshes.append(points)
            present = not np.isnan(points).any()
            points68.append(predict(self._predictor, frame, points) if present else absent)
        return Landmarks.of(
            np.array(meshes, np.float32).reshape(-1, N_POINTS, 3),
            np.array(points68, np.float32).reshape(-1, 68, 2),
        )


def predict(predictor: Any, frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The 68 points of one face.

    predictor: from `load_predictor`.
    frame: (H, W, 3) uint8 BGR.
    points: (468 or 478, 2 or 3) mesh points of the face in frame pixels, which say where it is.
    Returns (68, 2) float32, frame pixels, 300-W order.
    """
    import dlib

    region = region_of_points(points)
    linear, shift = crop_to_frame(region, _SIDE, region.side / POINTS_SCALE / _EXTENT)
    grey = cv2.cvtColor(crop(frame, linear, shift, _SIDE), cv2.COLOR_BGR2GRAY)
    found = []
    for factor, right, down in _SPREAD:
        size = _RECT_SIDE * _EXTENT * factor
        cx = _SIDE / 2 + right * size
        cy = _SIDE / 2 + _RECT_DROP * _EXTENT + down * size
        left, top = round(cx - size / 2), round(cy - size / 2)
        rectangle = dlib.rectangle(left, top, left + round(size) - 1, top + round(size) - 1)
        parts = predictor(grey, rectangle).parts()
        found.append([(p.x + 0.5, p.y + 0.5) for p in parts])
    return (np.mean(found, axis=0) @ linear.T + shift).astype(np.float32)
