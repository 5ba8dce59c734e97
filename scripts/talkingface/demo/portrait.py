"""A portrait whose mouth opens and whose eyes close as told: what the demo's faces are made of.

The portrait is `skimage.data.astronaut` (Eileen Collins, NASA, public domain), which ships inside
the scikit-image wheel. The mouth is opened by moving the lower lip and chin, and the eyes are
closed by moving the upper lids, so the opening of every frame is known by construction.

Portrait coordinates are pixels of the 512 x 512 picture, y down. Images are np.uint8 BGR.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

Image = npt.NDArray[Any]  # np.uint8, as opencv declares less than it returns
Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

# Measured once on the portrait with mediapipe's face mesh (mesh index in brackets).
CENTRE = (225.5, 132.0)  # middle of the box below
LEFT, RIGHT = (179.5, 110.1), (271.5, 115.8)  # [234] [454], face sides at the ears
BROWS = ((198.7, 86.0), (253.8, 88.0))  # upper edges of the brows [105] [334]
CHIN = (221.4, 177.5)  # [152]
FACE_HEIGHT = 91.5  # brows to chin, mouth as in the picture
# Inner lip contour, corner to corner: x, upper lip, lower lip. The picture smiles: a gap of 7 px.
_LIPS = np.array([
    [203.2, 140.2, 140.2], [206.7, 140.5, 143.4], [209.5, 141.1, 145.9], [213.1, 141.9, 148.1],
    [217.6, 142.8, 149.6], [223.2, 143.4, 150.4], [229.0, 143.2, 150.1], [233.8, 142.6, 148.9],
    [237.8, 142.1, 147.0], [241.0, 141.8, 144.9], [244.7, 141.3, 141.3],
])  # fmt: skip
# Upper and lower lid of the eyes: x, upper, lower.
_EYES = (
    np.array([[194.5, 101.0, 101.5], [199.0, 98.6, 104.0], [203.3, 97.8, 104.8],
              [208.0, 98.6, 104.8], [214.5, 103.6, 104.2]]),
    np.array([[236.5, 105.2, 105.6], [242.0, 101.0, 106.6], [247.5, 99.6, 107.0],
              [252.0, 100.4, 106.4], [257.0, 104.3, 104.6]]),
)  # fmt: skip
# Outline of the person, found with mediapipe's selfie segmentation and cv2.grabCut.
_OUTLINE = [
    201, 23, 185, 38, 174, 43, 163, 51, 156, 58, 154, 64, 154, 92, 157, 104, 167, 115, 170, 121,
    174, 128, 182, 132, 182, 147, 153, 151, 140, 158, 123, 178, 120, 198, 113, 204, 103, 215,
    90, 227, 76, 235, 65, 246, 44, 282, 40, 294, 39, 306, 34, 315, 26, 342, 24, 376, 20, 390,
    20, 410, 25, 460, 30, 511, 502, 511, 501, 476, 498, 464, 496, 453, 493, 421, 488, 405,
    480, 390, 472, 379, 450, 358, 436, 351, 418, 345, 393, 344, 364, 348, 360, 328, 356, 302,
    352, 286, 340, 262, 319, 243, 303, 233, 299, 219, 289, 203, 276, 189, 256, 174, 256, 163,
    264, 149, 266, 137, 275, 134, 290, 117, 296, 107, 300, 92, 299, 72, 296, 58, 288, 43,
    276, 31, 248, 18, 227, 16, 207, 20,
]  # fmt: skip
_HAIR = [150, 10, 305, 10, 305, 130, 266, 132, 268, 96, 262, 88, 190, 80, 184, 92, 178, 118,
         172, 122, 150, 120]  # fmt: skip

MAX_GAP = 17.0  # lip gap at opening 1, portrait pixels
REST_GAP = 7.0  # the gap in the picture
_PATCH = (160, 80, 290, 216)  # x0, y0, x1, y1 of everything that moves
_JAW_Y, _NECK_Y, _JAW_HALF = 171.0, 212.0, 50.0  # chin moves rigidly, the neck takes it up
_THROAT = np.array((22, 16, 38), np.float32)  # blue, green, red
_TONGUE = np.array((62, 52, 128), np.float32)
_BLINKS = 3  # steps in which the eyes close
_LEVELS = 34  # mouth openings rendered and kept, half a portrait pixel apart


@dataclass(frozen=True)
class Look:
    """How one identity is made from the portrait; angles of hue are OpenCV's (0-179)."""

    mirrored: bool = False
    stretch: float = 1.0  # width of the face relative to the portrait's
    suit_hue: int = 0
    hair: tuple[float, float] = (1.0, 1.0)  # saturation and brightness of the hair
    light: tuple[float, float, float] = (1.0, 1.0, 1.0)  # blue, green, red


