"""Text and marks on pictures, in the typeface that Pillow carries: no font file is needed."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]  # BGR
Align = Literal["left", "middle", "right"]

_SHARE = {"left": 0.0, "middle": 0.5, "right": 1.0}
_SUPPORT = 4  # marks are drawn this much larger and reduced: round ends without steps


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels are built with FreeType
    return font


@lru_cache(maxsize=4096)
def _mask(text: str, size: int) -> np.ndarray:
    """Coverage of a line of text, (H, W) uint8; H depends on the size alone."""
    font = _font(size)
    text = text.replace(" ", "  ")  # its space is narrow
    ascent, descent = font.getmetrics()
    canvas = Image.new("L", (max(1, round(font.getlength(text)) + 1), ascent + descent))
    ImageDraw.Draw(canvas).text((0, 0), text, fill=255, font=font)
    return np.asarray(canvas)


@lru_cache(maxsize=64)
def _pill(width: int, height: int) -> np.ndarray:
    """Coverage of a bar with round ends, (height, width) uint8."""
    big = np.zeros((height * _SUPPORT, width * _SUPPORT), np.uint8)
    radius = big.shape[0] // 2
    cv2.rectangle(big, (radius, 0), (big.shape[1] - 1 - radius, big.shape[0] - 1), (255,), -1)
    for x in (radius, big.shape[1] - 1 - radius):
        cv2.circle(big, (x, radius), radius, (255,), -1)
    return cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA)


def text_width(text: str, size: int) -> int:
    """Pixels a line of text takes from left to right."""
    return _mask(text, size).shape[1]


def text_height(size: int) -> int:
    """Pixels every line of text of this size takes from top to bottom."""
    return _mask("", size).shape[0]


def draw_text(
    image: np.ndarray,
    text: str,
    x: int,
    y: int,
    *,
    size: int = 14,
    colour: Colour = (235, 235, 235),
    align: Align = "left",
) -> None:
    """Write one line into an (H, W, 3) uint8 picture; `x` is its left, middle or right, `y` its
    middle. What does not fit into the picture is cut off."""
    mask = _mask(text, size)
    left = x - round(mask.shape[1] * _SHARE[align])
    blend(image, mask, left, y - mask.shape[0] // 2, colour)


def draw_chip(
    image: np.ndarray,
    text: str,
    x: int,
    y: int,
    *,
    size: int = 13,
    colour: Colour = (235, 235, 235),
    back: Colour = (20, 20, 20),
    strength: float = 0.65,
    align: Align = "left",
) -> int:
    """Write one line on a bar with round ends, so that it can be read on any picture.

    `strength` is how far the bar covers what is below, 0 to 1. Placed as by `draw_text`; gives the
    bar's width.
    """
    height = text_height(size) + 4
    width = text_width(text, size) + height
    left = x - round(width * _SHARE[align])
    blend(image, _pill(width, height), left, y - height // 2, back, strength)
    draw_text(image, text, left + height // 2, y, size=size, colour=colour)
    return width


def blend(
    image: np.ndarray, mask: np.ndarray, x: int, y: int, colour: Colour, strength: float = 1.0
) -> None:
    """Put `colour` where `mask` (H, W) uint8 covers, its top left pixel at x, y."""
    top, left = max(y, 0), max(x, 0)
    part = image[top : y + mask.shape[0], left : x + mask.shape[1]]
    if y + mask.shape[0] <= 0 or x + mask.shape[1] <= 0 or not part.size:
        return
    cut = mask[top - y :, left - x :][: part.shape[0], : part.shape[1], None]
    share = cut * np.float32(strength / 255)
    part[:] = part + (np.array(colour, np.float32) - part) * share + np.float32(0.5)
