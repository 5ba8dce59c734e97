"""LatentSync's films and lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.exports import write_stage
from helpers.recut_video import ENCODING, FILM, RecutVideo
from helpers.small_results import CLIPS
from helpers.synthetic import decode_pictures, shown_at
from helpers.tables import read_frame
from helpers.tiled import read_tiles
from talkingface.exports.export import make_export
from talkingface.exports.latentsync import PADDING, make_latentsync
from talkingface.faces.landmark_files import Landmarks, write_landmarks

MEASURES = {
    "longest_gap": 0, "face_width": 120.0, "face_height": 150.0, "enlargement": 1.5,
    "sync_offset": None, "sync_confidence": None,
}  # fmt: skip
NAMES = [clip.clip_id for clip in CLIPS]


def export(results: Path, **changed: dict) -> Path:
    write_stage(results, "latentsync", MEASURES, changed)
    folder = results / "exports/latentsync"
    make_export("latentsync", results, folder, {"size": 512})
    return folder


def test_lists_of_absolute_paths_to_flat_folders(results: Path) -> None:
    folder = export(results)
    for side in ("train", "eval"):
        names = [f"{clip.clip_id}.mp4" for clip in CLIPS if clip.side == side]
        # The reader takes every line for a film, an empty one too.
        lines = (folder / f"{side}.txt").read_text().split("\n")
        assert lines == [*(f"{folder}/{side}/{name}" for name in names), ""]
        assert sorted(path.name for path in (folder / side).iterdir()) == sorted(names)
        for line in lines[:-1]:
            assert Path(line).read_text() == f"film of {Path(line).stem}"


@pytest.mark.parametrize(
    ("measure", "good", "bad", "condition", "needed"),
    [
        ("face_width", 50, 49.5, "smallest face width (px)", "at least 50"),
        ("face_height", 80, 79.25, "smallest face height (px)", "at least 80"),
        ("longest_gap", 5, 6, "longest stretch without a face (frames)", "at most 5"),
        ("sync_confidence", 3, 2.5, "SyncNet confidence", "at least 3"),
        ("sync_offset", -6, -7, "SyncNet offset (frames)", "at most 6"),
        ("sync_offset", 6, 7, "SyncNet offset (frames)", "at most 6"),
    ],
)
def test_what_the_reader_would_leave_out(results, measure, good, bad, condition, needed) -> None:
    folder = export(results, **{NAMES[0]: {measure: good}, NAMES[1]: {measure: bad}})
    (skipped,) = read_frame(folder / "skipped.csv").itertuples(index=False)
    assert (skipped.clip_id, skipped.condition, skipped.needed) == (NAMES[1], condition, needed)
    assert float(skipped.measured) == abs(bad)
    assert [Path(line).stem for line in (folder / "train.txt").read_text().split()] == NAMES[:1]
    assert not (folder / f"train/{NAMES[1]}.mp4").exists()


def test_a_clip_needs_three_times_the_frames_that_are_drawn(results: Path) -> None:
    dataset = results / "dataset/clips.csv"
    table = pd.read_csv(dataset, dtype=str, keep_default_na=False)
    table.loc[:1, "n_frames"] = ["47", "48"]
    table.to_csv(dataset, index=False)
    folder = export(results)
    (skipped,) = read_frame(folder / "skipped.csv").itertuples(index=False)
    assert (skipped.clip_id, skipped.condition) == (NAMES[0], "frames")
    assert (str(skipped.measured), skipped.needed) == ("47", "at least 48")
    assert (folder / "train.txt").read_text() == f"{folder}/train/{NAMES[1]}.mp4\n"


def test_every_reason_is_noted(results: Path) -> None:
    folder = export(results, **{NAMES[2]: {"face_width": 20, "face_height": 30, "longest_gap": 9}})
    assert read_frame(folder / "skipped.csv").clip_id.tolist() == [NAMES[2]] * 3
    assert (folder / "eval.txt").read_text() == ""


FACE = np.array([[-38, -27], [40, -25], [3, 18.0]])  # brows and nose, pixels of the source
ABSENT = {"v_000010_000090_00": (30, 31, 32), "v_000010_000060_01": tuple(range(50))}


def face_at(track: int, frame: int) -> np.ndarray:
    """(3, 2) points of a face that nods and wanders, in source pixels."""
    angle = np.radians(12 * np.sin(frame / 7))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array([(335 + frame, 190 + 0.2 * frame), (80, 205)][track])
    return FACE @ turn.T * (1 + 0.1 * np.sin(frame / 11)) + centre


def write_points(video: RecutVideo, folder: Path) -> None:
    """Landmarks in clip pixels whose brows and nose are those of `face_at`."""
    folder.mkdir()
    for clip, row in zip(video.clips, video.rows, strict=True):
        mesh = np.zeros((clip.n_frames, 478, 3), np.float32)
        points68 = np.zeros((clip.n_frames, 68, 2), np.float32)
        scale = 128 / row.crop_w
        for k in range(clip.n_frames):
            left, right, nose = face_at(row.track, row.start_frame + k)
            in_clip = (np.array([left, right, nose]) - (row.crop_x, row.crop_y)) * scale
            points68[k, 17:22], points68[k, 22:27], points68[k, 29:31] = in_clip[:, None]
            mesh[k, [129, 358], :2] = in_clip[2]
        for k in ABSENT.get(clip.clip_id, ()):
            mesh[k], points68[k] = np.nan, np.nan
        write_landmarks(folder / f"{clip.clip_id}.npz", Landmarks.of(mesh, points68))


def make(video: RecutVideo, folder: Path, landmarks: Path) -> None:
    make_latentsync(
        video.media, video.clips, video.clips_manifest, video.sync, landmarks,
        folder, folder.with_suffix(".csv"), proxy=video.proxy, size=256, encoding=ENCODING,
    )  # fmt: skip


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> RecutVideo:
    made = RecutVideo(tmp_path_factory.mktemp("latentsync"), "syncnet")
    write_points(made, made.results / "landmarks")
    make(made, made.results / "latentsync", made.results / "landmarks")
    return made


def maps_of(video: RecutVideo, name: str) -> np.ndarray:
    """(N, 2, 3) of the table, by its columns' names."""
    table = read_frame(video.results / f"latentsync/{name}.csv")
    rows = table[["xx", "xy", "x0", "yx", "yy", "y0"]].to_numpy()
    return rows.reshape(-1, 2, 3)