LOOKS: dict[str, Look] = {
    "ann": Look(),
    "ben": Look(True, 0.90, 105, (0.7, 0.42), (0.72, 0.86, 0.95)),
    "cam": Look(False, 1.08, 20, (0.15, 1.15), (1.06, 0.97, 0.98)),
}


class Portrait:
    """One identity, enlarged `zoom` times, with a mouth and eyelids that move.

    Not safe to share between threads: `sprite` returns a view of one buffer.
    """

    def __init__(self, look: str, zoom: int) -> None:
        self.look = LOOKS[look]
        self.zoom = zoom
        alpha = np.zeros((512, 512), np.uint8)
        cv2.fillPoly(alpha, [np.array(_OUTLINE).reshape(-1, 2)], (255,))
        picture = np.dstack([_coloured(self.look), alpha])
        size = (512 * zoom, 512 * zoom)
        enlarged = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
        # One pixel inwards and soft, so that no rim of the studio's background shows.
        edge = cv2.erode(enlarged[:, :, 3], np.ones((2 * zoom + 1, 2 * zoom + 1), np.uint8))
        enlarged[:, :, 3] = cv2.GaussianBlur(edge, (0, 0), 0.7 * zoom)
        x0, y0, x1, y1 = (zoom * value for value in _PATCH)
        self._rest = enlarged[y0:y1, x0:x1].copy()
        self._sprite = _premultiplied(enlarged)
        self._patch = self._sprite[y0:y1, x0:x1]
        # Portrait coordinates of the patch's pixel centres.
        self._x = ((np.arange(x0, x1) + 0.5) / zoom - 0.5).astype(np.float32)
        self._y = ((np.arange(y0, y1) + 0.5) / zoom - 0.5).astype(np.float32)
        self._blinks = [self._lids(step / _BLINKS) for step in range(_BLINKS + 1)]
        self._cache: dict[tuple[int, int], Image] = {}
        self._shown: tuple[int, int] | None = None

    def sprite(self, opening: float, blink: float = 0.0) -> Image:
        """The person as (512 zoom, 512 zoom, 4) BGRA with premultiplied alpha.

        `opening` 0 (closed) to 1 (lips MAX_GAP portrait pixels apart); `blink` 0 (eyes open) to 1.
        """
        key = (round(float(np.clip(opening, 0, 1)) * _LEVELS), round(float(blink) * _BLINKS))
        if key not in self._cache:
            moved = self._moved(self._blinks[key[1]], key[0] / _LEVELS)
            self._cache[key] = _premultiplied(moved)
        if key != self._shown:
            self._patch[:] = self._cache[key]
            self._shown = key
        return self._sprite

    def _moved(self, patch: Image, opening: float) -> Image:
        """`patch` with the mouth opened."""
        x, y = self._x, self._y[:, None]
        gap = opening * MAX_GAP
        upper, rest_lower = _curve(x, _LIPS, 1), _curve(x, _LIPS, 2)
        lower = upper + (rest_lower - upper) * np.float32(gap / REST_GAP)
        # Column by column, the part below the lip slides down: lip, chin and neck are anchored.
        across = np.clip(np.abs(x - CHIN[0]) / _JAW_HALF, 0, 1)
        drop = (gap - REST_GAP) * np.cos(across * np.pi / 2) ** 2
        source = np.empty((len(self._y), len(x)), np.float32)
        for column in range(len(x)):
            to = (lower[column], _JAW_Y + drop[column], _NECK_Y)
            source[:, column] = np.interp(self._y, to, (rest_lower[column], _JAW_Y, _NECK_Y))
        source = np.where((y < lower) | (y > _NECK_Y), y, source)
        below = np.clip((y - (lower + upper) / 2) * self.zoom + 0.5, 0, 1)[..., None]
        out = patch + (self._sampled(patch, source) - patch) * below
        # Between the lips: the picture's teeth, and under them a dark hollow with a tongue.
        rows, columns = self._lip_part()
        y, upper, lower = y[rows], upper[columns], lower[columns]
        depth = np.clip((y - rest_lower[columns] + 0.6) / 1.2, 0, 1)
        tongue = np.clip((y - lower + 0.45 * gap) / (0.5 * gap + 1e-6), 0, 1)[..., None] * 0.8
        hollow = (1 - tongue) * _THROAT + tongue * _TONGUE
        inside = patch[rows, columns, :3] + (hollow - patch[rows, columns, :3]) * depth[..., None]
        mouth = np.clip(y - upper + 0.5, 0, 1) * np.clip(lower - y + 0.5, 0, 1)
        mouth *= np.clip((lower - upper) / 0.6, 0, 1)
        colour = out[rows, columns, :3]
        colour += mouth[..., None] * (inside - colour)
        return np.clip(out + 0.5, 0, 255).astype(np.uint8)

    def _lip_part(self) -> tuple[slice, slice]:
        """Rows and columns of the patch between the corners of the widest mouth."""
        first, last = np.searchsorted(self._x, (_LIPS[0, 0], _LIPS[-1, 0]))
        top, bottom = np.searchsorted(self._y, (_LIPS[:, 1].min() - 2, 143 + MAX_GAP + 4))
        return slice(int(top), int(bottom)), slice(int(first), int(last))

    def _lids(self, blink: float) -> Image:
        """The patch at rest with the upper lids lowered: skin under the brow covers the eye."""
        rows = np.repeat(self._y[:, None], len(self._x), axis=1)
        for eye in _EYES:
            upper, under = _curve(self._x, eye, 1), _curve(self._x, eye, 2)
            to = upper + (under - upper) * blink
            top = upper.min() - 6.0
            for column in np.nonzero((self._x > eye[0, 0]) & (self._x < eye[-1, 0]))[0]:
                inside = (self._y > top) & (self._y < to[column])
                line = np.interp(self._y[inside], (top, to[column]), (top, upper[column]))
                rows[inside, column] = line
        return np.clip(self._sampled(self._rest, rows) + 0.5, 0, 255).astype(np.uint8)

    def _sampled(self, patch: Image, source: Floats) -> Floats:
        """`patch` read at rows `source` (portrait y), columns unchanged."""
        rows = ((source + 0.5) * self.zoom - 0.5 - self.zoom * _PATCH[1]).astype(np.float32)
        columns = np.broadcast_to(np.arange(len(self._x), dtype=np.float32), rows.shape)
        sampled = cv2.remap(
            patch, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return sampled.astype(np.float32)


def _curve(x: Floats, table: Array, column: int) -> Floats:
    """The contour `table[:, column]` over `x`, smooth, constant outside the table."""
    fine = np.linspace(table[0, 0], table[-1, 0], 200)
    values = np.interp(fine, table[:, 0], table[:, column])
    kernel = np.hanning(25)
    padded = np.pad(values, 12, mode="reflect", reflect_type="odd")
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="valid")
    return np.interp(x, fine, smooth).astype(np.float32)


