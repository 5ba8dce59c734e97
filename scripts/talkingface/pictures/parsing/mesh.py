"""Parsing backend `mesh`: labels from the face mesh, a person mask and colours; no download.

- Brows, eyes, nose, lips and the inside of the mouth are polygons of mediapipe's 478 points.
- Person or background is the selfie segmentation's (`person`).
- Skin, hair, neck and cloth are told apart by colour and place (`regions`).
- Skin beside the face between brow and mouth is an ear, on that side.

Where the face is absent, the whole person is cloth: background stays background, and no pixel is
called face. Several people are all person; what is beside the one face is hair, neck or cloth.

Each frame is labelled by itself, from nothing but its picture and points.

What it does not know: glasses, earrings, necklaces and hats (never labelled: their pixels are
skin, hair, neck or cloth); where an ear ends and cheek or temple begin; an ear under hair; hands
and microphones before the face, which get the face's labels, and hands elsewhere, which are cloth.
Beards are skin, as in CelebAMask-HQ, a long one below the chin neck or cloth. Hair that has the
skin's colour is mixed up with it, and hair with cloth of its colour around the shoulders.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from talkingface.faces.face_frame import FaceFrame, face_outline, fill_polygon
from talkingface.faces.ibug68 import points68
from talkingface.job.closeable import Closeable
from talkingface.pictures.parsing.labels import (
    BACKGROUND,
    CLOTH,
    L_BROW,
    L_EAR,
    L_EYE,
    L_LIP,
    MOUTH,
    NOSE,
    R_BROW,
    R_EAR,
    R_EYE,
    SKIN,
    U_LIP,
)
from talkingface.pictures.parsing.person import PersonMask, person_pixels
from talkingface.pictures.parsing.regions import find_regions

# These are rings of mediapipe's face_mesh_connections, in order. `RIGHT` is the subject's, which
# is left in the picture, where CelebAMask-HQ's l_ labels are.
FACE_OVAL = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
RIGHT_EYE = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7]
LEFT_EYE = [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249]
RIGHT_BROW = [70, 63, 105, 66, 107, 55, 65, 52, 53, 46]
LEFT_BROW = [300, 293, 334, 296, 336, 285, 295, 282, 283, 276]
MOUTH_INSIDE = [
    78, 191, 80, 81, 82, 13, 312, 311, 310, 415,
    308, 324, 318, 402, 317, 14, 87, 178, 88, 95,
]  # fmt: skip
UPPER_LIP = [
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291,
    308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78,
]  # fmt: skip
LOWER_LIP = [
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291,
    308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78,
]  # fmt: skip
# Bridge between the eyes, sides, wings and base: they were chosen on the mesh, which has no line
# around the nose.
NOSE_OUTLINE = [
    168, 193, 122, 188, 174, 217, 209, 49, 129, 64, 98, 97,
    2, 326, 327, 294, 358, 279, 429, 437, 399, 412, 351, 417,
]  # fmt: skip

_PARTS = (
    (NOSE_OUTLINE, NOSE),
    (RIGHT_BROW, L_BROW),
    (LEFT_BROW, R_BROW),
    (RIGHT_EYE, L_EYE),
    (LEFT_EYE, R_EYE),
    (UPPER_LIP, U_LIP),
    (LOWER_LIP, L_LIP),
    (MOUTH_INSIDE, MOUTH),
)
_NOT_SKIN = (RIGHT_BROW, LEFT_BROW, RIGHT_EYE, LEFT_EYE, UPPER_LIP, LOWER_LIP, MOUTH_INSIDE)
# A shut eye or mouth has no inside: thinner polygons (area over half the outline) are not drawn.
_MIN_THICKNESS = 0.6  # pixels
_EAR_TOP, _EAR_BOTTOM = 0.22, 0.72  # along the face, see FaceFrame
_EAR_INNER, _EAR_OUTER = 0.7, 1.6  # across it
_MIN_EAR_AREA = 0.008  # smaller ones are cheek; share of the square of the face's height
_DOUBTFUL_RIM = 0.05  # width of the face's rim that may be background, share of its height


class MeshParser(Closeable):
    """The loaded backend; see `parsing.Parser`."""

    def __init__(self, person: str, threads: int) -> None:
        """person: one of `person.MODELS`. threads: how many frames are labelled at a time."""
        self._masks = [PersonMask(person) for _ in range(max(1, threads))]
        self._pool = ThreadPoolExecutor(len(self._masks)) if len(self._masks) > 1 else None

    def close(self) -> None:
        """Frees the networks; the instance is useless afterwards. May be called twice."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        for mask in self._masks:
            mask.close()

    def run(
        self, frames: Sequence[np.ndarray], points: np.ndarray, present: np.ndarray
    ) -> np.ndarray:
        """Label maps (B, H, W) uint8; see `parsing.Parser`."""
        if not len(frames) == len(points) == len(present):
            raise ValueError(f"{len(frames)} frames, {len(points)} meshes, {len(present)} flags")
        labels = np.empty((len(frames), *frames[0].shape[:2]), np.uint8)
        jaws = points68(points)[:, :17].astype(np.float64)  # NaN where absent

        def label_some(mask: PersonMask, first: int) -> None:
            """Label the frame number `first` and every later one that is this mask's turn."""
            for k in range(first, len(frames), len(self._masks)):
                person = mask.run([frames[k]])[0]
                if present[k]:
                    labels[k] = label_frame(frames[k], person, points[k], jaws[k])
                else:
                    labels[k] = np.where(person_pixels(person), CLOTH, BACKGROUND)

        if self._pool is None:
            label_some(self._masks[0], 0)
        else:
            list(self._pool.map(label_some, self._masks, range(len(self._masks))))
        return labels


