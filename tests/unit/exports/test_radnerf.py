"""Scenes of RAD-NeRF and its kind: names, numbers and cameras as their readers want them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.small_results import CLIPS, FOCAL, SCALE, SIZE, SOURCE, labels, write_dataset
from helpers.synthetic import read_number
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.exports.radnerf import make_radnerf
from talkingface.exports.table import check_exports
from talkingface.faces.face_model import CANONICAL
from talkingface.faces.landmark_files import Landmarks, read_landmarks, read_text, write_landmarks
from talkingface.media.clip_files import read_clips
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError

NAMES = [clip.clip_id for clip in CLIPS]
# The mean face around the mean of its vertices, metres.
MESH = (CANONICAL - CANONICAL.mean(axis=0)) / 100


def make_stage(results: Path, video: str) -> None:
    make_radnerf(
        read_clips(results / f"clips/{video}", results / f"clips/{video}.csv"),
        results / f"landmarks/{video}",
        results / f"parsing/{video}",
        results / f"background/{video}",
        results / f"radnerf/{video}",
        results / f"radnerf/{video}.csv",
        source_size_at=lambda frame: SOURCE,
        focal=FOCAL / SOURCE[0],
        quality=95,
        threads=2,
    )


def export(results: Path) -> Path:
    folder = results / "exports/radnerf"
    make_export("radnerf", results, folder, {"quality": 95})
    return folder


@pytest.fixture(scope="module")
def staged(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = Path(shutil.copytree(finished, tmp_path_factory.mktemp("radnerf") / "results"))
    for video in ("talk1", "talk2"):
        (results / "radnerf").mkdir(exist_ok=True)
        make_stage(results, video)
    return results


@pytest.fixture(scope="module")
def scenes(staged: Path) -> Path:
    """The export as it is made of the small dataset."""
    return export(staged)


@pytest.fixture
def own(staged: Path, tmp_path: Path) -> Path:
    """Results with the stage's outputs that a test may change."""
    copy = shutil.copytree(staged, tmp_path / "own", ignore=shutil.ignore_patterns("exports"))
    return Path(copy)


def cameras(scene: Path) -> dict[int, np.ndarray]:
    """The matrices of both lists by the picture's number."""
    frames = [
        frame
        for name in ("train", "val")
        for frame in json.loads((scene / f"transforms_{name}.json").read_text())["frames"]
    ]
    assert all(frame["img_id"] == frame["aud_id"] for frame in frames)
    return {frame["img_id"]: np.array(frame["transform_matrix"]) for frame in frames}


@pytest.mark.parametrize("clip", CLIPS, ids=NAMES)
def test_a_scene_has_the_files_that_its_readers_open(scenes: Path, clip) -> None:
    n = clip.n_frames
    for name, ending in ((clip.clip_id, "_face.png"), (f"talkinggaussian/{clip.clip_id}", "")):
        there = {p.relative_to(scenes / name).as_posix() for p in (scenes / name).rglob("*.*")}
        pictures = {f"{folder}/{k}.jpg" for folder in ("ori_imgs", "gt_imgs") for k in range(n)}
        pictures |= {f"{folder}/{k}.png" for folder in ("torso_imgs", "parsing") for k in range(n)}
        if ending:
            pictures |= {f"parsing/{k}{ending}" for k in range(n)}
        assert there == pictures | {f"ori_imgs/{k}.lms" for k in range(n)} | {
            "aud.wav", "audio.wav", "bc.jpg", "expression.csv", f"{clip.clip_id}.mp4",
            "transforms_train.json", "transforms_val.json",
        }  # fmt: skip


def test_files_of_the_dataset_are_links(scenes: Path, staged: Path) -> None:
    name = f"talk1/{NAMES[0]}"
    for made, source in (
        ("aud.wav", f"clips/{name}.wav"),
        (f"{NAMES[0]}.mp4", f"clips/{name}.mp4"),
        ("torso_imgs/0.png", f"torso/{name}/000001.png"),
        ("torso_imgs/59.png", f"torso/{name}/000060.png"),
        ("expression.csv", f"expression/{name}.csv"),
    ):
        assert (scenes / NAMES[0] / made).samefile(staged / source)
    for name, side in zip(NAMES, ("train", "train", "eval"), strict=True):
        assert name in (scenes / f"{side}.txt").read_text().split()
    assert len(read_frame(scenes / "skipped.csv")) == 0


@pytest.mark.parametrize("clip", CLIPS, ids=NAMES)
def test_the_first_ten_of_eleven_parts_are_trained_on(scenes: Path, clip) -> None:
    split = int(clip.n_frames * 10 / 11)  # data_utils/process.py
    for name, expected in (("train", range(split)), ("val", range(split, clip.n_frames))):
        record = json.loads((scenes / clip.clip_id / f"transforms_{name}.json").read_text())
        assert [frame["img_id"] for frame in record["frames"]] == list(expected)
        # The readers take twice these for the size of the pictures.
        assert (record["cx"], record["cy"]) == (SIZE / 2, SIZE / 2)
        assert record["focal_len"] == pytest.approx(FOCAL * SCALE)


