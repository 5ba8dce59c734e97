"""Arrays that were damaged after they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkingface.job.arrays import read_array, read_arrays
from talkingface.job.files import DamagedFile

VALUES = np.random.default_rng(0).normal(size=(50, 3))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    np.save(tmp_path / "a.npy", VALUES)
    np.savez_compressed(tmp_path / "a.npz", points=VALUES, other=VALUES[:2])
    return {"npy": tmp_path / "a.npy", "npz": tmp_path / "a.npz"}


def test_whole_arrays_are_read(files: dict[str, Path]) -> None:
    np.testing.assert_array_equal(read_array(files["npy"]), VALUES)
    arrays = read_arrays(files["npz"])
    assert set(arrays) == {"points", "other"}
    np.testing.assert_array_equal(arrays["points"], VALUES)


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("cut", [0, 3, 30, 0.5, -1])
def test_a_cut_array_is_named(files: dict[str, Path], kind: str, cut: float) -> None:
    content = files[kind].read_bytes()
    files[kind].write_bytes(content[: int(cut * len(content)) if cut == 0.5 else int(cut)])
    with pytest.raises(DamagedFile, match=rf"a\.{kind}: damaged \(.+verify\.py --remake"):
        read_array(files[kind]) if kind == "npy" else read_arrays(files[kind])


def test_wrong_bits_inside_an_npz_are_found(files: dict[str, Path]) -> None:
    content = bytearray(files["npz"].read_bytes())
    content[300] ^= 0x10
    files["npz"].write_bytes(content)
    with pytest.raises(DamagedFile):
        read_arrays(files["npz"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"(50, 3)", b"(50,-3)"),
        (b"(50, 3)", b"(50, (("),
        (b"'shape'", b"\0shape'"),
        (b"(50, 3), }", b"(50, 3, }{"),
    ],
)
def test_a_header_that_is_wrong_is_named(files: dict[str, Path], old: bytes, new: bytes) -> None:
    content = files["npy"].read_bytes()
    assert old in content
    files["npy"].write_bytes(content.replace(old, new))
    with pytest.raises(DamagedFile, match=r"a\.npy"):
        read_array(files["npy"])


# Of the entry of a file in an archive's directory (APPNOTE.TXT 4.3.12), two bytes each: version
# needed, flags, method, and the highest of where it begins.
@pytest.mark.parametrize(("place", "value"), [(6, 255), (8, 1), (10, 99), (44, 255)])
def test_an_archive_that_is_wrong_is_named(files: dict[str, Path], place: int, value: int) -> None:
    content = bytearray(files["npz"].read_bytes())
    content[content.index(b"PK\x01\x02") + place] = value
    files["npz"].write_bytes(content)
    with pytest.raises(DamagedFile, match=r"a\.npz"):
        read_arrays(files["npz"])


def test_another_kind_of_file_and_pickled_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_text("<html>no array</html>")
    with pytest.raises(DamagedFile, match="no npy"):
        read_array(path)
    np.save(path, np.array([{}], object), allow_pickle=True)
    with pytest.raises(DamagedFile, match="Python objects"):
        read_array(path)


def test_a_file_that_is_not_there_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_array(tmp_path / "a.npy")
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "a.npz")


def test_an_array_that_claims_to_be_huge_takes_no_memory(files: dict[str, Path]) -> None:
    content = files["npy"].read_bytes()
    # As wide as it was, so that the header stays as long.
    files["npy"].write_bytes(content.replace(b"(50, 3), }          ", b"(50, 3000000000), } "))
    assert files["npy"].read_bytes() != content
    with pytest.raises(DamagedFile):
        read_array(files["npy"])


def test_an_array_may_be_empty(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((0, 3), np.float32))
    assert read_array(tmp_path / "a.npy").shape == (0, 3)
