"""The 68 points of iBUG 300-W from dlib's shape predictor: landmark backend `dlib`.

Optional: `pip install dlib-bin face_recognition_models` (the second carries the predictor file
`shape_predictor_68_face_landmarks.dat`, 99,693,937 bytes; its Python module is not imported).

Licence: dlib is Boost-licensed, but this predictor was trained on iBUG 300-W, whose licence
excludes commercial use; ask Imperial College London before using it in a product
(dlib-models, README). That is why it is not the default.

The predictor expects the rectangle that dlib's HOG face detector would have drawn. Running that
detector costs 30 ms and more a frame and it misses turned faces, so the rectangle is derived from
the mesh of `mesh.py`: the picture is turned upright by the eye line, and the square has its centre
0.02 of the mesh's extent below the centre of that extent, and 0.90 of it as its side. These are
the medians of 52 HOG detections on two faces (LatentSync's seated woman and scikit-image's
astronaut, and their mirror images; `benchmarks/fit_ibug68.py --rectangles`). The detector's own
rectangle varies by 6 % of the extent in side and 4 % in place, and the predictor's answer with it,
so the mean over five rectangles spread by that much is taken: a third less jitter from frame to
frame than with one.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface.faces.mesh import region_of_points

MODEL_NAME = "shape_predictor_68_face_landmarks.dat"

_EXTENT = 220  # the face's extent in the picture given to dlib, pixels; it trained on about 200
_SIDE = 400
_RECT_SIDE, _RECT_DROP = 0.90, 0.02  # of the extent, see above
# side, right, down; as factors and shares of the rectangle
_SPREAD = ((1.0, 0.0, 0.0), (0.93, 0.03, 0.03), (0.93, -0.03, -0.03), (1.07, 0.03, -0.03),
           (1.07, -0.03, 0.03))  # fmt: skip


class DlibMissing(ImportError):
    """dlib or its predictor file is not installed."""


def find_model() -> Path:
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


def load(model: str | Path | None = None) -> Any:
    """dlib's predictor, read from `model` or from the package `face_recognition_models`.

    Raises DlibMissing, naming the pip command, when dlib or the file cannot be found.
    """
    try:
        import dlib
    except ImportError as error:
        raise DlibMissing("the landmark backend dlib needs dlib: pip install dlib-bin") from error
    path = find_model() if model is None else Path(model)
    if not path.is_file():
        raise DlibMissing(f"no dlib predictor at {path}: pip install face_recognition_models")
    return dlib.shape_predictor(str(path))


def run(predictor: Any, frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The 68 points of one face.

    predictor: from `load`.
    frame: (H, W, 3) uint8 BGR.
    points: (468 or 478, 2 or 3) mesh points of the face in frame pixels, which say where it is.
    Returns (68, 2) float32, frame pixels, 300-W order.
    """
    import dlib

    x, y, side, turn = region_of_points(points)
    scale = side / 1.5 / _EXTENT
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    linear = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([x, y]) - linear @ [_SIDE / 2, _SIDE / 2]
    crop = cv2.warpAffine(
        frame,
        np.column_stack([linear, shift + linear @ [0.5, 0.5] - 0.5]),
        (_SIDE, _SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
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
