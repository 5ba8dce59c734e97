"""The layout that musetalk/data/dataset.py of TMElyralab/MuseTalk reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.exports import counts, export, lose_faces, make_stage
from helpers.small_results import CLIPS, SIZE
from helpers.tables import read_frame
from talkingface import export_tables
from talkingface.exports.musetalk import clip_record, make_musetalk
from talkingface.faces.landmark_files import Landmarks
from talkingface.job.tables import table_of_rows, write_table
from talkingface.media.own_video import own_frames

KEYS = {
    "mp4_path", "wav_path", "video_size", "face_size", "frames", "face_list", "landmark_list",
    "isvalid",
}  # fmt: skip


@pytest.fixture
def made(results: Path) -> Path:
    """The small results with the stage's files; every face is said to be 250 px wide."""
    make_stage(results, "musetalk", make_musetalk)
    say(results, 250)
    return results


def say(results: Path, face_width: int) -> None:
    """Change the width of all faces in the stage's manifests."""
    for path in (results / "musetalk").glob("*.csv"):
        rows = [{**row, "face_width": face_width} for row in read_frame(path).to_dict("records")]
        write_table(table_of_rows(export_tables.MUSETALK, rows), path, export_tables.MUSETALK)


def record_of(folder: Path, clip_id: str) -> dict[str, Any]:
    return json.loads((folder / f"HDTF/meta/{clip_id}.json").read_text())


def test_every_line_but_the_first_leads_to_a_record(made: Path) -> None:
    """The reader passes over the first, and takes a line's first word."""
    folder = export(made, "musetalk")
    for name, side in (("train", "train"), ("val", "eval")):
        _, *lines = (folder / f"HDTF/{name}.txt").read_text().splitlines()
        assert lines == [f"{clip.clip_id}.json" for clip in CLIPS if clip.side == side]
        assert all((folder / "HDTF/meta" / line.split()[0]).is_file() for line in lines)
    assert counts(folder) == (3, 0)


def test_paths_hold_in_the_reader_s_own_folder(made: Path, tmp_path: Path) -> None:
    folder = export(made, "musetalk")
    (tmp_path / "MuseTalk/dataset").mkdir(parents=True)
    (tmp_path / "MuseTalk/dataset/HDTF").symlink_to(folder / "HDTF")
    for clip in CLIPS:
        record, source = record_of(folder, clip.clip_id), made / f"clips/{clip.video}"
        for key, suffix in (("mp4_path", ".mp4"), ("wav_path", ".wav")):
            film = tmp_path / "MuseTalk" / record[key]
            assert film.samefile(source / f"{clip.clip_id}{suffix}")


def test_a_record_says_what_is_in_every_frame(made: Path) -> None:
    folder = export(made, "musetalk")
    for clip in CLIPS:
        record = record_of(folder, clip.clip_id)
        assert set(record) == KEYS
        film = folder / f"HDTF/video_audio_clip_root/{clip.clip_id}.mp4"
        n = sum(1 for _ in own_frames(film))
        assert n == record["frames"] == len(record["face_list"]) == len(record["landmark_list"])
        assert record["video_size"] == [SIZE, SIZE] and record["isvalid"] is True
        boxes, points = np.array(record["face_list"]), np.array(record["landmark_list"])
        assert points.shape == (n, 68, 2) and boxes.shape == (n, 4)
        assert points.dtype == boxes.dtype == int
        x1, y1, x2, y2 = boxes[0].tolist()
        assert record["face_size"] == [y2 - y1, x2 - x1]
        low, high = clip.points[..., :2].min(axis=1), clip.points[..., :2].max(axis=1)
        # A box holds the mesh, and no pixel more on any side.
        assert (boxes[:, :2] <= low).all() and (low < boxes[:, :2] + 1).all()
        assert (boxes[:, 2:] >= high).all() and (high > boxes[:, 2:] - 1).all()


def test_landmarks_are_the_pixels_that_the_points_fall_in(made: Path) -> None:
    folder = export(made, "musetalk")
    for clip in CLIPS:
        text = (made / f"landmarks/{clip.video}/{clip.clip_id}.txt").read_text().splitlines()
        for line, points in zip(
            text, record_of(folder, clip.clip_id)["landmark_list"], strict=True
        ):
            assert line.split()[1:] == [f"{x}_{y}" for x, y in points]


