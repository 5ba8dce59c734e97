"""Rows stay with their frames, and files give back what went in."""

import sys

import numpy as np
import pytest
import skimage.data

from talkingface.faces import dlib68, landmark_files, landmarks
from talkingface.media.clip_files import Clip

FACE = (177.0, 82.0, 92.0, 98.0)  # brow to chin, read off the picture

try:
    dlib68.load_predictor()
    has_dlib = True
except dlib68.DlibMissing:
    has_dlib = False

needs_dlib = pytest.mark.skipif(not has_dlib, reason="dlib is not installed")


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])


@pytest.fixture(scope="module")
def backend():
    with landmarks.load("mediapipe") as loaded:
        yield loaded


PATTERN = [False, True, True, False, False, True, True, False, True]


@pytest.fixture(scope="module")
def blinking(astronaut, backend):
    """A face that is there on some frames only, each time in another place."""
    empty = np.full_like(astronaut, 100)
    frames = (
        np.roll(astronaut, 9 * k, axis=1) if there else empty for k, there in enumerate(PATTERN)
    )
    return backend.run(frames)


def test_absent_frames_keep_their_rows(blinking):
    assert blinking.present.tolist() == PATTERN
    assert blinking.points.shape == (9, 478, 3) and blinking.points.dtype == np.float32
    assert blinking.points68.shape == (9, 68, 2) and blinking.points68.dtype == np.float32
    assert (np.isnan(blinking.points).all(axis=(1, 2)) == ~blinking.present).all()
    assert (np.isnan(blinking.points68).all(axis=(1, 2)) == ~blinking.present).all()
    # frame k's face is 9 k pixels to the right of the portrait's: index and place agree
    there = np.flatnonzero(blinking.present)
    noses = blinking.points68[there, 30, 0] - 9 * there
    assert np.ptp(noses) < 3  # a frame's shift would be 9
    assert abs(noses.mean() - 224) < 4  # nose tip, read off the picture


def test_text_round_trip(tmp_path, blinking):
    path = tmp_path / "clip.txt"
    landmark_files.write_text(path, blinking.points68, blinking.present)
    lines = path.read_text().splitlines()
    assert [line.split()[0] for line in lines] == [f"{k:06d}.png" for k in range(1, 10)]
    assert lines[0] == "000001.png " + " ".join(["-1_-1"] * 68)
    points68, present = landmark_files.read_text(path)
    assert present.tolist() == PATTERN
    assert np.array_equal(points68[present], np.floor(blinking.points68[blinking.present]))
    assert np.isnan(points68[~present]).all()
    again = tmp_path / "again.txt"
    landmark_files.write_text(again, points68, present)
    assert again.read_bytes() == path.read_bytes()


def test_text_is_the_format_of_talking_face_preprocessing(tmp_path):
    points = np.arange(136, dtype=np.float32).reshape(1, 68, 2) + 0.75
    path = tmp_path / "one.txt"
    landmark_files.write_text(path, points, [True])
    pairs = " ".join(f"{2 * i}_{2 * i + 1}" for i in range(68))
    assert path.read_text() == f"000001.png {pairs}\n"


def test_text_off_the_frame_is_still_a_face(tmp_path):
    points = np.full((2, 68, 2), -0.5, np.float32)
    points[0, 3] = (1300.2, -7.9)
    path = tmp_path / "off.txt"
    landmark_files.write_text(path, points, [True, False])
    read, present = landmark_files.read_text(path)
    assert present.tolist() == [True, False]
    assert read[0, 3].tolist() == [1300, -8]


