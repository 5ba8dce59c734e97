"""Checksums of what a job has made."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from talkingface.job.checksums import checksummed, checksums_path, read_checksums
from talkingface.job.files import DamagedFile


def outputs(results: Path) -> list[Path]:
    return [results / "pose/v", results / "pose/v.csv"]


def make(results: Path) -> None:
    folder, manifest = outputs(results)
    (folder / "v_1").mkdir(parents=True)
    (folder / "v_1/000001.png").write_bytes(b"123456789")
    (folder / "a.npy").write_bytes(b"")
    (folder / ".snakemake_timestamp").touch()
    (folder / "link").symlink_to("/etc/hostname")
    manifest.write_text("x" * 3_000_000)


def test_every_file_is_noted_with_size_and_checksum(tmp_path: Path) -> None:
    with checksummed(outputs(tmp_path)):
        make(tmp_path)
    text = (tmp_path / "checksums/pose/v.csv").read_text()
    # The check value of CRC-32, as catalogues of CRC give it.
    assert "pose/v/v_1/000001.png,9,cbf43926\n" in text
    noted = read_checksums(checksums_path(tmp_path, "pose/v.csv"))
    assert list(noted) == ["pose/v/a.npy", "pose/v/v_1/000001.png", "pose/v.csv"]
    assert noted["pose/v.csv"] == (3_000_000, zlib.crc32(b"x" * 3_000_000))
    assert noted["pose/v/a.npy"] == (0, 0)


def test_a_job_that_fails_leaves_none_not_even_the_old(tmp_path: Path) -> None:
    with checksummed(outputs(tmp_path)):
        make(tmp_path)
    with pytest.raises(RuntimeError), checksummed(outputs(tmp_path)):
        raise RuntimeError
    assert not list((tmp_path / "checksums").rglob("*.csv"))


def test_the_table_is_called_like_the_one_written_last() -> None:
    assert checksums_path("r", "models/a.1@b.json") == Path("r/checksums/models/a.1@b.csv")


@pytest.mark.parametrize(
    "text",
    ["", "path,size\n", "path,size,crc32\na,1", "path,size,crc32\na,1,xyz\n", "\0" * 40, "<html>"],
)
def test_a_damaged_table_of_checksums_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "v.csv").write_text(text)
    with pytest.raises(DamagedFile, match=r"v\.csv: damaged \("):
        read_checksums(tmp_path / "v.csv")
