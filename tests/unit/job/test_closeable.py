"""What holds networks is closed in any case."""

import pytest

from talkingface.job.closeable import Closeable


class Held(Closeable):
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_it_is_closed_when_it_is_left() -> None:
    with Held() as held:
        assert held.closed == 0
    assert held.closed == 1


def test_it_is_closed_after_an_error_which_goes_on() -> None:
    held = Held()
    with pytest.raises(RuntimeError), held:
        raise RuntimeError
    assert held.closed == 1
