"""The folders of Wav2Lip: what is in every picture, names, numbers, lists, what is left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.exports import clips_of, lose_faces, make_stage
from helpers.small_results import CLIPS, SIZE, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.exports.wav2lip import (
    crop_boxes,
    make_wav2lip,
    usable_frames,
    window_starts,
)
from talkingface.faces.landmark_files import Landmarks, read_landmarks
from talkingface.media.writer import VideoWriter, frame_from_planes

NAME = "wav2lip"
SETTINGS = {"quality": 95, "min_side": 96}
JAW, EYES, LIPS, NOSE_BASE = slice(0, 17), slice(36, 48), slice(48, 68), 33
CHIN = slice(5, 12)


def make(results: Path, *videos: str) -> None:
    make_stage(results, NAME, make_wav2lip, videos, quality=95, threads=1)


@pytest.fixture(scope="module")
def made(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small dataset with the stage made; not to be written to."""
    results = Path(shutil.copytree(finished, tmp_path_factory.mktemp(NAME) / "results"))
    make(results, "talk1", "talk2")
    return results


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the export goes."""
    return tmp_path / "export"


def export(results: Path, folder: Path, **settings: int) -> Path:
    make_export(NAME, results, folder, SETTINGS | settings)
    return folder


def landmarks_of(results: Path, number: int) -> Landmarks:
    clip = CLIPS[number]
    return read_landmarks(results / f"landmarks/{clip.video}/{clip.clip_id}.npz")


def talking(finished: Path, opening: np.ndarray) -> Landmarks:
    """One still face in every frame, whose chin and lower lip are `opening` (N,) pixels lower."""
    still = landmarks_of(finished, 0)
    points = np.repeat(still.points[:1], len(opening), axis=0)
    points68 = np.repeat(still.points68[:1], len(opening), axis=0)
    points68[:, CHIN, 1] += opening[:, None]
    points68[:, [57, 66], 1] += opening[:, None]
    return Landmarks.of(points, points68)


def test_mouth_and_chin_are_in_the_lower_half_and_the_eyes_in_the_upper(finished: Path) -> None:
    for number in range(3):
        marks = landmarks_of(finished, number)
        left, top, right, bottom = crop_boxes(marks, (256, 256)).T.astype(float)
        x, y = marks.points68[..., 0], marks.points68[..., 1]
        middle = (top + bottom) / 2
        assert (y[:, LIPS].min(axis=1) > middle).all()
        assert (y[:, JAW].max(axis=1) <= bottom).all()
        assert (y[:, EYES].max(axis=1) < middle).all()
        assert (x.min(axis=1) >= left).all()
        assert (x.max(axis=1) <= right).all()
        # A box of the face, not of the head: it ends within a tenth of its size of these.
        assert (bottom - y[:, JAW].max(axis=1) < 0.1 * (bottom - top)).all()
        assert ((right - left) - np.ptp(x, axis=1) < 0.1 * (right - left)).all()


def test_the_jaw_does_not_change_the_box(finished: Path) -> None:
    """What is in sight would tell by its size how far the mouth, which is hidden, is open."""
    opening = 15 * np.abs(np.sin(np.arange(60)))
    marks = talking(finished, opening)
    boxes = crop_boxes(marks, (256, 256))
    assert np.ptp(marks.points68[:, 8, 1]) > 12
    assert (boxes == boxes[0]).all()
    assert boxes[0, 3] >= marks.points68[:, JAW, 1].max()


def test_a_chin_that_is_lower_once_does_not_make_all_boxes_larger(finished: Path) -> None:
    opening = np.zeros(100)
    opening[40] = 30
    boxes = crop_boxes(talking(finished, opening), (256, 256))
    others = np.delete(boxes, 40, axis=0)
    assert (others == crop_boxes(talking(finished, np.zeros(100)), (256, 256))[0]).all()
    assert boxes[40, 3] >= others[0, 3] + 15


def test_the_box_turns_and_comes_nearer_with_the_face(finished: Path) -> None:
    still = talking(finished, np.zeros(1))
    twice = Landmarks.of(still.points * 2, still.points68 * 2)
    one, two = (crop_boxes(marks, (2000, 2000))[0] for marks in (still, twice))
    assert np.abs(two - 2 * one).max() <= 2


def test_a_box_ends_where_the_picture_ends(finished: Path) -> None:
    marks = landmarks_of(finished, 0)
    moved = Landmarks.of(marks.points + np.array([0, 120, 0]), marks.points68 + np.array([0, 120]))
    boxes = crop_boxes(moved, (256, 256))
    assert (boxes >= 0).all()
    assert (boxes <= 256).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert not usable_frames(moved, boxes).any()
    away = Landmarks.of(marks.points + 900, marks.points68 + 900)
    boxes = crop_boxes(away, (256, 256))
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert (boxes <= 256).all()


def test_a_mouth_in_the_upper_half_is_of_no_use(finished: Path) -> None:
    marks = landmarks_of(finished, 0)
    boxes = crop_boxes(marks, (256, 256))
    assert usable_frames(marks, boxes).all()
    boxes[7, 1] = 2 * marks.points68[7, LIPS, 1].min() - boxes[7, 3] + 2
    assert np.flatnonzero(~usable_frames(marks, boxes)).tolist() == [7]


def test_without_a_face_the_box_is_between_its_neighbours(finished: Path) -> None:
    marks = landmarks_of(finished, 0)
    marks.points[[0, 30, 31]], marks.points68[[0, 30, 31]] = np.nan, np.nan
    gapped = Landmarks.of(marks.points, marks.points68)
    boxes = crop_boxes(gapped, (256, 256))
    assert (boxes[0] == boxes[1]).all()
    low, high = np.minimum(boxes[29], boxes[32]), np.maximum(boxes[29], boxes[32])
    assert (boxes[30:32] >= low - 1).all() and (boxes[30:32] <= high + 1).all()
    assert np.flatnonzero(~usable_frames(gapped, boxes)).tolist() == [0, 30, 31]
    nobody = Landmarks.of(np.full((5, 478, 3), np.nan), np.full((5, 68, 2), np.nan))
    assert crop_boxes(nobody, (320, 240)).tolist() == [[0, 0, 320, 240]] * 5


def test_windows_begin_where_the_reader_can_begin_one() -> None:
    """Counted with its own Dataset class on clips of these lengths."""
    for n, last in ((126, 118), (200, 192), (225, 217), (250, 242)):
        assert np.flatnonzero(window_starts(np.ones(n, bool))).tolist() == list(range(1, last + 1))
    assert not window_starts(np.ones(6, bool)).any()
    usable = np.ones(40, bool)
    usable[20] = False
    assert np.flatnonzero(window_starts(usable)).tolist() == [*range(1, 16), *range(21, 33)]


def test_every_clip_is_a_folder_of_numbers_from_zero(made: Path, folder: Path) -> None:
    export(made, folder)
    expected = {"export.json", "skipped.csv", "filelists/train.txt", "filelists/val.txt"}
    expected.add("filelists/test.txt")
    speakers = {path.name for path in (folder / "preprocessed").iterdir()}
    assert len(speakers) == 2 and "alice" in speakers
    (bob,) = speakers - {"alice"}
    for clip, speaker in zip(CLIPS, ("alice", "alice", bob), strict=True):
        name = f"{speaker}/{clip.clip_id}"
        expected |= {f"preprocessed/{name}/{k}.jpg" for k in range(clip.n_frames)}
        expected |= {f"preprocessed/{name}/audio.wav", f"videos/{name}.mp4"}
        for link, source in (
            (f"preprocessed/{name}/audio.wav", f"clips/{clip.video}/{clip.clip_id}.wav"),
            (f"videos/{name}.mp4", f"clips/{clip.video}/{clip.clip_id}.mp4"),
        ):
            assert (folder / link).samefile(made / source)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found == expected
    lists = {path.stem: path.read_text() for path in (folder / "filelists").iterdir()}
    assert lists["train"] == "".join(f"alice/{clip.clip_id}\n" for clip in CLIPS[:2])
    assert lists["val"] == lists["test"] == f"{bob}/{CLIPS[2].clip_id}\n"
    assert len(read_frame(folder / "skipped.csv")) == 0


def test_a_picture_is_that_part_of_its_own_frame(results: Path, folder: Path) -> None:
    """Every frame is brighter than the one before, to the right, and below."""
    clip = clips_of(results, "talk1")[0]
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    grey = np.full((SIZE // 2, SIZE // 2), 128, np.uint8)
    with VideoWriter(clip.video, SIZE, SIZE, preset="superfast", crf=10) as writer:
        for k in range(60):
            luma = (30 + 2 * k + x / 8 + y / 8).astype(np.uint8)
            writer.write(frame_from_planes(luma, grey, grey))
    make(results, "talk1")
    write_dataset(results, CLIPS[:1])
    export(results, folder)
    boxes = crop_boxes(landmarks_of(results, 0), (SIZE, SIZE))
    for k, frame in enumerate(clip.frames()):
        left, top, right, bottom = boxes[k]
        picture = cv2.imread(str(folder / f"preprocessed/alice/{clip.clip_id}/{k}.jpg"))
        assert picture.shape == (bottom - top, right - left, 3)
        # A frame beside it would differ by 2 or more, a part shifted by eight pixels by 1.
        difference = picture.astype(int) - frame[top:bottom, left:right]
        assert abs(difference.mean()) < 0.3


def test_frames_of_no_use_are_left_out_with_their_numbers(results: Path, folder: Path) -> None:
    lose_faces(results, CLIPS[0], [0, 25, 26])
    make(results, "talk1")
    write_dataset(results, CLIPS[:2])
    row = read_frame(results / f"{NAME}/talk1.csv").iloc[0]
    # Of 60 frames 1 to 52 begin a window; none may hold 25 or 26.
    assert (row.left_out, row.pictures, row.windows) == ("0 25 26", 57, 52 - 6)
    pictures = export(results, folder) / f"preprocessed/alice/{CLIPS[0].clip_id}"
    names = {path.name for path in pictures.iterdir()} - {"audio.wav"}
    assert names == {f"{k}.jpg" for k in range(60) if k not in (0, 25, 26)}
    assert len(list((results / f"{NAME}/talk1/{CLIPS[0].clip_id}").iterdir())) == 60


def test_what_the_reader_would_pass_over_is_skipped(results: Path, folder: Path) -> None:
    lose_faces(results, CLIPS[0], [*range(15, 60)])
    lose_faces(results, CLIPS[1], [*range(0, 90, 5), *range(1, 90, 5)])
    make(results, "talk1", "talk2")
    export(results, folder)
    skipped = read_frame(folder / "skipped.csv")
    assert skipped.clip_id.tolist() == [CLIPS[0].clip_id, CLIPS[1].clip_id]
    assert skipped.measured.tolist() == ["15", "0"]
    assert skipped.needed.tolist() == ["at least 16", "at least 2"]
    # An empty list would be read for ever.
    assert not (folder / "filelists/train.txt").exists()
    assert len((folder / "filelists/val.txt").read_text().splitlines()) == 1
    assert not (folder / "preprocessed/alice").exists()


def test_a_small_face_is_skipped(made: Path, folder: Path) -> None:
    smallest = read_frame(made / f"{NAME}/talk2.csv").smallest_side[0]
    boxes = crop_boxes(landmarks_of(made, 2), (256, 256))
    assert smallest == (boxes[:, 2:] - boxes[:, :2]).min()
    export(made, folder, min_side=200)
    skipped = read_frame(folder / "skipped.csv")
    assert len(skipped) == 3
    assert set(skipped.condition) == {"smallest side of the face (px)"}
    assert not (folder / "filelists").exists()


def test_pixels_that_the_source_did_not_have_do_not_count(results: Path) -> None:
    """Clips of 256 pixels, of a crop of 128."""
    path = results / f"clips/talk2/{CLIPS[2].clip_id}.csv"
    path.write_text(path.read_text().replace(",512.0,512.0\n", ",128.0,128.0\n"))
    make(results, "talk2")
    boxes = crop_boxes(landmarks_of(results, 2), (256, 256))
    smallest = read_frame(results / f"{NAME}/talk2.csv").smallest_side[0]
    assert smallest == pytest.approx((boxes[:, 2:] - boxes[:, :2]).min() / 2, abs=0.1)


def test_a_clip_without_any_face_is_skipped(results: Path, folder: Path) -> None:
    lose_faces(results, CLIPS[2], [*range(170)])
    make(results, "talk2")
    write_dataset(results, CLIPS[2:])
    export(results, folder)
    skipped = read_frame(folder / "skipped.csv")
    assert set(skipped.clip_id) == {CLIPS[2].clip_id}
    assert skipped.measured.tolist() == ["0", "0"]
    assert not (folder / "filelists/val.txt").exists()


def test_a_video_without_clips_has_an_empty_table(tmp_path: Path) -> None:
    make_wav2lip([], tmp_path, tmp_path / "v", tmp_path / "v.csv", quality=95, threads=1)
    assert list((tmp_path / "v").iterdir()) == []
    assert len(read_frame(tmp_path / "v.csv")) == 0


def test_landmarks_of_another_length_are_told(results: Path) -> None:
    other = results / f"landmarks/talk1/{CLIPS[1].clip_id}.npz"
    other.replace(results / f"landmarks/talk1/{CLIPS[0].clip_id}.npz")
    with pytest.raises(ValueError, match=f"{CLIPS[0].clip_id}.npz: .*90 frames"):
        make(results, "talk1")