def label_frame(
    frame: np.ndarray, person: np.ndarray, points: np.ndarray, jaw: np.ndarray
) -> np.ndarray:
    """Labels of one frame with a face.

    frame: (H, W, 3) uint8 BGR. person: (H, W) float32 from `PersonMask`. points: (478, 3) and
    jaw: (17, 2), the first of 300-W's points, in pixels. Returns (H, W) uint8.
    """
    xy = np.asarray(points[:, :2], np.float64)
    face_frame = FaceFrame.of(xy)
    oval = np.zeros(person.shape, np.uint8)
    fill_polygon(oval, xy[FACE_OVAL], 1)
    side = 2 * max(1, round(_DOUBTFUL_RIM * face_frame.height)) + 1
    person = np.maximum(person, cv2.erode(oval, np.ones((side, side), np.uint8)))

    labels = find_regions(frame, person, xy, jaw, [xy[ring] for ring in _NOT_SKIN])
    face = face_outline(xy, jaw, frame.shape)
    _paint_ears(labels, face, face_frame)
    parts = np.zeros_like(labels)
    for ring, label in _PARTS:
        if _thickness(xy[ring]) > _MIN_THICKNESS:
            fill_polygon(parts, xy[ring], label)
    np.copyto(labels, parts, where=(parts > 0) & face)
    labels[~person_pixels(person)] = BACKGROUND
    return labels


def _paint_ears(labels: np.ndarray, face: np.ndarray, face_frame: FaceFrame) -> None:
    """Make skin beside the face ears, in place."""
    for side, label in ((-1, L_EAR), (1, R_EAR)):
        zone = np.zeros_like(labels)
        corners = [
            face_frame.position(side * u, v)
            for u, v in (
                (_EAR_INNER, _EAR_TOP),
                (_EAR_OUTER, _EAR_TOP),
                (_EAR_OUTER, _EAR_BOTTOM),
                (_EAR_INNER, _EAR_BOTTOM),
            )
        ]
        fill_polygon(zone, np.array(corners), 1)
        ear = (zone > 0) & ~face & (labels == SKIN)
        if np.count_nonzero(ear) > _MIN_EAR_AREA * face_frame.height**2:
            labels[ear] = label


def _thickness(polygon: np.ndarray) -> float:
    """Area of a polygon (n, 2) over half its outline, in pixels."""
    contour = polygon.astype(np.float32)
    return 2 * cv2.contourArea(contour) / max(1e-6, cv2.arcLength(contour, True))
