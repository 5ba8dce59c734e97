"""Parts of files, and what is said of those that are not whole."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from helpers.numbered_results import samples_of
from talkingface import tables
from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns, table_of_columns, write_table
from talkingface.loader import TalkingFaceDataset, files

VALUES = np.arange(40 * 6, dtype=np.float32).reshape(40, 2, 3)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_rows_of_an_array_in_an_npz(tmp_path, save):
    path = tmp_path / "a.npz"
    save(path, first=np.arange(1000), points=VALUES, last=np.ones(3))
    for start, stop in ((0, 40), (0, 1), (39, 40), (7, 12)):
        rows = files.read_member(path, "points", start, stop, (40, 2, 3))
        assert rows.dtype == np.float32 and np.array_equal(rows, VALUES[start:stop])
    with pytest.raises(DamagedFile, match=r"its points is float32 \(40, 2, 3\)"):
        files.read_member(path, "points", 0, 1, (41, 2, 3))
    with pytest.raises(DamagedFile, match="other"):
        files.read_member(path, "other", 0, 1, (40, 2, 3))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DamagedFile, match="a.npz"):
        files.read_member(path, "points", 0, 1, (40, 2, 3))


def test_of_an_npz_only_the_rows_are_read(tmp_path):
    """What is before and behind them may be anything."""
    path = tmp_path / "a.npz"
    np.savez(path, points=np.full((40, 1000), 7, np.uint8))
    content = path.read_bytes()
    rows = content.index(bytes([7] * 1000))
    path.write_bytes(content[:rows] + bytes(20_000) + content[rows + 20_000 :])
    assert (files.read_member(path, "points", 20, 40, (40, None)) == 7).all()


def frames_table(path: Path, length: int) -> Path:
    number = np.arange(length)
    table = table_of_columns(tables.SPEECH, {"frame": number, "probability": number / 7})
    write_table(table, path, tables.SPEECH)
    return path


@pytest.mark.parametrize("length", [1, 2, 9, 10, 11, 1234, 20_000])
def test_rows_of_a_table_by_frame(tmp_path, length):
    path = frames_table(tmp_path / "a.csv", length)
    truth = np.arange(length)
    spans = [(0, 1), (0, length), (length - 1, length), (length, length + 5), (0, 0)]
    spans += [(s, s + 7) for s in range(0, length, max(1, length // 50))]
    for start, stop in spans:
        rows = files.read_table_rows(path, tables.SPEECH, ("probability", "frame"), start, stop)
        assert rows.shape == (max(0, min(stop, length) - start), 2)
        assert np.array_equal(rows[:, 0], truth[start:stop] / 7)
        assert np.array_equal(rows[:, 1], truth[start:stop])


def test_tables_that_are_damaged(tmp_path):
    path = frames_table(tmp_path / "a.csv", 20)
    whole = path.read_text()

    def read():
        return files.read_table_rows(path, tables.SPEECH, ("probability",), 5, 10)

    path.write_text(whole.replace("\n7,", "\n8,"))
    with pytest.raises(DamagedFile, match="a row is not that of frame 7"):
        read()
    path.write_text(whole.replace("\n7,", "\n7,x"))
    with pytest.raises(DamagedFile, match="a.csv"):
        read()
    path.write_text("")
    with pytest.raises(OtherColumns, match="a.csv"):
        read()
    path.write_text(whole.replace("probability", "p"))
    with pytest.raises(OtherColumns, match="it has p, it lacks probability"):
        read()


def test_samples_of_a_wav(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, samples_of(0, 6400), 16_000, subtype="PCM_16")
    assert np.array_equal(files.read_samples(path, 640, 1280, 6400), samples_of(640, 1280))
    assert np.array_equal(files.read_samples(path, 5760, 6400, 6400), samples_of(5760, 6400))
    with pytest.raises(DamagedFile, match="6400 samples, not 7040"):
        files.read_samples(path, 0, 640, 7040)
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(DamagedFile, match="its end is missing"):
        files.read_samples(path, 5760, 6400, 6400)
    path.write_bytes(content[:20])
    with pytest.raises(DamagedFile, match="a.wav"):
        files.read_samples(path, 0, 640, 6400)
    soundfile.write(path, samples_of(0, 6400), 8000, subtype="PCM_16")
    with pytest.raises(DamagedFile, match="8000 Hz"):
        files.read_samples(path, 0, 640, 6400)


def test_pictures(tmp_path):
    path = tmp_path / "a.png"
    grey = np.arange(8 * 16, dtype=np.uint16).reshape(8, 16) * 500
    cv2.imwrite(str(path), grey)
    assert np.array_equal(files.read_picture(path, (8, 16), 0, np.uint16), grey)
    with pytest.raises(DamagedFile, match="16 x 8 pixels, not 8 x 8"):
        files.read_picture(path, (8, 8), 0, np.uint16)
    with pytest.raises(DamagedFile, match="a picture of uint16"):
        files.read_picture(path, (8, 16), 0, np.uint8)
    for damaged in (path.read_bytes()[:60], path.read_bytes()[:-40], b"", b"no picture"):
        path.write_bytes(damaged)
        with pytest.raises(DamagedFile, match="a.png"):
            files.read_picture(path, (8, 16), 0, np.uint16)


DAMAGED = [
    ("frames", "clips/a/{}.mp4"),
    ("audio", "clips/a/{}.wav"),
    ("landmarks", "landmarks/a/{}.npz"),
    ("landmarks68", "landmarks/a/{}.npz"),
    ("pose", "pose/a/{}.npy"),
    ("hubert", "hubert/a/{}.npy"),
    ("expression", "expression/a/{}.csv"),
    ("boxes", "clips/a/{}.csv"),
    ("torso", "torso/a/{}/000060.png"),
    ("depth", "depth/a/{}.json"),
]


@pytest.mark.parametrize(("item", "file"), DAMAGED)
def test_wrong_bytes_anywhere_give_an_error_that_names_the_file(results, tmp_path, item, file):
    """Or other numbers of the same form: nothing that is read says more of those."""
    folder = shutil.copytree(results, tmp_path / "results")
    path = folder / file.format("a_000100_000160_00")
    where = lambda row: row.clip_id == "a_000100_000160_00"  # noqa: E731
    dataset = TalkingFaceDataset(folder, "train", [item], n_frames=3, where=where, windows="all")
    whole, expected = path.read_bytes(), dataset[19][item]
    size, rng = len(whole), random.Random(0)
    found = 0
    for _ in range(250):
        content = bytearray(whole)
        # What says how a file is to be read is at its beginning or its end.
        first, last = rng.choice([(0, min(size, 130)), (max(0, size - 400), size), (0, size)])
        for _ in range(rng.choice([1, 1, 2, 5])):
            content[rng.randrange(first, last)] = rng.choice([*b"\0\xff(-9", rng.randrange(256)])
        path.write_bytes(content)
        try:
            given = dataset[19][item]
        except (DamagedFile, OtherColumns) as error:
            assert str(path) in str(error)
            found += 1
        else:
            assert (given.shape, given.dtype) == (expected.shape, expected.dtype)
    assert found


# Boxes of ISO/IEC 14496-12: the kind of the coding, and the ticks of the clock in a second.
@pytest.mark.parametrize(
    ("box", "place", "value"), [(b"stsd", 16, b"zzzz"), (b"mdhd", 16, bytes([0, 0, 0, 1]))]
)
def test_a_film_whose_index_is_wrong(results, tmp_path, box, place, value):
    folder = shutil.copytree(results, tmp_path / "results")
    path = folder / "clips/a/a_000100_000160_00.mp4"
    content = bytearray(path.read_bytes())
    begin = content.index(box) + place
    content[begin : begin + 4] = value
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=f"{path}: damaged"):
        TalkingFaceDataset(folder, "train", ["frames"], n_frames=3)[0]


@pytest.mark.parametrize(
    ("item", "shape"),
    [("pose", (60, 2)), ("mfcc", (240, 40)), ("hubert", (120, 8)), ("pose", (60, 3, 1))],
)
def test_an_array_of_another_form_is_refused(results, tmp_path, item, shape):
    folder = shutil.copytree(results, tmp_path / "results")
    path = folder / f"{item}/a/a_000100_000160_00.npy"
    np.save(path, np.zeros(shape, np.float32))
    dataset = TalkingFaceDataset(folder, "train", [item], n_frames=3)
    with pytest.raises(DamagedFile, match=f"{path}: damaged .its shape is"):
        dataset[0]


@pytest.mark.parametrize(
    ("item", "file", "message"),
    [
        ("frames", "clips/a/{}.mp4", "damaged"),
        ("audio", "clips/a/{}.wav", "its end is missing"),
        ("landmarks", "landmarks/a/{}.npz", "damaged"),
        ("pose", "pose/a/{}.npy", "damaged"),
        ("mel", "mel/a/{}.npy", "damaged"),
        ("expression", "expression/a/{}.csv", "its length .* of 60 frames|is not that of frame"),
        ("boxes", "clips/a/{}.csv", "its length .* of 60 frames|is not that of frame"),
        ("torso", "torso/a/{}/000060.png", "damaged"),
        ("depth", "depth/a/{}.json", "damaged"),
        ("background", "background/a/{}.png", "damaged"),
    ],
)
def test_a_clip_of_which_half_is_left(results, tmp_path, item, file, message):
    folder = shutil.copytree(results, tmp_path / "results")
    path = folder / file.format("a_000100_000160_00")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    dataset = TalkingFaceDataset(folder, "train", [item], n_frames=None)
    with pytest.raises(DamagedFile, match=message) as raised:
        dataset[0]
    assert raised.value.path == path


@pytest.mark.parametrize("item", ["mfcc", "hubert", "mel", "pose"])
def test_features_of_another_length(results, tmp_path, item):
    """As of a clip that was made again while its features were not."""
    folder = shutil.copytree(results, tmp_path / "results")
    path = folder / item / "a/a_000100_000160_00.npy"
    array = np.load(path)
    np.save(path, array[:, :-2] if item == "hubert" else array[:-1])
    with pytest.raises(DamagedFile, match="is not that of a clip of 60 frames"):
        TalkingFaceDataset(folder, "train", [item], n_frames=5)[0]
