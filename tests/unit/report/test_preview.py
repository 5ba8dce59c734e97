"""The preview of a video: what is there of every candidate, and what it was judged by."""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from helpers.previews import box_rows, preview, put
from helpers.small_results import CLIPS, SIZE, SmallClip, face_boxes, make_small_results, row_of
from helpers.synthetic import number_picture, read_number
from talkingface import tables
from talkingface.faces.ibug68 import points68
from talkingface.job.files import DamagedFile
from talkingface.job.tables import (
    read_table,
    table_of_columns,
    write_table,
)
from talkingface.media.audio import write_wav
from talkingface.media.writer import VideoWriter
from talkingface.report.files import preview_files
from talkingface.report.strip import PICTURES, SIDE
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.shots.timeline import Picture

N_FRAMES = 320
REJECTED = "talk1_000200_000300_01"
SHIFT = 2  # frames by which the sound of talk1's second clip was delayed


def detail(results: Path, clip: str, video: str = "talk1") -> dict[str, Any]:
    """What the page is given: the script is run as far as Python can."""
    script = (results / f"preview/{video}/{clip}.js").read_text("ascii")
    found = re.fullmatch(r'talkingface\.receive\((".*?"),JSON\.parse\((".*")\)\);\n', script)
    assert found and json.loads(found[1]) == clip
    return json.loads(json.loads(found[2]))


def numbers(results: Path, clip: str, video: str = "talk1") -> list[int]:
    strip = cv2.imread(str(results / f"preview/{video}/{clip}.jpg"))
    assert strip.shape == (SIDE, PICTURES * SIDE, 3)
    return [read_number(part) for part in np.split(strip, PICTURES, axis=1)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """talk1: two kept clips, a rejected stretch beside a gap, and a small copy of the video in
    which a frame shows its number all over the square around the rejected face."""
    results = make_small_results(tmp_path_factory.mktemp("made") / "results")
    clips = [clip for clip in CLIPS if clip.video == "talk1"]
    shifts = {clip.clip_id: 640 * SHIFT * (clip.start > 0) for clip in clips}
    common = {"scene": 0, "speech_share": 1.0, "offset": 0}
    put(results, tables.CLIPS, [
        row_of(clip) | common | {"track": 0, "audio_shift": shifts[clip.clip_id]} for clip in clips
    ])  # fmt: skip
    rejected = {
        "clip_id": REJECTED, "video_id": "talk1", "track": 1, "start_frame": 200,
        "end_frame": 300, "n_frames": 100, "verdict": "rejected", "stage": "sync",
        "reason": "other_speaks",
    }  # fmt: skip
    gap = {"video_id": "talk1", "start_frame": 300, "end_frame": 320, "reason": "gap"}
    kept = [row_of(clip) | {"track": 0, "verdict": "kept"} for clip in clips]
    put(results, tables.SEGMENTS, [*kept, rejected, gap | {"verdict": "rejected"}])
    own = [(np.arange(c.start, c.start + c.n_frames), face_boxes(c)) for c in clips]
    # 80 pixels of the copy, of which a pixel is 4 of the source.
    still = np.tile([400.0, 200.0, 160.0, 200.0], (100, 1))
    third = (np.arange(240, 260), np.tile([900.0, 200.0, 100.0, 100.0], (20, 1)))
    found = [*(box_rows(0, *rows) for rows in own), box_rows(1, np.arange(200, 300), still)]
    put(results, tables.TRACKS, np.concatenate([*found, box_rows(2, *third)]).view(np.recarray))
    heard = {"frame": np.arange(N_FRAMES), "probability": np.arange(N_FRAMES) / 1000}
    put(results, tables.SPEECH, table_of_columns(tables.SPEECH, heard))
    judged = {"offset": 0, "trusted": 0, "backend": "mesh", "confidence": 0.1, "probability": 0.5}
    put(results, tables.SYNC, [judged | {"track": n} for n in (0, 1, 2)])
    of_frames = np.concatenate([
        table_of_columns(tables.SYNC_FRAMES, {
            "track": n, "frame": frames, "score": 0.1, "probability": frames / 1000,
            "opening": (frames % 7) / 10,
        })
        for n, frames in ((0, np.concatenate([own[0][0], own[1][0]])), (1, np.arange(200, 300)),
                          (2, third[0]))
    ])  # fmt: skip
    put(results, tables.SYNC_FRAMES, of_frames.view(np.recarray))
    for clip in clips:
        frames = np.arange(0, clip.n_frames, 5)
        sharpness = 200 - (frames == 20) * 100.0
        table = table_of_columns(tables.QUALITY_FRAMES, {
            "frame": frames, "present": 1, "at_border": frames == 35, "brightness": 100 + frames,
            "sharpness": sharpness, "hand_overlap": 0.0,
        })  # fmt: skip
        path = results / f"quality/talk1/{clip.clip_id}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(table, path, tables.QUALITY_FRAMES)
    (results / "proxy").mkdir()
    with VideoWriter(
        results / "proxy/talk1.mp4", 320, 180, preset="ultrafast", crf=18, sound=None
    ) as writer:
        for k in range(N_FRAMES):
            image = np.full((180, 320, 3), 60, np.uint8)
            image[35:115, 80:160] = number_picture(k, (80, 80))
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            writer.write(frame.reformat(format="yuv420p"))
    sound = np.repeat(np.arange(N_FRAMES, dtype=np.int16) * 64, 640)
    write_wav(results / "proxy/talk1.wav", sound, 16_000)
    size = Picture(0, 1280, 720, 320, 180)
    write_proxy(Proxy("ok", None, N_FRAMES, (size,), (320, 180)), results / "proxy/talk1.json")
    preview(results)
    return results


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "results"))


