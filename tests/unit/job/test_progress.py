"""What a log says of a job's frames."""

import logging
import time
from collections.abc import Iterator
from itertools import islice

import pytest

from talkingface.job.progress import Progress


def test_how_many_and_how_fast_is_said_now_and_then_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("talkingface.job.progress.EVERY", 0.15)
    caplog.set_level(logging.INFO)
    with Progress() as progress:
        for number in (1, 2, 3):
            time.sleep(0.1)
            progress.add(20, f"{number} of 3 clips")
    said = [message.rsplit(", ", 1) for message in caplog.messages]
    assert [counts for counts, _ in said] == ["2 of 3 clips, 40 frames", "3 of 3 clips, 60 frames"]
    for _, speed in said:
        assert 100 < float(speed.removesuffix(" frames/s")) <= 200


def test_nothing_is_said_twice(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("talkingface.job.progress.EVERY", 0)
    caplog.set_level(logging.INFO)
    with Progress() as progress:
        progress.add(20, "1 of 1 clips")
    assert len(caplog.messages) == 1


def test_a_short_job_says_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Progress() as progress:
        for _ in range(1000):
            progress.add(1)
    (line,) = caplog.messages
    assert line.startswith("1000 frames, ")


def test_a_generator_nobody_wants_more_of_says_where_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    def frames() -> Iterator[int]:
        with Progress() as progress:
            for number in range(100):
                progress.add(1)
                yield number

    assert list(islice(frames(), 10)) == list(range(10))
    (line,) = caplog.messages
    assert line.startswith("10 frames, ")


def test_a_job_that_fails_says_nothing_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(RuntimeError), Progress() as progress:
        progress.add(1)
        raise RuntimeError
    assert caplog.messages == []
