from __future__ import annotations

import pytest

from talkingface.media.sizes import even_size


@pytest.mark.parametrize(
    ("size", "even"),
    [
        ((640, 360), (640, 360)),
        ((426.6, 240.9), (426, 240)),
        ((427.1, 241.1), (428, 242)),
        ((0.4, 1000), (2, 1000)),
    ],
)
def test_the_nearest_even_size(size: tuple[float, float], even: tuple[int, int]) -> None:
    assert even_size(*size) == even