def test_a_film_shows_the_clip_s_frames_where_the_table_says(video: RecutVideo) -> None:
    for clip, row in zip(video.clips, video.rows, strict=True):
        pictures = decode_pictures(video.results / f"latentsync/{clip.clip_id}.mp4")
        maps = maps_of(video, clip.clip_id)
        assert len(pictures) == len(maps) == clip.n_frames
        for k, ((_, picture), matrix) in enumerate(zip(pictures, maps, strict=True)):
            assert picture.shape == (256, 256, 3)
            numbers = read_tiles(picture, matrix)
            assert set(numbers) == {shown_at(FILM, row.start_frame + k)}


def test_the_face_is_aligned_in_every_frame(video: RecutVideo) -> None:
    """The template's brows and nose, 17, 20 and so on in a box of 75 x 100, but for what is left
    where the face has another shape, which is the same in all frames."""
    template = np.array([[17, 20], [58, 20], [37.5, 40]]) / [75, 100] * 256
    name = "v_000060_000130_01"
    places = np.array(
        [face_at(1, 60 + k) @ m[:, :2].T + m[:, 2] for k, m in enumerate(maps_of(video, name))]
    )
    assert np.abs(places - template).max() < 8
    assert np.ptp(places, axis=0).max() < 1.5


def test_points_of_a_few_frames_come_from_those_beside(video: RecutVideo) -> None:
    name = "v_000010_000090_00"
    table, maps = read_frame(video.results / f"latentsync/{name}.csv"), maps_of(video, name)
    assert table.present.tolist() == [int(k not in ABSENT[name]) for k in range(80)]
    before, after = face_at(0, 10 + 29), face_at(0, 10 + 33)
    # The corrections of these frames differ by less than a pixel.
    middle = (before + after) / 2 @ maps[31, :, :2].T + maps[31, :, 2]
    beside = before @ maps[29, :, :2].T + maps[29, :, 2]
    assert middle == pytest.approx(beside, abs=1)


def test_the_measures(video: RecutVideo) -> None:
    table = read_frame(video.results / "latentsync.csv").set_index("clip_id")
    assert table.longest_gap.to_dict() == {
        "v_000010_000090_00": 3, "v_000010_000060_01": 50, "v_000060_000130_01": 0,
    }  # fmt: skip
    assert table.face_width["v_000010_000090_00"] == 150
    assert table.face_height["v_000060_000130_01"] == 170
    assert table.sync_offset.tolist() == video.rows.offset.tolist()
    # The ratio of the spreads of template and face, then the stretch to the square.
    template = np.array([[17, 20], [58, 20], [37.5, 40]]) * 2.8
    ratios = [
        np.linalg.norm(template - template.mean(axis=0)) / np.linalg.norm(face - face.mean(axis=0))
        for face in (face_at(1, 60 + k) for k in range(70))
    ]
    expected = np.median(ratios) * np.sqrt(256 / 210 * 256 / 280)
    assert table.enlargement["v_000060_000130_01"] == pytest.approx(expected, rel=1e-3)


def test_a_clip_without_any_face_is_made_of_its_boxes_and_then_left_out(video: RecutVideo) -> None:
    maps = maps_of(video, "v_000010_000060_01")
    x, y = np.array([80, 205]) @ maps[0, :, :2].T + maps[0, :, 2]
    assert 64 < x < 192 and 32 < y < 192


def test_the_padding_is_the_reader_s_grey() -> None:
    """127 of 255 in RGB; BT.601 and later have 16 for black, 235 for white."""
    luma, blue, red = PADDING
    assert (luma - 16) / 219 * 255 == pytest.approx(127, abs=0.6)
    assert (blue, red) == (128, 128)


def test_landmarks_of_another_length(video: RecutVideo, tmp_path: Path) -> None:
    write_points(video, tmp_path / "landmarks")
    path = tmp_path / "landmarks/v_000060_000130_01.npz"
    short = Landmarks.of(np.zeros((69, 478, 3), np.float32), np.zeros((69, 68, 2), np.float32))
    write_landmarks(path, short)
    with pytest.raises(ValueError, match="69 frames, but the clip has 70"):
        make(video, tmp_path / "latentsync", tmp_path / "landmarks")
    assert not (tmp_path / "latentsync").exists()
