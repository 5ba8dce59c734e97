from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from talkingface.media.prefetch import prefetch


def test_the_same_items_in_the_same_order() -> None:
    assert list(prefetch(iter(range(1000)), depth=3)) == list(range(1000))
    assert list(prefetch([])) == []


def test_it_works_in_the_background_but_not_far_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            made.append(i)
            yield i

    reader = prefetch(items(), depth=4)
    assert next(reader) == 0
    time.sleep(0.3)
    # One handed out, four waiting, one in hand.
    assert 2 <= len(made) <= 6
    reader.close()


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    reader = prefetch(items())
    assert next(reader) == 1
    with pytest.raises(ValueError, match="broken"):
        next(reader)


def test_leaving_early_ends_the_thread() -> None:
    before = threading.active_count()
    for item in prefetch(iter(range(10**9))):
        if item == 5:
            break
    time.sleep(0.2)
    assert threading.active_count() == before
