"""Text stands where it was asked for, and nothing breaks at the edges."""

import numpy as np
import pytest

from talkingface.overlay import text


def extent(image, threshold=60):
    """First and last row and column that are not dark."""
    rows, columns = np.where(image.max(axis=2) > threshold)
    return rows.min(), rows.max(), columns.min(), columns.max()


@pytest.mark.parametrize("align", ["left", "middle", "right"])
def test_text_is_placed_by_its_left_middle_or_right(align):
    image = np.zeros((60, 300, 3), np.uint8)
    text.draw_text(image, "HHHHHHHH", 150, 30, size=20, align=align)
    width = text.text_width("HHHHHHHH", 20)
    assert width > 80
    top, bottom, first, last = extent(image)
    start = 150 - {"left": 0, "middle": width // 2, "right": width}[align]
    assert abs(first - start) <= 3 and abs(last - (start + width)) <= 4
    assert abs((top + bottom) / 2 - 30) <= 3 and bottom - top > 10


def test_numbers_do_not_jump():
    """Digits have one width, or a changing number could not be read."""
    widths = {text.text_width(f"{d}{d}.{d}", 14) for d in range(10)}
    assert len(widths) == 1


def test_what_does_not_fit_is_cut_off():
    whole = np.zeros((100, 300, 3), np.uint8)
    text.draw_chip(whole, "across the edge", 150, 50, back=(255, 255, 255))
    for y, x in [(0, 150), (99, 150), (50, -30), (50, 290), (-80, 150), (50, 900), (400, 20)]:
        image = np.zeros((100, 300, 3), np.uint8)
        text.draw_chip(image, "across the edge", x, y, back=(255, 255, 255))
        expected = np.zeros_like(image)
        rows, columns = np.mgrid[:100, :300]
        source = rows - y + 50, columns - x + 150
        inside = (source[0] >= 0) & (source[0] < 100) & (source[1] >= 0) & (source[1] < 300)
        expected[inside] = whole[source[0][inside], source[1][inside]]
        clear = (source[1] >= 0) & (source[1] < 300)  # the whole one was cut too, far right
        assert np.array_equal(image[clear], expected[clear])


def test_a_chip_can_be_read_on_white():
    image = np.full((40, 200, 3), 255, np.uint8)
    width = text.draw_chip(image, "depth", 10, 20, strength=1.0)
    inside = image[20 - 8 : 20 + 8, 16 : 10 + width - 6]
    assert inside.min() < 40 and inside.max() > 200
    assert (image[:, 10 + width + 1 :] == 255).all() and (image[:, :9] == 255).all()


def test_blend():
    image = np.full((4, 4, 3), 100, np.uint8)
    mask = np.array([[0, 255], [51, 255]], np.uint8)
    text.blend(image, mask, 1, 2, (200, 0, 100))
    assert image[2, 2].tolist() == [200, 0, 100]
    assert image[3, 1].tolist() == [120, 80, 100]  # a fifth
    assert image[2, 1].tolist() == [100, 100, 100] and (image[:2] == 100).all()
    text.blend(image, mask, 1, 0, (200, 0, 100), strength=0.5)
    assert image[0, 2].tolist() == [150, 50, 100]