def test_clips_for_the_first_stage_only_stay_and_are_told(made: Path) -> None:
    """160 frames and 200 pixels in the second stage; the clips have 60, 90 and 170 frames."""
    say(made, 180)
    folder = export(made, "musetalk")
    assert counts(folder) == (3, 0)
    skipped = read_frame(folder / "skipped.csv")
    long = [(c.clip_id, "frames, stage 2", c.n_frames, 160) for c in CLIPS if c.n_frames < 160]
    wide = [(clip.clip_id, "face width (px), stage 2", 180, 200) for clip in CLIPS]
    rows = [(a, b, int(c), int(d)) for a, b, c, d in skipped.itertuples(index=False)]
    assert sorted(rows) == sorted(long + wide)


@pytest.mark.parametrize(("width", "stays"), [(149, False), (150, True)])
def test_a_face_that_no_stage_takes_is_left_out(made: Path, width: int, stays: bool) -> None:
    say(made, width)
    folder = export(made, "musetalk")
    assert len(list((folder / "HDTF/meta").glob("*"))) == (3 if stays else 0)
    assert counts(folder) == ((3, 0) if stays else (0, 3))
    assert ("face width (px), stage 1" in (folder / "skipped.csv").read_text()) != stays
    assert (folder / "HDTF/train.txt").read_text().count("\n") == (3 if stays else 1)


def test_a_frame_without_a_face_leaves_the_clip_out(results: Path) -> None:
    lose_faces(results, CLIPS[1], [3, 4])
    make_stage(results, "musetalk", make_musetalk)
    say(results, 250)
    folder = export(results, "musetalk")
    assert f"{CLIPS[1].clip_id},frames without a face,2,0" in (folder / "skipped.csv").read_text()
    assert not (folder / f"HDTF/meta/{CLIPS[1].clip_id}.json").exists()


def test_the_width_is_the_one_that_the_reader_compares(results: Path) -> None:
    """Of the first frame's box and landmarks together."""
    make_stage(results, "musetalk", make_musetalk)
    for clip in CLIPS:
        record = json.loads((results / f"musetalk/{clip.video}/{clip.clip_id}.json").read_text())
        (x1, _, x2, _), points = record["face_list"][0], np.array(record["landmark_list"][0])
        table = read_frame(results / f"musetalk/{clip.video}.csv").set_index("clip_id")
        width = max(x2, points[:, 0].max()) - min(x1, points[:, 0].min())
        assert table.face_width[clip.clip_id] == width > 50


def landmarks(n: int, shift: float = 0.0) -> Landmarks:
    """N frames of a face from (100, 50) to (300, 350), moved to the right."""
    random = np.random.default_rng(0)
    points = random.uniform((100, 50, 0), (300, 350, 1), (n, 478, 3))
    points[:, 0], points[:, 1] = (100, 50, 0), (300, 350, 0)
    points68 = random.uniform((110, 60), (290, 340), (n, 68, 2))
    return Landmarks.of(points + np.array([shift, 0, 0]), points68 + np.array([shift, 0]))


def test_sizes_are_height_and_width() -> None:
    record = clip_record("a", landmarks(2), 640, 480)
    assert record["video_size"] == [480, 640] and record["face_size"] == [300, 200]


def test_what_is_beyond_the_picture_is_brought_to_its_edge() -> None:
    record = clip_record("a", landmarks(3, shift=400), 512, 512)
    assert record["face_list"] == [[500, 50, 512, 350]] * 3
    assert np.array(record["landmark_list"])[..., 0].max() == 511
    record = clip_record("a", landmarks(3, shift=-200), 512, 512)
    assert record["face_list"] == [[0, 50, 100, 350]] * 3
    assert np.array(record["landmark_list"])[..., 0].min() == 0


def test_the_reader_starts_no_sample_where_its_sound_is_another() -> None:
    """It draws a beginning from 0 to `frames` less its length, both included, and moves the place
    in the sound where 50 frames more are 750 or beyond."""
    record = clip_record("a", landmarks(900), 512, 512)
    assert len(record["face_list"]) == len(record["landmark_list"]) == 900
    for length in (1, 16):
        assert record["frames"] - length + 50 < 750
    assert clip_record("a", landmarks(600), 512, 512)["frames"] == 600
