"""Every frame has its label map, under its own number."""

import cv2
import numpy as np
import pytest

from talkingface.pictures.parsing import parsing

# zllrunning/face-parsing.PyTorch, prepropess_data.py and test.py: `atts`, numbered from 1.
ZLLRUNNING = [
    "skin", "l_brow", "r_brow", "l_eye", "r_eye", "eye_g", "l_ear", "r_ear", "ear_r",
    "nose", "mouth", "u_lip", "l_lip", "neck", "neck_l", "cloth", "hair", "hat",
]  # fmt: skip


class Numbers:
    """A parser that labels frame k with what the frame holds, if the points are those of k."""

    def __init__(self):
        self.batches = []

    def run(self, frames, points, present):
        self.batches.append(len(frames))
        assert [frame[0, 0, 0] for frame in frames] == [int(p[0, 0]) for p in points]
        return np.stack([frame[..., 0] % 19 for frame in frames])


def film(count):
    for k in range(count):
        yield np.full((6, 8, 3), k, np.uint8)


def marks(count):
    points = np.arange(count, dtype=np.float32)[:, None, None] * np.ones((1, 478, 3), np.float32)
    return points, np.ones(count, bool)


def test_labels_are_zllrunnings():
    assert list(parsing.LABELS[1:]) == ZLLRUNNING
    for number, name in enumerate(ZLLRUNNING, start=1):
        assert getattr(parsing, name.upper()) == number
    assert tuple(range(1, 14)) == parsing.FACE and parsing.TORSO == (14, 15, 16)


def test_palette():
    assert parsing.PALETTE.shape == (19, 3) and parsing.PALETTE.dtype == np.uint8
    assert len(np.unique(parsing.PALETTE, axis=0)) == 19


def test_overlay():
    frame = np.full((2, 2, 3), 100, np.uint8)
    labels = np.array([[0, 1], [17, 12]], np.uint8)
    shown = parsing.overlay(frame, labels, 0.5)
    assert shown[0, 0].tolist() == [178, 178, 178]
    for y, x in ((0, 1), (1, 0), (1, 1)):
        expected = (100 + parsing.PALETTE[labels[y, x]].astype(int)) / 2
        assert np.abs(shown[y, x] - expected).max() <= 1


@pytest.mark.parametrize("count", [0, 1, parsing.BATCH, 3 * parsing.BATCH + 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_clip_of_n_frames_has_n_maps(tmp_path, count, threads):
    parser = Numbers()
    written = parsing.parse_clip(parser, film(count), *marks(count), tmp_path / "c", threads)
    assert written == count and sum(parser.batches) == count
    assert max(parser.batches, default=0) <= parsing.BATCH
    names = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert names == [f"{k:06d}.png" for k in range(1, count + 1)]
    for k, labels in enumerate(parsing.read_labels(tmp_path / "c", count)):
        assert labels.shape == (6, 8) and labels.dtype == np.uint8 and (labels == k % 19).all()


def test_frames_are_taken_a_batch_at_a_time(tmp_path):
    taken = 0

    def frames():
        nonlocal taken
        for frame in film(40):
            taken += 1
            yield frame

    class Watching(Numbers):
        def run(self, batch, points, present):
            assert taken <= sum(self.batches) + parsing.BATCH
            return super().run(batch, points, present)

    parsing.parse_clip(Watching(), frames(), *marks(40), tmp_path / "c")


@pytest.mark.parametrize(("frames", "landmarks"), [(9, 10), (10, 9), (0, 3)])
def test_as_many_landmarks_as_frames(tmp_path, frames, landmarks):
    points, present = marks(landmarks)
    with pytest.raises(ValueError, match="landmarks"):
        parsing.parse_clip(Numbers(), film(frames), points, present, tmp_path / "c")


def test_an_error_of_the_parser_is_raised(tmp_path):
    class Broken(Numbers):
        def run(self, frames, points, present):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        parsing.parse_clip(Broken(), film(3), *marks(3), tmp_path / "c", 2)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_pngs_give_back_what_went_in(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (7, *shape), np.uint8)
    assert parsing.write_pngs(iter(images), tmp_path / "p", 2) == 7
    for k, image in enumerate(images, start=1):
        read = cv2.imread(str(tmp_path / "p" / f"{k:06d}.png"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read, image)


def test_a_png_that_cannot_be_written(tmp_path):
    folder = tmp_path / "p"
    (folder / "000002.png").mkdir(parents=True)
    with pytest.raises(OSError):
        parsing.write_pngs(film(3), folder)


def test_maps_that_are_missing_broken_or_too_many(tmp_path):
    parsing.write_pngs((np.zeros((4, 4), np.uint8) for _ in range(3)), tmp_path)
    assert len(list(parsing.read_labels(tmp_path, 3))) == 3
    with pytest.raises(ValueError, match="000004.png is missing"):
        list(parsing.read_labels(tmp_path, 4))
    with pytest.raises(ValueError, match="more than the 2"):
        list(parsing.read_labels(tmp_path, 2))
    cv2.imwrite(str(tmp_path / "000002.png"), np.full((4, 4), 19, np.uint8))
    with pytest.raises(ValueError, match="000002.png is no label map"):
        list(parsing.read_labels(tmp_path, 3))
    cv2.imwrite(str(tmp_path / "000002.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="000002.png is no label map"):
        list(parsing.read_labels(tmp_path, 3))


def test_unknown_backends():
    with pytest.raises(ValueError, match="'bisenets' is none of mesh"):
        parsing.load("bisenets")
    with pytest.raises(ValueError, match="person model 'pose'"):
        parsing.load("mesh", person="pose")


def test_the_embedded_backend_loads():
    with parsing.load("mesh", person="landscape") as parser:
        none = np.full((1, 478, 3), np.nan, np.float32)
        labels = parser.run([np.zeros((32, 48, 3), np.uint8)], none, np.array([False]))
    assert labels.shape == (1, 32, 48) and labels.dtype == np.uint8
