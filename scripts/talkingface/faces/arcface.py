"""Who a face is, as numbers: the ArcFace network of InsightFace's antelopev2 (glintr100).

By insightface 0.7 (utils/face_align.py, model_zoo/arcface_onnx.py): the face is turned and scaled
so that eyes, nose and mouth come to lie where they lay in training. InsightFace finds these five
points with a detector of its own, here they are made of the 68 of 300-W.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from talkingface.models.store import MAKE_AGAIN, StoredModel
from talkingface.networks.onnx import open_network

FILE = "glintr100.onnx"
SIZE = 112  # pixels, of the picture that the network looks at
WIDTH = 512  # numbers that it gives
# Where the five points lie in it, counted with 0 at the centre of the top left pixel
# (`arcface_dst`): the eye, the nose's tip and the corner of the mouth, left first.
PLACES = np.array(
    [
        (38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)  # fmt: skip


class ArcFace:
    """The network, loaded from a model of the store.

    Raises ValueError where its file is broken or that of another network; as
    `StoredModel.checked_folder` where it is not there.
    """

    def __init__(self, model: StoredModel, *, threads: int) -> None:
        path = Path(model.checked_folder(), FILE)
        try:
            self._network = open_network(path, threads)
        except Exception as error:  # onnxruntime's exceptions share no class of their own.
            reason = (str(error).splitlines() or [""])[0]
            raise ValueError(f"{path}: cannot be loaded ({reason}).\n{MAKE_AGAIN}") from error
        (self._input,) = (node.name for node in self._network.get_inputs())
        shapes = [node.shape[1:] for node in self._network.get_inputs()]
        given = [node.shape[1:] for node in self._network.get_outputs()]
        if shapes != [[3, SIZE, SIZE]] or given != [[WIDTH]]:
            raise ValueError(f"{path}: a network of {shapes} to {given}, not of faces")

    def run(self, frame: np.ndarray, points68: np.ndarray) -> np.ndarray:
        """(512,) float32, not normalised: the face in a frame (H, W, 3) uint8 BGR whose points
        (68, 2) of 300-W are in its pixels, with 0.5 at the centre of the first."""
        picture = aligned_face(frame, points68)[..., ::-1].astype(np.float32)
        values = ((picture - 127.5) / 127.5).transpose(2, 0, 1)[None]
        (embedding,) = self._network.run(None, {self._input: values})[0]
        return embedding.astype(np.float32)


def aligned_face(frame: np.ndarray, points68: np.ndarray) -> np.ndarray:
    """(112, 112, 3) uint8 BGR of the face; black where it reaches beyond the frame. See
    ArcFace.run."""
    matrix = similarity(five_points(points68) - 0.5, PLACES)
    return cv2.warpAffine(frame, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)


def five_points(points68: np.ndarray) -> np.ndarray:
    """(5, 2): the eyes' centres, the nose's tip and the mouth's corners, of (68, 2) of 300-W."""
    eyes = [points68[first : first + 6].mean(axis=0) for first in (36, 42)]
    return np.stack([*eyes, points68[30], points68[48], points68[54]]).astype(np.float64)


def similarity(points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(2, 3) matrix that turns, scales and moves points (P, 2) to lie nearest to places (P, 2).

    Umeyama (1991) in two dimensions without mirroring: in complex numbers it is a line through
    the pairs, by least squares.
    """
    z, w = points @ [1, 1j], places @ [1, 1j]
    centred = z - z.mean()
    factor = np.vdot(centred, w - w.mean()) / np.vdot(centred, centred).real
    shift = w.mean() - factor * z.mean()
    a, b = factor.real, factor.imag
    return np.array([[a, -b, shift.real], [b, a, shift.imag]])