def test_every_candidate_has_its_files_and_its_row(made: Path) -> None:
    names = [*(clip.clip_id for clip in CLIPS[:2]), REJECTED]
    files = {f"{name}{suffix}" for name in names for suffix in (".jpg", ".js")}
    assert {path.name for path in (made / "preview/talk1").iterdir()} == {
        *files, f"{REJECTED}.why.jpg",
    }  # fmt: skip
    table = read_table(made / "preview/talk1.csv", tables.PREVIEW)
    assert table.clip_id.tolist() == names
    assert table.n_frames.tolist() == [60, 90, 100]
    assert set(table.pictures) == {PICTURES}
    assert table.alone.tolist() == [1, 1, 0]
    assert set(table.judged) == {1}
    # The most likely frame of the other face is its last.
    assert np.array_equal(table.cause_frame, [np.nan, np.nan, 259], equal_nan=True)


def test_what_is_there_is_what_the_table_says(made: Path, copied: Path) -> None:
    """By which what is gone is found, with the small copy and without."""
    for results in (made, copied):
        if results == copied:
            shutil.rmtree(results / "proxy")
            preview(results)
        files = sorted(path.name for path in (results / "preview/talk1").iterdir())
        assert sorted(preview_files(results / "preview/talk1.csv")) == files


def test_strips_show_the_middles_of_ten_parts(made: Path) -> None:
    assert numbers(made, CLIPS[0].clip_id) == list(range(3, 60, 6))
    assert numbers(made, CLIPS[1].clip_id) == [100 + k for k in range(4, 90, 9)]
    assert numbers(made, REJECTED) == list(range(205, 300, 10))


def test_the_worst_frames_of_a_clip(made: Path) -> None:
    row = read_table(made / "preview/talk1.csv", tables.PREVIEW)[0]
    found = {name: row[name] for name in row.dtype.names if name.endswith("_frame")}
    angles = abs(CLIPS[0].angles.astype(np.float32))
    wanted = {
        "sharpness_frame": 20, "dark_frame": 0, "bright_frame": 55, "border_frame": 35,
        "yaw_frame": angles[:, 0].argmax(), "pitch_frame": angles[:, 1].argmax(),
        "roll_frame": angles[:, 2].argmax(),
    }  # fmt: skip
    assert {name: frame for name, frame in found.items() if not np.isnan(frame)} == wanted


