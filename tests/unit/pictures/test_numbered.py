"""Pictures come back as they were written, each under its own number."""

import cv2
import numpy as np
import pytest

from talkingface.pictures.numbered import numbered_path, write_numbered


def test_numbers_have_six_digits(tmp_path):
    assert numbered_path(tmp_path, 1) == tmp_path / "000001.png"
    assert numbered_path(tmp_path, 123456, ".jpg") == tmp_path / "123456.jpg"


@pytest.mark.parametrize("threads", [0, 1, 2])
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((5, 7), "u1"), ((5, 7, 3), "u1"), ((5, 7, 4), "u1"), ((5, 7), "u2")],
)
def test_pngs_give_back_what_went_in(tmp_path, shape, dtype, threads):
    rng = np.random.default_rng(0)
    images = rng.integers(0, np.iinfo(dtype).max, (7, *shape), dtype, endpoint=True)
    assert write_numbered(iter(images), tmp_path / "p", threads=threads) == 7
    for k, image in enumerate(images, start=1):
        read = cv2.imread(str(tmp_path / "p" / f"{k:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert read.dtype == image.dtype and np.array_equal(read, image)


def test_few_images_wait_to_be_written(tmp_path):
    """The images that were made and are not yet on the disk."""
    made = 0

    def images():
        nonlocal made
        for made in range(1, 31):
            on_disk = len(list(tmp_path.iterdir()))
            assert made - on_disk <= 2 * 2 + 2
            yield np.zeros((4, 4), np.uint8)

    assert write_numbered(images(), tmp_path, threads=2) == 30


def test_a_picture_that_cannot_be_written(tmp_path):
    folder = tmp_path / "p"
    (folder / "000002.png").mkdir(parents=True)
    with pytest.raises(OSError):
        write_numbered((np.full((6, 8, 3), k, np.uint8) for k in range(3)), folder)
