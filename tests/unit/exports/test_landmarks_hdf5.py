"""The HDF5 of eeskimez, from clips whose faces and clicks are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from helpers.exports import lose_faces, make_stage
from helpers.settings import default_settings
from helpers.small_results import CLIPS, SmallClip, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.exports.landmarks_hdf5 import clip_features, make_landmarks_hdf5
from talkingface.faces.ibug68 import points68
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.job.files import DamagedFile
from talkingface.media.clip_files import Clip
from talkingface.media.writer import VideoWriter, frame_from_planes

NAME = "landmarks_hdf5"
SHORT, MIDDLE, LONG = CLIPS  # 60 and 90 frames of train, 170 of eval
READERS_OWN = {"align": "first_frame", "neutral": "first_frame"}


def export(results: Path, **settings: Any) -> Path:
    if not (results / NAME).exists():
        make_stage(results, NAME, make_landmarks_hdf5)
    folder = results / "exports" / NAME
    make_export(NAME, results, folder, default_settings(NAME) | settings)
    return folder


def read(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: dataset[:] for name, dataset in file.items()}


def known_points(clip: SmallClip) -> np.ndarray:
    """(N, 68, 2) float64 in clip pixels."""
    return points68(clip.points).astype(np.float64)


def laid_on_eyes(points: np.ndarray) -> np.ndarray:
    """Every frame (N, 68, 2) turned, scaled and moved until its eyes stand in place."""
    frames = []
    for frame in points:
        way = frame[45] - frame[36]
        turn = -np.arctan2(way[1], way[0])
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        frames.append((frame - frame[36]) @ matrix.T * 0.4 / np.hypot(*way) + [0.3, 1 / 3])
    return np.array(frames)


def test_shapes_and_types_are_the_reader_s(results: Path) -> None:
    folder = export(results)
    for side, count in (("train", 2), ("eval", 3)):
        with h5py.File(folder / f"{side}.h5") as file:
            assert file["MelFeatures"].shape == (count, 75, 128)
            assert file["flmark"].shape == (count, 75, 136)
            assert file["MelFeatures"].dtype == file["flmark"].dtype == np.float32
            assert file["MelFeatures"].chunks == (1, 75, 128)
            assert file["mean_face"].shape == (68, 2)
            for name in ("MelFeatures", "flmark", "mean_face"):
                assert np.isfinite(file[name][:]).all()
            assert 0 < file["flmark"][:].min() < file["flmark"][:].max() < 1


def test_windows_cover_every_frame(results: Path) -> None:
    folder = export(results)
    train, evaluated = read(folder / "train.h5"), read(folder / "eval.h5")
    assert train["clip_id"].astype(str).tolist() == [MIDDLE.clip_id] * 2
    assert train["start_frame"].tolist() == [0, 15]
    assert evaluated["clip_id"].astype(str).tolist() == [LONG.clip_id] * 3
    assert evaluated["start_frame"].tolist() == [0, 75, 95]
    denser = read(export(results, hop=25) / "eval.h5")
    assert denser["start_frame"].tolist() == [0, 25, 50, 75, 95]
    # The same frames are the same in every window.
    for name in ("MelFeatures", "flmark"):
        np.testing.assert_array_equal(denser[name][1, 25:], denser[name][2, :50])
        np.testing.assert_array_equal(denser[name][3], evaluated[name][1])


def test_the_only_face_of_train_is_the_mean_face(results: Path) -> None:
    """So its landmarks are its own, each frame laid on its eyes."""
    train = read(export(results) / "train.h5")
    own = laid_on_eyes(known_points(MIDDLE))
    np.testing.assert_allclose(train["mean_face"], own.mean(axis=0), atol=1e-5)
    for window, start in enumerate((0, 15)):
        expected = own[start : start + 75].reshape(75, 136)
        np.testing.assert_allclose(train["flmark"][window], expected, atol=1e-5)


def test_other_faces_move_about_the_mean_face_of_train(results: Path) -> None:
    folder = export(results)
    train, evaluated = read(folder / "train.h5"), read(folder / "eval.h5")
    np.testing.assert_array_equal(evaluated["mean_face"], train["mean_face"])
    frames = {}
    for window, start in enumerate(evaluated["start_frame"]):
        frames |= {start + k: evaluated["flmark"][window, k] for k in range(75)}
    assert sorted(frames) == list(range(170))
    middle = np.mean(list(frames.values()), axis=0)
    np.testing.assert_allclose(middle, evaluated["mean_face"].ravel(), atol=1e-5)


def test_on_request_every_sample_begins_with_the_mean_face(results: Path) -> None:
    """As the reader's own do; then the head's movement is in them."""
    folder = export(results, **READERS_OWN)
    for side in ("train", "eval"):
        samples = read(folder / f"{side}.h5")
        mean = samples["mean_face"].ravel()
        np.testing.assert_allclose(samples["flmark"][:, 0], [mean] * len(samples["flmark"]))
        eyes = samples["flmark"].reshape(-1, 75, 68, 2)[:, :, 36]
        assert np.ptp(eyes, axis=1).max() > 0.02
    still = read(export(results) / "train.h5")["flmark"].reshape(-1, 75, 68, 2)
    np.testing.assert_allclose(still[:, :, [36, 45]].std(axis=1), 0, atol=1e-6)


def test_what_the_reader_cannot_use_is_skipped(results: Path) -> None:
    lose_faces(results, MIDDLE, [40])
    skipped = read_frame(export(results) / "skipped.csv").set_index("clip_id")
    assert skipped.condition[SHORT.clip_id] == "frames"
    assert int(skipped.measured[SHORT.clip_id]) == 60
    assert skipped.condition[MIDDLE.clip_id] == "frames in a row with a face"
    assert int(skipped.measured[MIDDLE.clip_id]) == 49
    assert skipped.needed[MIDDLE.clip_id] == "at least 75"
    # There is no train side then, and the mean face is that of eval.
    folder = results / "exports" / NAME
    assert sorted(path.name for path in folder.iterdir()) == [
        "eval.h5", "export.json", "skipped.csv",
    ]  # fmt: skip
    own = laid_on_eyes(known_points(LONG)).mean(axis=0)
    np.testing.assert_allclose(read(folder / "eval.h5")["mean_face"], own, atol=1e-5)


def test_frames_without_a_face_are_in_no_window(results: Path) -> None:
    lose_faces(results, LONG, [90])
    evaluated = read(export(results) / "eval.h5")
    assert evaluated["start_frame"].tolist() == [0, 15, 91, 95]
    assert np.isfinite(evaluated["flmark"]).all()


def test_a_face_that_leaves_the_reader_s_picture_is_skipped(
    results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    points = MIDDLE.points
    points[74:, :, 0] += 100  # by more than half of the distance of the eyes, in both windows
    landmarks = Landmarks.of(points, points68(points).astype(np.float32))
    write_landmarks(results / f"landmarks/talk1/{MIDDLE.clip_id}.npz", landmarks)
    points = LONG.points
    points[160:, :, 0] += 100
    landmarks = Landmarks.of(points, points68(points).astype(np.float32))
    write_landmarks(results / f"landmarks/talk2/{LONG.clip_id}.npz", landmarks)
    folder = export(results, **READERS_OWN)
    skipped = read_frame(folder / "skipped.csv").set_index("clip_id")
    assert float(skipped.measured[MIDDLE.clip_id]) > 1
    assert not (folder / "train.h5").exists()
    assert read(folder / "eval.h5")["start_frame"].tolist() == [0, 75]
    assert "3 windows left out" not in caplog.text
    assert "1 windows left out" in caplog.text
    # What moves as a whole is no movement of the face.
    assert len(read(export(results) / "train.h5")["flmark"]) == 2


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000])
def test_sound_stands_where_the_film_has_it(tmp_path: Path, rate: int) -> None:
    """Clicks a quarter of a frame before and after frames 10, 20 ... : each row hears half of it.

    AAC begins with silence of its own, of 1024 samples or more, which the film's edit list takes
    out again: 21 to 64 ms, if it were not.
    """
    shift = rate // 100
    sound = np.zeros(rate * 4, np.int16)
    for number, frame in enumerate(range(10, 100, 10)):
        sound[frame * rate // 25 + (-shift if number % 2 else shift)] = 30_000
    levels = np.cumsum(clip_features(write_clip(tmp_path, sound, rate))[:, 12:24], axis=0)
    loud = levels.mean(axis=1)
    for frame in range(10, 100, 10):
        rows = loud[frame - 4 : frame + 5]
        assert rows.argmax() == 4
    # Were the sound early or late by d ms, the clicks of either kind would differ in level: Hann's
    # window falls by 0.3 in logarithm of the power for every ms there.
    late, early = loud[10:100:20].mean(), loud[20:100:20].mean()
    assert late == pytest.approx(early, abs=0.15)


def write_clip(folder: Path, sound: np.ndarray, rate: int) -> Clip:
    frames = len(sound) * 25 // rate
    planes = [np.full((64 // part, 64 // part), 128, np.uint8) for part in (1, 2, 2)]
    with VideoWriter(
        folder / "clip.mp4", 64, 64, preset="superfast", crf=30,
        sound=lambda start, stop: sound[start:stop, None], sound_rate=rate,
    ) as writer:  # fmt: skip
        for _ in range(frames):
            writer.write(frame_from_planes(*planes))
    return Clip("clip", frames, 64, 64, folder)


def test_a_damaged_film_is_named(results: Path) -> None:
    film = results / f"clips/talk2/{LONG.clip_id}.mp4"
    film.write_bytes(film.read_bytes()[:-500])
    with pytest.raises(DamagedFile, match=film.name):
        make_stage(results, NAME, make_landmarks_hdf5)


def test_an_array_of_another_clip_is_named(results: Path) -> None:
    make_stage(results, NAME, make_landmarks_hdf5)
    other = results / f"{NAME}/talk2/{LONG.clip_id}.npz"
    other.write_bytes((results / f"{NAME}/talk1/{MIDDLE.clip_id}.npz").read_bytes())
    with pytest.raises(DamagedFile, match=rf"{other.name}.*\(90, 128\).*not \(170, 128\)"):
        export(results)


def test_what_left_the_dataset_leaves_the_export(results: Path) -> None:
    export(results)
    write_dataset(results, CLIPS[:2])
    folder = export(results)
    assert not (folder / "eval.h5").exists()
    assert (folder / "train.h5").exists()


def test_an_empty_dataset_has_no_samples(results: Path) -> None:
    make_stage(results, NAME, make_landmarks_hdf5)
    write_dataset(results, ())
    assert sorted(path.suffix for path in export(results).iterdir()) == [".csv", ".json"]
