from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.small_disk import small_disk
from talkingface.job.files import DamagedFile, atomic_path, damage_in, read_json, write_json


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.mp4"
    with atomic_path(path) as partial:
        partial.write_text("half")
        assert partial.suffix == ".mp4"
        assert not path.exists()
    assert path.read_text() == "half"
    with pytest.raises(RuntimeError), atomic_path(path) as partial:
        partial.write_text("other")
        raise RuntimeError
    assert path.read_text() == "half"
    assert [p.name for p in path.parent.iterdir()] == ["a.mp4"]


def test_a_full_disk_is_called_so_whatever_the_writer_says(tmp_path: Path) -> None:
    path = tmp_path / "mfcc" / "a.npy"
    with small_disk(tmp_path, "64k"):
        full = pytest.raises(OSError, match=r"No space left on device: '.*/mfcc/a\.npy'")
        with full, atomic_path(path) as partial:
            np.save(partial, np.zeros(100_000))  # "100000 requested and 8176 written"
        assert list(path.parent.iterdir()) == []


def test_a_folder_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "clips"
    path.mkdir()
    (path / "old").touch()
    with atomic_path(path) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert [p.name for p in path.iterdir()] == ["new"]


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "clips"
    generator = atomic_path(path)
    partial = generator.__enter__()
    partial.mkdir()
    (partial / "stale").touch()  # killed here: never left
    with atomic_path(path) as again:
        again.mkdir()
        (again / "fresh").touch()
    assert [p.name for p in path.iterdir()] == ["fresh"]


def test_json_keeps_order_and_letters(tmp_path: Path) -> None:
    record = {"b": "Zoë", "a": None}
    write_json(record, tmp_path / "r.json")
    assert list(read_json(tmp_path / "r.json")) == ["b", "a"]
    assert "Zoë" in (tmp_path / "r.json").read_text("utf-8")


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe\x00", b"[1]", b"[" * 10_000])
def test_a_record_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"r\.json: damaged \(.+verify\.py --remake"):
        read_json(tmp_path / "r.json")


def test_what_the_machine_has_to_do_with_is_not_called_damage(tmp_path: Path) -> None:
    for error in (MemoryError(), OSError(5, "Input/output error")):
        with pytest.raises(type(error)), damage_in(tmp_path / "a", Exception):
            raise error
    with pytest.raises(DamagedFile, match=r"a: damaged \(KeyError\)"), damage_in("a", KeyError):
        raise KeyError


def test_any_text_comes_back_from_a_record(tmp_path: Path) -> None:
    record = {"title": "half \ud83d a pair", "name": "Zo\u00eb\x1b[31m\u202e\n", "n": 1}
    write_json(record, tmp_path / "r.json")
    assert read_json(tmp_path / "r.json") == record
    write_json({"name": "Zo\u00eb"}, tmp_path / "r.json")
    assert "Zo\u00eb" in (tmp_path / "r.json").read_text("utf-8")
