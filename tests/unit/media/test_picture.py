"""Pictures are written as they are, or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.small_disk import small_disk
from talkingface.job.files import DamagedFile
from talkingface.media.picture import read_picture, write_picture

PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@pytest.mark.parametrize(
    ("shape", "dtype"), [((40, 30, 3), np.uint8), ((40, 30, 4), np.uint8), ((40, 30), np.uint16)]
)
def test_a_png_is_read_back_as_it_was(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    write_picture(image, tmp_path / "a.png", PNG)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED), image)


def test_the_bytes_are_those_of_imwrite(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 30, 3)).astype(np.uint8)
    for name, options in (("a.png", PNG), ("a.jpg", [cv2.IMWRITE_JPEG_QUALITY, 70])):
        write_picture(image, tmp_path / name, options)
        cv2.imwrite(str(tmp_path / f"cv2_{name}"), image, options)
        assert (tmp_path / name).read_bytes() == (tmp_path / f"cv2_{name}").read_bytes()


def test_a_picture_that_does_not_fit_on_the_disk_is_an_error(tmp_path: Path) -> None:
    # 30,126 bytes, of which all but the last block fit: cv2.imwrite calls this a success.
    image = np.random.default_rng(0).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    with small_disk(tmp_path, "28k"), pytest.raises(OSError, match="No space left"):
        write_picture(image, tmp_path / "a.png", PNG)


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize("kept", [0, 10, 0.5, -1])
def test_a_picture_that_lost_its_end_is_named(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    write_picture(np.random.default_rng(0).integers(0, 255, (40, 30, 3)).astype(np.uint8), path)
    assert read_picture(path).shape == (40, 30, 3)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if kept == 0.5 else int(kept)])
    with pytest.raises(DamagedFile, match=rf"{name}: damaged \("):
        read_picture(path)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("<html>")
    with pytest.raises(DamagedFile, match="neither png nor jpg"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(DamagedFile, match="it is missing"):
        read_picture(tmp_path / "b.png")
