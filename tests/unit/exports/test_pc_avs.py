"""The crops and lists of PC-AVS."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.exports import lose_faces, make_stage
from helpers.small_results import CLIPS, SIZE, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.exports.pc_avs import crop_matrices, make_pc_avs
from talkingface.exports.table import check_exports
from talkingface.faces.landmark_files import Landmarks, read_landmarks, write_landmarks
from talkingface.media.clip_files import read_clips
from talkingface.media.writer import VideoWriter, frame_from_planes
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError

NAME = "pc_avs"
# Middle of the eye left in the picture, of the other one and of the mouth, in a crop of 224.
PLACES = np.array([[87.0, 59.0], [137.0, 59.0], [112.0, 120.0]])
GROUPS = (slice(36, 42), slice(42, 48), slice(60, 68))


def make(results: Path, *videos: str) -> None:
    make_stage(results, NAME, make_pc_avs, videos, quality=95, threads=1)


def export(results: Path, folder: Path) -> Path:
    make_export(NAME, results, folder, {"quality": 95})
    return folder


@pytest.fixture(scope="module")
def made(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset with the stage made; not to be written to."""
    results = Path(shutil.copytree(finished, tmp_path_factory.mktemp(NAME) / "results"))
    make(results, "talk1", "talk2")
    return results


def face_at(places: np.ndarray) -> Landmarks:
    """Landmarks of which the three groups lie around `places` (N, 3, 2), in pixels that count the
    centre of the first one as a half."""
    points68 = np.zeros((len(places), 68, 2))
    for group, place in zip(GROUPS, np.moveaxis(places, 1, 0), strict=True):
        count = group.stop - group.start
        angles = 2 * np.pi * np.arange(count) / count
        around = 3 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        points68[:, group] = place[:, None] + around
    return Landmarks.of(np.zeros((len(places), 478, 3)), points68)