@pytest.mark.parametrize(
    "text",
    [
        "000001.png 1_2\n",
        "000002.png " + " ".join(["1_2"] * 68) + "\n",
        "000001.png " + " ".join(["1_x"] * 68) + "\n",
    ],
)
def test_a_broken_text_is_named(tmp_path, text):
    path = tmp_path / "broken.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"broken.txt: damaged \(line 1"):
        landmark_files.read_text(path)


def test_npz_round_trip(tmp_path, blinking):
    path = tmp_path / "clip.npz.part"  # written to exactly this name
    landmark_files.write_landmarks(path, blinking)
    assert [p.name for p in tmp_path.iterdir()] == ["clip.npz.part"]
    with np.load(path) as file:
        assert sorted(file) == ["points", "points68", "present"]
    read = landmark_files.read_landmarks(path)
    for name in ("points", "points68", "present"):
        assert np.array_equal(
            getattr(read, name), getattr(blinking, name), equal_nan=name != "present"
        )


def test_an_empty_clip(tmp_path, backend):
    found = backend.run(iter([]))
    assert found.points.shape == (0, 478, 3) and found.points68.shape == (0, 68, 2)
    assert found.present.shape == (0,)
    landmark_files.write_text(tmp_path / "e.txt", found.points68, found.present)
    points68, present = landmark_files.read_text(tmp_path / "e.txt")
    assert points68.shape == (0, 68, 2) and present.shape == (0,)


def test_clips_do_not_see_each_other(astronaut, backend):
    moved = np.roll(astronaut, 150, axis=1)
    alone = backend.run([moved], [(FACE[0] + 150, *FACE[1:])])
    backend.run([astronaut] * 3)
    after = backend.run([moved], [(FACE[0] + 150, *FACE[1:])])
    assert np.array_equal(alone.points, after.points)


def test_fewer_boxes_than_frames(astronaut, backend):
    with pytest.raises(ValueError):
        backend.run([astronaut, astronaut], [FACE])


def test_an_unknown_backend():
    with pytest.raises(ValueError, match="pipnet"):
        landmarks.load("pipnet")


def test_dlib_missing_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(dlib68.DlibMissing, match="pip install dlib-bin"):
        landmarks.load("dlib")


def test_dlib_predictor_missing_names_the_command(tmp_path, monkeypatch):
    with pytest.raises(dlib68.DlibMissing, match="pip install"):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        dlib68.find_predictor()


@needs_dlib
def test_dlib_follows_a_turn(astronaut):
    """The portrait turned by a quarter: dlib alone would not find it."""
    with landmarks.load("dlib") as loaded:
        straight = loaded.run([astronaut], [FACE])
        quarter = np.ascontiguousarray(np.rot90(astronaut))
        # a counter-clockwise quarter: x, y -> y, 512 - x
        x, y, w, h = FACE
        turned = loaded.run([quarter], [(y, 512 - x - w, h, w)])
    expected = np.stack([straight.points68[0, :, 1], 512 - straight.points68[0, :, 0]], axis=1)
    assert np.linalg.norm(turned.points68[0] - expected, axis=1).mean() < 2.5


@needs_dlib
def test_dlib_agrees_with_the_mesh_and_keeps_absent_rows(astronaut):
    empty = np.full_like(astronaut, 100)
    with landmarks.load("dlib") as loaded:
        found = loaded.run([empty, astronaut, empty])
    assert found.present.tolist() == [False, True, False]
    assert np.isnan(found.points68[[0, 2]]).all()
    from talkingface.faces import ibug68

    by_mesh = ibug68.points68(found.points[1:2])[0]
    unit = np.linalg.norm(by_mesh[36] - by_mesh[45])
    assert np.linalg.norm(found.points68[1] - by_mesh, axis=1).mean() / unit < 0.05


class DrawnClip:
    """A clip of two frames, with a face in the first, that needs no files."""

    clip_id, n_frames = "a_000000_000002_00", 2

    def __init__(self, picture):
        self.picture = picture

    def frames(self):
        return iter([self.picture, np.full_like(self.picture, 100)])

    def face_boxes(self):
        return np.array([FACE, FACE])


def test_the_files_of_a_video(tmp_path, astronaut):
    folder, manifest = tmp_path / "landmarks", tmp_path / "landmarks.csv"
    landmarks.make_landmarks([DrawnClip(astronaut)], folder, manifest, backend="mediapipe")
    name = DrawnClip.clip_id
    assert sorted(path.name for path in folder.iterdir()) == [f"{name}.npz", f"{name}.txt"]
    assert manifest.read_text() == (
        f"clip_id,n_frames,present_share,backend\n{name},2,0.5,mediapipe\n"
    )
    found = landmark_files.read_landmarks(folder / f"{name}.npz")
    points68, present = landmark_files.read_text(folder / f"{name}.txt")
    assert found.present.tolist() == present.tolist() == [True, False]
    assert np.array_equal(points68[0], np.floor(found.points68[0]))


def test_without_clips_no_backend_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(landmarks, "BACKENDS", {})
    folder, manifest = tmp_path / "landmarks", tmp_path / "landmarks.csv"
    landmarks.make_landmarks([], folder, manifest, backend="mediapipe")
    assert list(folder.iterdir()) == []
    assert manifest.read_text() == "clip_id,n_frames,present_share,backend\n"
    with pytest.raises(ValueError):
        landmarks.load("mediapipe")


def test_landmarks_of_another_clip(blinking, tmp_path):
    landmark_files.write_landmarks(tmp_path / "c.npz", blinking)
    found = landmark_files.clip_landmarks(tmp_path, Clip("c", 9, 8, 6, tmp_path))
    assert np.array_equal(found.points, blinking.points, equal_nan=True)
    with pytest.raises(ValueError, match=r"c\.npz: landmarks of 9 frames, but the clip has 6"):
        landmark_files.clip_landmarks(tmp_path, Clip("c", 6, 8, 6, tmp_path))