@pytest.mark.parametrize("clip", CLIPS[:2])
def test_curves_of_a_clip_go_with_the_clip(made: Path, clip: SmallClip) -> None:
    found = detail(made, clip.clip_id)
    grid = np.arange(clip.start, clip.start + clip.n_frames)
    heard = grid - SHIFT * (clip.start > 0)
    assert (found["clip_id"], found["n_frames"]) == (clip.clip_id, clip.n_frames)
    assert (found["width"], found["height"]) == (SIZE, SIZE)
    assert np.allclose(found["speech"], heard / 1000, atol=0.0051)
    assert np.allclose(found["opening"], (grid % 7) / 10)
    assert np.allclose(found["probability"], grid / 1000, atol=0.0051)
    assert found["score"] == [0.1] * clip.n_frames
    shown = np.array([found[name] for name in ("yaw", "pitch", "roll")]).T
    assert np.allclose(shown, clip.angles, atol=0.051)
    points = np.frombuffer(base64.b64decode(found["points68"]), "<u2").reshape(-1, 68, 2)
    assert abs(points / 8 - points68(clip.points)).max() <= 1 / 16 + 1e-3
    boxes = np.frombuffer(base64.b64decode(found["boxes"]), "<i2").reshape(-1, 4)
    xy = clip.points[..., :2]
    wanted = np.concatenate([xy.min(axis=1), np.ptp(xy, axis=1)], axis=1)
    assert abs(boxes / 8 - wanted).max() < 0.1
    sound = np.frombuffer(base64.b64decode(found["sound"]), np.int8).reshape(-1, 2)
    assert len(sound) == 4 * clip.n_frames
    (loud,) = np.nonzero(sound[:, 1] > 50)
    assert loud.tolist() == list(range(0, 4 * clip.n_frames, 40))


def test_curves_of_what_is_no_clip_are_on_the_video_s_clock(made: Path) -> None:
    found = detail(made, REJECTED)
    grid = np.arange(200, 300)
    assert np.allclose(found["speech"], grid / 1000, atol=0.0051)
    assert np.allclose(found["opening"], (grid % 7) / 10)
    sound = np.frombuffer(base64.b64decode(found["sound"]), np.int8).reshape(100, 4, 2)
    assert (abs(sound - grid[:, None, None] / 4) <= 0.5).all()
    for name in ("yaw", "pitch", "roll", "points68", "boxes"):
        assert found[name] is None


def test_without_the_copy_only_its_pictures_and_sound_are_missing(copied: Path) -> None:
    before = read_table(copied / "preview/talk1.csv", tables.PREVIEW)
    shutil.rmtree(copied / "proxy")
    table = preview(copied)
    assert table.pictures.tolist() == [PICTURES, PICTURES, 0]
    assert [
        n for n in tables.PREVIEW.names if (table[n] != before[n])[table[n] == table[n]].any()
    ] == ["pictures"]
    names = {path.name for path in (copied / "preview/talk1").iterdir()}
    assert f"{REJECTED}.js" in names
    assert not {f"{REJECTED}.jpg", f"{REJECTED}.why.jpg"} & names
    found = detail(copied, REJECTED)
    assert found["sound"] is None and len(found["speech"]) == 100


@pytest.mark.parametrize("backend", ["none", "syncnet"])
def test_where_sync_measures_no_opening_clips_have_it_of_their_landmarks(
    copied: Path, backend: str
) -> None:
    if backend == "none":
        for table in (tables.SYNC, tables.SYNC_FRAMES):
            put(copied, table, [])
    else:
        frames = read_table(copied / "sync/talk1.frames.csv", tables.SYNC_FRAMES)
        frames.opening = np.nan
        put(copied, tables.SYNC_FRAMES, frames)
    table = preview(copied)
    points = CLIPS[0].points.astype(float)
    nose = np.linalg.norm(points[:, 168] - points[:, 2], axis=1)
    opening = np.linalg.norm(points[:, 13] - points[:, 14], axis=1) / nose
    assert np.allclose(detail(copied, CLIPS[0].clip_id)["opening"], opening, atol=0.00051)
    assert detail(copied, REJECTED)["opening"] is None
    assert np.isnan(table.mouth_motion).all()
    assert set(table.judged) == {int(backend == "syncnet")}
    assert np.isnan(table.probability).all() == (backend == "none")