@pytest.mark.parametrize("clip", CLIPS, ids=NAMES)
def test_the_mesh_is_projected_to_where_it_is_in_the_pictures(scenes: Path, clip) -> None:
    """Within 2 pixels of a picture of 512, by the projection of data_utils/face_tracking."""
    worst = 0.0
    for k, matrix in cameras(scenes / clip.clip_id).items():
        camera = np.linalg.inv(matrix)
        x, y, z = camera[:3, :3] @ MESH.T + camera[:3, 3:]
        focal = FOCAL * SCALE
        pixels = np.stack([SIZE / 2 - focal * x / z, SIZE / 2 + focal * y / z], axis=1)
        away = np.linalg.norm(pixels - clip.points[k, :468, :2], axis=1) * 512 / SIZE
        worst = max(worst, float(away.max()))
    assert worst < 2


def test_the_readers_rays_go_through_the_face(scenes: Path) -> None:
    """By what the readers do: the axes of nerf_matrix_to_ngp, rays through pixel centres."""
    clip, scale = CLIPS[2], 4.0
    points = MESH[:, [1, 2, 0]] * scale  # y, z, x
    for k, m in list(cameras(scenes / clip.clip_id).items())[::20]:
        rows = m[[1, 2, 0]]
        turn = np.column_stack([rows[:, 0], -rows[:, 1], -rows[:, 2]])
        origin = rows[:, 3] * scale
        u, v = clip.points[k, :468, :2].T  # a pixel's centre is at its index and a half
        focal = FOCAL * SCALE
        rays = np.stack([(u - SIZE / 2) / focal, (v - SIZE / 2) / focal, np.ones(468)], axis=1)
        rays = rays @ turn.T / np.linalg.norm(rays, axis=1, keepdims=True)
        along = ((points - origin) * rays).sum(axis=1, keepdims=True)
        beside = np.linalg.norm(points - origin - along * rays, axis=1)
        assert (along > 0).all()
        assert beside.max() / scale < 0.001  # metres
        # The head is inside of the box that is rendered, the camera outside.
        assert np.abs(points).max() < 1 < np.linalg.norm(origin)


def test_points_fall_into_the_pixels_of_the_dataset_s_text(scenes: Path, staged: Path) -> None:
    for clip in CLIPS:
        text, _ = read_text(staged / f"landmarks/{clip.video}/{clip.clip_id}.txt")
        for k in (0, clip.n_frames - 1):
            points = np.loadtxt(scenes / clip.clip_id / f"ori_imgs/{k}.lms")
            assert points.shape == (68, 2)
            np.testing.assert_array_equal(points.astype(int), text[k])


def test_pictures_are_the_person_before_the_clean_background(scenes: Path) -> None:
    scene, clip = scenes / NAMES[1], CLIPS[1]
    background = labels() == 0
    inside = cv2.erode((~background).astype(np.uint8), np.ones((17, 17))) > 0
    outside = cv2.erode(background.astype(np.uint8), np.ones((17, 17))) > 0
    for k in (0, 40, 89):
        original = cv2.imread(str(scene / f"ori_imgs/{k}.jpg")).astype(int)
        made = cv2.imread(str(scene / f"gt_imgs/{k}.jpg")).astype(int)
        assert read_number(original.astype(np.uint8)) == clip.start + k
        assert np.abs(made - original)[inside].mean() < 2
        assert np.abs(made[outside] - (200, 90, 30)).max() < 8
    plate = cv2.imread(str(scene / "bc.jpg"))
    assert plate.shape == (SIZE, SIZE, 3)
    assert np.abs(plate.astype(int) - (200, 90, 30)).max() < 4


def test_parsing_is_in_the_colours_of_each_reader(scenes: Path) -> None:
    known = labels()
    one = cv2.imread(str(scenes / NAMES[0] / "parsing/7.png"), cv2.IMREAD_UNCHANGED)
    two = cv2.imread(
        str(scenes / f"talkinggaussian/{NAMES[0]}/parsing/7.png"), cv2.IMREAD_UNCHANGED
    )
    colours = {0: (255, 255, 255), 1: (255, 0, 0), 14: (0, 255, 0), 16: (0, 0, 255)}
    for label, colour in colours.items():
        assert (one[known == label] == colour).all()
        assert (two[known == label] == colour).all()
    assert (one[known == 17] == (255, 0, 0)).all()
    assert (two[known == 17] == 0).all()
    torso = cv2.imread(str(scenes / NAMES[0] / "torso_imgs/7.png"), cv2.IMREAD_UNCHANGED)
    assert torso.shape == (SIZE, SIZE, 4)