def _premultiplied(image: Image) -> Image:
    alpha = cv2.cvtColor(cv2.extractChannel(image, 3), cv2.COLOR_GRAY2BGR)
    colour = cv2.multiply(cv2.cvtColor(image, cv2.COLOR_BGRA2BGR), alpha, scale=1 / 255)
    return cv2.merge([*cv2.split(colour), cv2.extractChannel(image, 3)]).astype(np.uint8)


@functools.cache
def _coloured(look: Look) -> Image:
    """The portrait in the colours of `look`, (512, 512, 3) BGR."""
    bgr = np.ascontiguousarray(data.astronaut()[:, :, ::-1])
    hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
    row = np.arange(512, dtype=np.float32)[:, None]
    hue, saturation = hsv[..., 0], hsv[..., 1].astype(np.float32)
    # The suit: everything orange below the neck.
    suit = (saturation > 90) & ((hue < 16) | (hue > 170)) & (row > 190)
    turned = hsv.copy()
    turned[..., 0] = (hue.astype(np.int32) + look.suit_hue) % 180
    out = _blend(bgr, cv2.cvtColor(turned, cv2.COLOR_HSV2BGR), _soft(suit, 1.0))
    # The hair: a region in which skin is told apart by being paler.
    region = np.zeros((512, 512), np.uint8)
    cv2.fillPoly(region, [np.array(_HAIR).reshape(-1, 2)], (1,))
    hair = _soft(_soft(region, 2.5) * np.clip((saturation - 55) / 25, 0, 1), 1.0)
    turned = hsv.astype(np.float32)
    turned[..., 1:] = np.clip(turned[..., 1:] * look.hair, 0, 255)
    out = _blend(out, cv2.cvtColor(turned.astype(np.uint8), cv2.COLOR_HSV2BGR), hair)
    # Out of focus below the neck: in the sharp collar and badges detectors see small faces.
    out = _blend(out, cv2.GaussianBlur(out, (0, 0), 4.0), np.clip((row - 186) / 14, 0, 1))
    return np.clip(out * np.array(look.light), 0, 255).astype(np.uint8)


def _soft(mask: Image, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma), np.float32)


def _blend(below: Image, above: Image, share: Floats) -> Image:
    return (below + (above.astype(np.float32) - below) * share[..., None]).astype(np.uint8)
