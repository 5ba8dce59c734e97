from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

torch = pytest.importorskip("torch")

from talkingface.networks.devices import number_format, open_device, run_batches  # noqa: E402


class Card:
    """Has room for `room` items at a time; remembers what it was given."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []

    def run(self, items: Sequence[int]) -> list[int]:
        self.tried.append(len(items))
        if len(items) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return [10 * item for item in items]


def test_batches_are_as_large_as_asked() -> None:
    card = Card(100)
    assert list(run_batches(card.run, iter(range(10)), 4)) == [10 * i for i in range(10)]
    assert card.tried == [4, 4, 2]
    assert list(run_batches(card.run, [], 4)) == []


def test_a_full_card_halves_the_batch_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    card = Card(3)
    with caplog.at_level(logging.WARNING):
        found = list(run_batches(card.run, range(20), 16))
    assert found == [10 * i for i in range(20)]
    # Nothing is computed twice, and the smaller batch stays.
    assert card.tried == [16, 8, 4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    assert [record.getMessage()[-1] for record in caplog.records] == ["8", "4", "2"]


def test_a_card_that_fills_up_later() -> None:
    card = Card(8)
    results = run_batches(card.run, range(16), 8)
    assert next(results) == 0
    card.room = 1
    assert list(results) == [10 * i for i in range(1, 16)]
    assert card.tried == [8, 8, 4, 2, *[1] * 8]


def test_a_single_item_too_large_is_an_error() -> None:
    card = Card(0)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        list(run_batches(card.run, range(4), 4))
    assert card.tried == [4, 2, 1]


def test_other_errors_are_not_tried_again() -> None:
    tried = []

    def broken(items: Sequence[int]) -> list[int]:
        tried.append(len(items))
        raise RuntimeError("another error")

    with pytest.raises(RuntimeError, match="another error"):
        list(run_batches(broken, range(4), 4))
    assert tried == [4]


def test_a_result_for_every_item() -> None:
    with pytest.raises(ValueError, match="3 results for 4 items"):
        list(run_batches(lambda items: list(items)[1:], range(4), 4))


def test_items_are_taken_as_they_are_needed() -> None:
    """So that a film is not in memory at once."""
    taken = []

    def items():
        for i in range(100):
            taken.append(i)
            yield i

    results = run_batches(Card(9).run, items(), 4)
    next(results)
    assert len(taken) == 4


def test_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_device("cpu").type == "cpu"
    for name in ("gpu", "cuda:x", "cuda:-1", "cpu:0", ""):
        with pytest.raises(ValueError, match="choose auto, cpu, cuda"):
            open_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert open_device("auto").type == "cpu"
    with pytest.raises(RuntimeError, match="cuda:1 is not there: torch sees 0"):
        open_device("cuda:1")


def test_cards_compute_float32_as_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert open_device("auto") == torch.device("cuda")
    assert open_device("cuda:1") == torch.device("cuda:1")
    assert not torch.backends.cudnn.allow_tf32
    with pytest.raises(RuntimeError, match="cuda:2"):
        open_device("cuda:2")


def test_threads() -> None:
    before = torch.get_num_threads()
    try:
        open_device("cpu", 1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_precisions() -> None:
    assert number_format("bfloat16") is torch.bfloat16
    with pytest.raises(ValueError, match="choose float32, float16, bfloat16"):
        number_format("int8")
