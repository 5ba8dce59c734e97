"""Pictures of who is where, in the colours that readers of the RAD-NeRF family look for.

Colours here are blue, green, red, as cv2 writes them.
"""

from __future__ import annotations

import cv2
import numpy as np

from talkingface.pictures.parsing import labels as parsing

_SIDE = 512  # pixels of the pictures that lengths are told in
# data_utils/face_parsing/test.py of SyncTalk: how far the chin reaches down, and the blur.
_CHIN, _BLUR, _SIGMA = 10, 9, 4.0

_HEAD, _NECK, _TORSO = (255, 0, 0), (0, 255, 0), (0, 0, 255)
_BACKGROUND, _INSIDE_MOUTH, _HAIR = (255, 255, 255), (100, 100, 100), (0, 0, 0)


def _colours(**others: tuple[int, int, int]) -> np.ndarray:
    """(19, 3) uint8: a colour for every label."""
    table = np.tile(np.array(_HEAD, np.uint8), (len(parsing.LABELS), 1))
    table[parsing.BACKGROUND] = _BACKGROUND
    table[[parsing.NECK, parsing.NECK_L]] = _NECK
    table[parsing.CLOTH] = _TORSO
    for name, colour in others.items():
        table[parsing.LABELS.index(name)] = colour
    return table


# RAD-NeRF, ER-NeRF and SyncTalk: hair and the inside of the mouth belong to the head.
PARTS = _colours()
# TalkingGaussian: they have colours of their own. A hat is head, as in its own code.
PARTS_AND_HAIR = _colours(mouth=_INSIDE_MOUTH, hair=_HAIR)

_IS_FACE = np.isin(
    np.arange(256),
    [*range(parsing.SKIN, parsing.L_EAR), *range(parsing.NOSE, parsing.NECK)],
)


def face_mask(labels: np.ndarray) -> np.ndarray:
    """The face without ears, soft at its edge, for SyncTalk's `--portrait`: (H, W, 3) uint8 BGR.

    labels: (H, W) uint8. Blue where the face is and white elsewhere; the reader takes 1 - green as
    the share of the drawn face. Under the middle half of the face it reaches below the chin, so
    that no edge of the old chin shows. Lengths are SyncTalk's at 512 pixels of height.
    """
    unit = labels.shape[0] / _SIDE
    mask = _IS_FACE[labels]
    columns = np.flatnonzero(mask.any(axis=0))
    if len(columns):
        quarter = (columns[-1] - columns[0]) // 4
        middle = columns[(columns >= columns[0] + quarter) & (columns <= columns[0] + 3 * quarter)]
        lowest = len(mask) - 1 - mask[::-1, middle].argmax(axis=0)
        row = np.arange(len(mask))[:, None]
        mask[:, middle] |= (row >= lowest) & (row < lowest + round(_CHIN * unit))
    size = round(_BLUR * unit) | 1
    share = cv2.GaussianBlur(mask.astype(np.float32), (size, size), _SIGMA * unit)
    rest = np.rint(255 * (1 - share)).astype(np.uint8)
    return np.dstack([np.full_like(rest, 255), rest, rest])


def person_over(frame: np.ndarray, labels: np.ndarray, plate: np.ndarray) -> np.ndarray:
    """A frame (H, W, 3) whose background pixels, by labels (H, W), are those of the clean plate."""
    return np.where((labels == parsing.BACKGROUND)[..., None], plate, frame)
