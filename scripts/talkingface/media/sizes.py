"""Sizes of pictures that a video can have."""

from __future__ import annotations


def even_size(width: float, height: float) -> tuple[int, int]:
    """The nearest even width and height, at least 2: chroma has half the resolution of luma."""
    return max(2, round(width / 2) * 2), max(2, round(height / 2) * 2)