def test_of_a_wide_clip_the_face_is_shown(copied: Path) -> None:
    """As without a crop: the square around the face, as large as a clip cut out would be."""
    clip = CLIPS[0]
    path = copied / f"clips/talk1/{clip.clip_id}.mp4"
    with VideoWriter(path, 640, 360, preset="superfast", crf=18, sound=None) as writer:
        for k in range(clip.n_frames):
            image = np.zeros((360, 640, 3), np.uint8)
            image[100:228, 300:428] = number_picture(k, (128, 128))
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            writer.write(frame.reformat(format="yuv420p"))
    frames = {"frame": np.arange(60), "source_frame": np.arange(60), "x": 648.0, "y": 248.0}
    frames |= {"w": 160.0, "h": 160.0, "crop_x": 0, "crop_y": 0, "crop_w": 1280, "crop_h": 720}
    write_table(
        table_of_columns(tables.CLIP_FRAMES, frames),
        copied / f"clips/talk1/{clip.clip_id}.csv",
        tables.CLIP_FRAMES,
    )
    rows = read_table(copied / "clips/talk1.csv", tables.CLIPS)
    rows.width[0], rows.height[0] = 640, 360
    put(copied, tables.CLIPS, rows)
    preview(copied)
    assert numbers(copied, clip.clip_id) == list(range(3, 60, 6))
    found = detail(copied, clip.clip_id)
    boxes = np.frombuffer(base64.b64decode(found["boxes"]), "<i2").reshape(-1, 4)
    assert (boxes / 8 == (324, 124, 80, 80)).all()


def test_a_damaged_clip_is_named(copied: Path) -> None:
    path = copied / f"clips/talk1/{CLIPS[0].clip_id}.mp4"
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(DamagedFile, match=CLIPS[0].clip_id):
        preview(copied)
    # What was there before is still there, whole.
    assert (copied / f"preview/talk1/{REJECTED}.jpg").exists()


def without_candidates(results: Path, reason: str, pictures: bool) -> np.recarray:
    """The preview of a video without any, which has pictures or not."""
    for stage in ("clips", "landmarks", "pose", "quality"):
        (results / stage / "w").mkdir(parents=True)
    put(results, tables.SEGMENTS, [{"video_id": "w", "verdict": "rejected", "reason": reason}], "w")
    for table in (tables.TRACKS, tables.SPEECH, tables.SYNC, tables.SYNC_FRAMES, tables.CLIPS):
        put(results, table, [], "w")
    for suffix in (".mp4", ".wav", ".json"):
        shutil.copy(results / f"proxy/talk1{suffix}", results / f"proxy/w{suffix}")
    if not pictures:
        (results / "proxy/w.mp4").write_bytes(b"")
        (results / "proxy/w.wav").write_bytes(b"")
        write_proxy(Proxy("no_audio", "no audio track"), results / "proxy/w.json")
    return preview(results, "w")


@pytest.mark.parametrize(("reason", "pictures"), [("no_face", True), ("no_audio", False)])
def test_a_video_without_candidates_is_shown_where_it_can_be(
    copied: Path, reason: str, pictures: bool
) -> None:
    assert len(without_candidates(copied, reason, pictures)) == 0
    files = [path.name for path in (copied / "preview/w").iterdir()]
    assert files == (["w.why.jpg"] if pictures else [])
    if pictures:
        image = cv2.imread(str(copied / "preview/w/w.why.jpg"))
        assert read_number(image[35:115, 80:160]) == N_FRAMES // 2
