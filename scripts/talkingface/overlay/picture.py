"""The pictures of an overlay: a clip's frame with its geometry, its parsing and its depth."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from talkingface.faces.pose import rotation_of
from talkingface.overlay.text import Colour, draw_chip, draw_text
from talkingface.pictures.parsing.labels import PALETTE

# Lines between the 68 points of 300-W: first, last, whether they close.
_LINES = (
    (0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
    (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True),
)  # fmt: skip
_NOSE_TIP = 30
# Centre and ring of the right and the left iris in the mesh.
_IRISES = ((468, slice(469, 473)), (473, slice(474, 478)))

_LINE: Colour = (150, 255, 190)
_MESH: Colour = (255, 255, 255)
_IRIS: Colour = (255, 225, 90)
_BOX: Colour = (255, 255, 255)
_DARK: Colour = (20, 20, 20)
_NOTHING: Colour = (40, 37, 34)
# Of the head's x, y and z axis; see `draw_axes`.
AXES: tuple[Colour, Colour, Colour] = ((100, 100, 255), (100, 230, 110), (255, 170, 90))
ACTIVE: Colour = (70, 200, 255)

_TINT = 0.55  # how far a label's colour covers the picture
_SHIFT = 4  # cv2 draws at sixteenths of a pixel
_EDGE = 18  # from the edge of a picture to the middle of a chip


def fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture scaled to `size` (width, height); a copy that may be drawn on."""
    if (image.shape[1], image.shape[0]) == size:
        return image.copy()
    smaller = image.shape[1] > size[0]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def draw_box(image: np.ndarray, box: np.ndarray) -> None:
    """Mark the corners of a face box x, y, w, h."""
    x, y, w, h = (float(v) for v in box)
    arm = 0.12 * min(w, h)
    lines = []
    for cx, sx in ((x, 1), (x + w, -1)):
        for cy, sy in ((y, 1), (y + h, -1)):
            lines.append([(cx + sx * arm, cy), (cx, cy), (cx, cy + sy * arm)])
    _draw(image, [np.array(line) for line in lines], _BOX)


def draw_landmarks(image: np.ndarray, points: np.ndarray, points68: np.ndarray) -> None:
    """Draw the mesh as faint dots, the irises as circles and the 68 points as lines.

    `points` are (478, 3) and `points68` (68, 2), both in pixels of this picture.
    """
    _dots(image, points[:468, :2], _MESH, 0.8)
    for closed in (False, True):
        lines = [points68[a : b + 1] for a, b, closes in _LINES if closes == closed]
        _draw(image, lines, _LINE, closed=closed)
    for centre, ring in _IRISES:
        middle = points[centre, :2]
        radius = np.linalg.norm(points[ring, :2] - middle, axis=1).mean()
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        circle = middle + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        _draw(image, [circle], _IRIS, closed=True)


def draw_axes(image: np.ndarray, origin: np.ndarray, degrees: np.ndarray, length: float) -> None:
    """Draw the head's axes from `origin` (2,): x to the subject's left, y up, z out of the face.

    `degrees` are yaw, pitch, roll as `pose` defines them, `length` in pixels.
    """
    (axes,) = rotation_of(degrees[None])
    # Farther axes first.
    for number in np.argsort(axes[2]):
        # The picture's y points down.
        tip = origin + length * axes[:2, number] * (1, -1)
        _draw(image, [np.stack([origin, tip])], AXES[number], thickness=2)


def nose(points68: np.ndarray) -> np.ndarray:
    """Tip of the nose (2,) of the 68 points."""
    return points68[_NOSE_TIP]


def tinted(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The picture in grey under the colours of its parsing, with the labels' borders.

    `labels` are (H, W) uint8 of any size, 0 to 18.
    """
    size = image.shape[1], image.shape[0]
    labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    colours = _looked_up(labels, PALETTE)
    tint = cv2.addWeighted(grey, 1 - _TINT, colours, _TINT, 0)
    border = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8))
    cv2.copyTo(colours, border, tint)
    return tint


def coloured(depth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Depth values (H, W) uint16 as a picture of `size` (width, height): bright is near."""
    eight_bits = np.maximum(depth >> 8, np.minimum(depth, 1)).astype(np.uint8)
    return fitted(_looked_up(eight_bits, _ramp()), size)


def draw_scale(image: np.ndarray) -> None:
    """The key to `coloured`, in the picture's lower right corner."""
    bar = cv2.resize(_ramp()[None, 1:], (96, 6), interpolation=cv2.INTER_AREA)
    y, x = image.shape[0] - _EDGE, image.shape[1] - 144
    draw_text(image, "far", x - 6, y, size=12, align="right")
    image[y - 3 : y + 3, x : x + 96] = bar
    draw_text(image, "near", x + 102, y, size=12)


def draw_flags(image: np.ndarray, flags: list[tuple[str, bool]]) -> None:
    """A row of words at the picture's foot, lit where they hold, dim where they do not."""
    step = image.shape[1] / len(flags)
    for place, (word, holds) in enumerate(flags):
        x, y = round((place + 0.5) * step), image.shape[0] - _EDGE
        if holds:
            draw_chip(image, word, x, y, align="middle", colour=_DARK, back=ACTIVE, strength=0.95)
        else:
            draw_chip(image, word, x, y, align="middle", colour=(190, 190, 190), strength=0.6)


def draw_title(image: np.ndarray, title: str, alarm: bool = False) -> None:
    """What the picture shows, in its upper left corner; `alarm` lights it."""
    if alarm:
        draw_chip(image, title, 8, _EDGE, colour=_DARK, back=ACTIVE, strength=0.95)
    else:
        draw_chip(image, title, 8, _EDGE)


@lru_cache(maxsize=1)
def _ramp() -> np.ndarray:
    """Colours (256, 3) of depth, far to near; the first is for no depth."""
    colours = cv2.applyColorMap(np.arange(256, dtype=np.uint8), cv2.COLORMAP_INFERNO)[:, 0]
    colours[0] = _NOTHING
    return colours


def _looked_up(values: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The colours (at most 256, 3) of values (H, W) uint8, as (H, W, 3) uint8."""
    table = np.zeros((1, 256, 3), np.uint8)
    table[0, : len(colours)] = colours
    return cv2.LUT(cv2.merge([values, values, values]), table)


def _draw(
    image: np.ndarray,
    lines: list[np.ndarray],
    colour: Colour,
    *,
    closed: bool = False,
    thickness: int = 1,
) -> None:
    """Smooth lines through (n, 2) points; the centre of the top left pixel is 0.5, 0.5."""
    whole = [np.round((line - 0.5) * 2**_SHIFT).astype(np.int32) for line in lines]
    cv2.polylines(image, whole, closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def _dots(image: np.ndarray, points: np.ndarray, colour: Colour, strength: float) -> None:
    """Dots of a pixel's area, spread over the four pixels they touch."""
    place = points - 0.5
    corner = np.floor(place).astype(int)
    share = place - corner
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = corner[:, 0] + dx, corner[:, 1] + dy
            inside = (x >= 0) & (x < image.shape[1]) & (y >= 0) & (y < image.shape[0])
            x, y = x[inside], y[inside]
            weight = abs(1 - dx - share[inside, 0]) * abs(1 - dy - share[inside, 1])
            below = image[y, x]
            image[y, x] = below + (np.array(colour) - below) * (weight * strength)[:, None]