def laid(matrices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (N, n, 2), which count the first pixel's centre as a half, in the crops."""
    return np.einsum("kij,knj->kni", matrices[:, :, :2], points - 0.5) + matrices[:, None, :, 2]


@pytest.mark.parametrize("degrees", [0, 25, -160])
def test_eyes_and_mouth_come_to_their_places(degrees: float) -> None:
    turn = np.radians(degrees)
    linear = 2.3 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    places = np.tile((PLACES - 112) @ linear.T + [300, 200], (4, 1, 1))
    matrices = crop_matrices(face_at(places), (640, 480))
    assert np.allclose(laid(matrices, places), PLACES)
    assert np.allclose(np.linalg.norm(matrices[:, 0, :2], axis=1), 1 / 2.3)


def test_the_mouth_is_followed_four_fifths_at_once() -> None:
    """A face of the right size that jumps by 10 pixels to the right between frames 5 and 6."""
    places = np.tile(PLACES + np.array([40.0, 30.0]), (12, 1, 1))
    places[6:, :, 0] += 10
    mouths = laid(crop_matrices(face_at(places), (400, 400)), places)[:, 2]
    assert np.allclose(mouths[:, 1], 120)
    late = [0] * 6 + [10 * 0.2**n for n in range(1, 7)]
    assert np.allclose(mouths[:, 0] - 112, late)


def test_one_size_and_turn_holds_for_the_clip(finished: Path) -> None:
    clip = CLIPS[1]
    marks = read_landmarks(finished / f"landmarks/{clip.video}/{clip.clip_id}.npz")
    matrices = crop_matrices(marks, (SIZE, SIZE))
    assert np.ptp(matrices[:, :, :2], axis=0).max() == 0
    places = np.stack([marks.points68[:, group].mean(axis=1) for group in GROUPS], axis=1)
    middles = laid(matrices, places).mean(axis=0)
    # Three points of a face that is no other's come near three places, the mouth nearest.
    assert np.abs(middles[2] - PLACES[2]).max() < 0.1
    assert np.abs(middles - PLACES).max() < 8


def test_a_frame_without_a_face_stays_where_the_one_before_is() -> None:
    places = np.tile(PLACES + np.array([40.0, 30.0]), (5, 1, 1))
    places[2:] += 4.0
    marks = face_at(places)
    for frame in (0, 3):
        marks.points[frame], marks.points68[frame] = np.nan, np.nan
    gapped = Landmarks.of(marks.points, marks.points68)
    matrices = crop_matrices(gapped, (400, 400))
    assert np.isfinite(matrices).all()
    assert (matrices[3] == matrices[2]).all()
    assert (matrices[0] == matrices[1]).all()
    nobody = Landmarks.of(np.full((2, 478, 3), np.nan), np.full((2, 68, 2), np.nan))
    middle = crop_matrices(nobody, (640, 480)) @ [319.5, 239.5, 1]
    assert np.allclose(middle, 111.5)


def test_the_crops_show_the_pixels_where_the_landmarks_are(results: Path, tmp_path: Path) -> None:
    """White spots at the eyes and the mouth of a clip, which is twice as large as its crop."""
    clip = read_clips(results / "clips/talk1", results / "clips/talk1.csv")[0]
    spots = 1.1 * (PLACES - 112) + [128.5, 118.5]
    picture = np.full((SIZE, SIZE), 40, np.uint8)
    x, y = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    for spot in spots:
        picture += (150 * np.exp(-(np.hypot(x - spot[0], y - spot[1]) ** 2) / 18)).astype(np.uint8)
    grey = np.full((SIZE // 2, SIZE // 2), 128, np.uint8)
    with VideoWriter(clip.video, SIZE, SIZE, preset="superfast", crf=10) as writer:
        for _ in range(60):
            writer.write(frame_from_planes(picture, grey, grey))
    path = results / f"landmarks/talk1/{clip.clip_id}.npz"
    write_landmarks(path, face_at(np.tile(spots, (60, 1, 1))))
    make(results, "talk1")
    folder = results / f"{NAME}/talk1/{clip.clip_id}"
    assert {p.name for p in folder.iterdir()} == {f"{k:06d}.jpg" for k in range(1, 61)}
    crop = cv2.imread(str(folder / "000030.jpg"), cv2.IMREAD_GRAYSCALE).astype(float)
    assert crop.shape == (224, 224)
    for column, row in PLACES.astype(int):
        part = crop[row - 8 : row + 9, column - 8 : column + 9] - 45
        weights = np.clip(part, 0, None)
        offsets = np.arange(-8, 9)
        assert abs((weights.sum(axis=0) @ offsets) / weights.sum()) < 0.15
        assert abs((weights.sum(axis=1) @ offsets) / weights.sum()) < 0.15


def test_the_table_says_how_large_the_pixels_are_and_what_is_black(made: Path) -> None:
    table = read_frame(made / f"{NAME}/talk1.csv")
    assert table.faceless_frames.tolist() == [0, 0]
    for number in (0, 1):
        clip = CLIPS[number]
        marks = read_landmarks(made / f"landmarks/talk1/{clip.clip_id}.npz")
        matrices = crop_matrices(marks, (SIZE, SIZE))
        # Its clips show two pixels of the source as one.
        assert table.scale[number] == pytest.approx(2 / np.hypot(*matrices[0, 0, :2]), abs=1e-3)
        black = 0.0
        for matrix in matrices:
            seen = cv2.warpAffine(np.ones((SIZE, SIZE)), matrix, (224, 224))
            black += (seen[:192, 16:208] < 0.5).mean()
        assert table.outside_share[number] == pytest.approx(black / clip.n_frames, abs=3e-3)
        assert table.outside_share[number] > 0.01


def test_a_line_has_the_eight_fields_of_a_clip_that_drives_itself(made: Path, folder: Path) -> None:
    export(made, folder)
    expected = {"export.json", "skipped.csv", "train.csv", "eval.csv"}
    for side, clips in (("train", CLIPS[:2]), ("eval", CLIPS[2:])):
        lines = (folder / f"{side}.csv").read_text().splitlines()
        assert len(lines) == len(clips)
        for line, clip in zip(lines, clips, strict=True):
            pictures, sound = (
                folder / f"frames/{clip.clip_id}",
                folder / f"audio/{clip.clip_id}.wav",
            )
            n = str(clip.n_frames)
            assert line.split(" ") == [
                str(pictures), n, str(pictures), n, str(sound), str(pictures), n, "None",
            ]  # fmt: skip
            assert pictures.is_dir()
            assert sound.samefile(made / f"clips/{clip.video}/{clip.clip_id}.wav")
            expected |= {f"frames/{clip.clip_id}/{k:06d}.jpg" for k in range(clip.n_frames)}
            expected.add(f"audio/{clip.clip_id}.wav")
            # Frame k is the picture k + 1 of the stage.
            last = made / f"{NAME}/{clip.video}/{clip.clip_id}/{clip.n_frames:06d}.jpg"
            assert (pictures / f"{clip.n_frames - 1:06d}.jpg").samefile(last)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == expected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the export goes."""
    return tmp_path / "export"


def test_a_clip_with_a_frame_without_a_face_is_skipped(results: Path, folder: Path) -> None:
    lose_faces(results, CLIPS[0], [3, 9])
    make(results, "talk1")
    write_dataset(results, CLIPS[:2])
    export(results, folder)
    skipped = read_frame(folder / "skipped.csv")
    assert skipped.to_dict("records") == [
        {
            "clip_id": CLIPS[0].clip_id, "condition": "frames without a face",
            "measured": "2", "needed": "0",
        }
    ]  # fmt: skip
    assert [path.name for path in (folder / "frames").iterdir()] == [CLIPS[1].clip_id]
    assert len((folder / "train.csv").read_text().splitlines()) == 1
    assert (folder / "eval.csv").read_text() == ""


def test_a_path_with_a_blank_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = check_config({"exports": ["pc_avs"]})
    monkeypatch.chdir(tmp_path)
    check_exports(["pc_avs"], config)
    # White space of any kind: the reader divides as Python does.
    for name in ("my folder", "my\u3000folder", "folder "):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with pytest.raises(ConfigError, match="export pc_avs needs a path without blanks"):
            check_exports(["pc_avs"], config)
    check_exports(["wav2lip"], config)


def test_a_path_with_a_blank_is_refused(made: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my exports" / NAME
    folder.parent.mkdir()
    with pytest.raises(ValueError, match=r"my exports/pc_avs: a blank in this path"):
        export(made, folder)
    assert not folder.exists()