def test_speech_has_two_rows_a_frame_of_the_last_state_kept(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert not (export(own) / NAMES[0] / "aud_hu.npy").exists()
    assert "1024 channels are needed; its model has 16" in caplog.text
    for clip in CLIPS:
        states = np.zeros((3, 2 * clip.n_frames, 1024), np.float16)
        states[2] = np.arange(2 * clip.n_frames)[:, None] + np.arange(1024) / 2048
        np.save(own / f"hubert/{clip.video}/{clip.clip_id}.npy", states)
    speech = np.load(export(own) / NAMES[0] / "aud_hu.npy")
    assert (speech.shape, speech.dtype) == ((60, 2, 1024), np.float32)
    np.testing.assert_allclose(speech[:, 0, 0], 2 * np.arange(60))
    np.testing.assert_allclose(speech[:, 1, 0], 2 * np.arange(60) + 1)
    assert speech[3, 1, 512] == 7.25


def test_features_that_are_not_made_are_left_out(own: Path) -> None:
    write_dataset(own, CLIPS, ("landmarks", "parsing", "background", "torso"))
    scene = export(own) / NAMES[0]
    assert not (scene / "aud_hu.npy").exists()
    assert not (scene / "expression.csv").exists()
    assert (scene / "gt_imgs/59.jpg").exists()


def lose_a_face(results: Path) -> None:
    path = results / f"landmarks/talk1/{NAMES[0]}.npz"
    marks = read_landmarks(path)
    points, points68 = marks.points.copy(), marks.points68.copy()
    points[20], points68[20] = np.nan, np.nan
    write_landmarks(path, Landmarks.of(points, points68))


def lose_all_faces(results: Path) -> None:
    path = results / f"landmarks/talk1/{NAMES[0]}.npz"
    marks = read_landmarks(path)
    nothing = np.full_like(marks.points, np.nan)
    write_landmarks(path, Landmarks.of(nothing, nothing[:, :68, :2]))


def move_lips_to_the_edge(results: Path) -> None:
    path = results / f"landmarks/talk1/{NAMES[0]}.npz"
    marks = read_landmarks(path)
    points68 = marks.points68.copy()
    points68[5, 48:60, 1] += 250 - points68[5, 48:60, 1].mean()
    write_landmarks(path, Landmarks.of(marks.points, points68))


def move_points_about(results: Path) -> None:
    path = results / f"landmarks/talk1/{NAMES[0]}.npz"
    marks = read_landmarks(path)
    noise = np.random.default_rng(0).normal(0, 4, marks.points.shape).astype(np.float32)
    write_landmarks(path, Landmarks.of(marks.points + noise, marks.points68))


@pytest.mark.parametrize(
    ("change", "condition"),
    [
        (lose_a_face, "frames without a face"),
        (lose_all_faces, "frames without a face"),
        (move_lips_to_the_edge, "from that square to the picture's edge (px)"),
        (move_points_about, "median error of the camera (px at 512)"),
    ],
)
def test_what_readers_would_fail_on_is_skipped(
    own: Path, change: Callable[[Path], None], condition: str
) -> None:
    change(own)
    shutil.rmtree(own / "radnerf/talk1")
    make_stage(own, "talk1")
    folder = export(own)
    skipped = read_frame(folder / "skipped.csv")
    assert set(skipped.clip_id) == {NAMES[0]}
    assert condition in set(skipped.condition)
    assert not (folder / NAMES[0]).exists()
    assert not (folder / "talkinggaussian" / NAMES[0]).exists()
    assert (folder / "train.txt").read_text().split() == [NAMES[1]]
    for path in (own / "radnerf/talk1").rglob("*"):
        if path.suffix in (".json", ".lms"):
            assert "nan" not in path.read_text().lower()
    made = cameras_of_stage(own)
    assert 20 not in made or change not in (lose_a_face, lose_all_faces)


def cameras_of_stage(results: Path) -> set[int]:
    lists = [results / f"radnerf/talk1/{NAMES[0]}_{name}.json" for name in ("train", "val")]
    return {f["img_id"] for path in lists for f in json.loads(path.read_text())["frames"]}


def test_a_crop_that_moves_and_a_lost_picture_are_skipped(own: Path) -> None:
    path = own / "dataset/clips.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace(",fixed,", ",follow,")
    path.write_text("\n".join(lines) + "\n")
    (own / f"torso/talk1/{NAMES[1]}/000033.png").unlink()
    skipped = read_frame(export(own) / "skipped.csv")
    assert sorted(skipped.to_numpy().tolist()) == [
        [NAMES[0], "crop", "follow", "fixed or none"],
        [NAMES[1], "files of torso", "89", "90"],
    ]


def test_it_is_refused_without_what_it_needs() -> None:
    config = check_config({"features": ["landmarks"], "clips": {"crop": "follow"}})
    with pytest.raises(ConfigError) as refused:
        check_exports(["radnerf"], config)
    assert "needs parsing, background, torso" in str(refused.value)
    assert "needs clips.crop: fixed or none, not follow" in str(refused.value)
