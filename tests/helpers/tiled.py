"""Films of which every part says what frame it is of and what it shows of the picture.

Frame n is tiled with small pictures of the number n, so that a crop, also one that lies askew, has
whole ones in it, and reading one at the place where it should be proves both.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from helpers.synthetic import COLUMNS, ROWS, number_picture

TILE = (48, 36)  # width and height, pixels of the source
# Whole tiles: 14 x 10.
SOURCE = (672, 360)


def tiled_picture(number: int) -> np.ndarray:
    """(360, 672, 3) uint8 picture of a number below 65,536."""
    columns, rows = SOURCE[0] // TILE[0], SOURCE[1] // TILE[1]
    return np.tile(number_picture(number, TILE), (rows, columns, 1))


def read_tiles(image: np.ndarray, to_image: np.ndarray) -> list[int]:
    """The numbers of all tiles that are whole in a picture (H, W, 3), read where `to_image` (2, 3)
    takes them, from source pixels to the picture's, both continuous."""
    height, width = image.shape[:2]
    numbers = []
    for x, y in product(range(0, SOURCE[0], TILE[0]), range(0, SOURCE[1], TILE[1])):
        left = x + (np.arange(COLUMNS) + 0.5) * TILE[0] / COLUMNS
        top = y + (np.arange(ROWS) + 0.5) * TILE[1] / 2 / ROWS
        places = np.array([(a, b, 1) for b in top for a in left]) @ to_image.T
        if (places < 2).any() or (places > [width - 2, height - 2]).any():
            continue
        # Of continuous places the pixel that they fall in.
        columns, rows = places.astype(int).T
        bits = image[rows, columns].mean(axis=1) > 128
        numbers.append(int((bits << np.arange(ROWS * COLUMNS)).sum()))
    return numbers
