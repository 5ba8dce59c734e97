"""VoxCeleb2's folders, metafiles and crops."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.export_stage import write_stage
from helpers.recut_video import ENCODING, FILM, RecutVideo, face_box
from helpers.small_results import CLIPS, write_dataset
from helpers.synthetic import decode_pictures, shown_at
from helpers.tables import read_frame
from helpers.tiled import SOURCE, read_tiles
from talkingface.exports.clips import folder_name
from talkingface.exports.export import make_export
from talkingface.exports.voxceleb import make_voxceleb

SHORT, ONE, OTHER = CLIPS  # 60, 90 and 170 frames
MEASURES = {"face_size": 180.5, "outside_share": 0, "sync_offset": 3, "sync_confidence": 5.1234}
WHO = folder_name(OTHER.identity)


def export(results: Path, **changed: dict) -> Path:
    write_stage(results, "voxceleb", MEASURES, {clip: dict(to) for clip, to in changed.items()})
    folder = results / "exports/voxceleb"
    make_export("voxceleb", results, folder, {})
    return folder


def test_the_folders_are_those_of_voxceleb2(results: Path) -> None:
    folder = export(results)
    segments = ("alice/talk1/000100_00", f"{WHO}/talk2/000025_00")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        *(f"{segment}.{suffix}" for segment in segments for suffix in ("mp4", "wav", "txt")),
        "train.txt", "eval.txt", "train_list.txt", "eval_list.txt", "skipped.csv", "export.json",
    }  # fmt: skip
    for clip, segment in zip((ONE, OTHER), segments, strict=True):
        assert (folder / f"{segment}.mp4").read_text() == f"film of {clip.clip_id}"
        wav = results / f"clips/{clip.video}/{clip.clip_id}.wav"
        assert (folder / f"{segment}.wav").samefile(wav)


def test_the_lists_are_of_either_side(results: Path) -> None:
    """clovaai/voxceleb_trainer splits a line at blanks: who, and the path of the sound."""
    folder = export(results)
    for side, who, segment in (
        ("train", "alice", "alice/talk1/000100_00"),
        ("eval", WHO, f"{WHO}/talk2/000025_00"),
    ):
        assert (folder / f"{side}_list.txt").read_text() == f"{who} {segment}.wav\n"
        assert (folder / f"{side}.txt").read_text() == f"{segment}.mp4\n"
        assert (folder / f"{segment}.wav").exists() and (folder / f"{segment}.mp4").exists()


def test_the_metafile_is_voxceleb2_s(results: Path) -> None:
    """As in its own: a tab after every colon, a blank before every tab and at the lines' ends."""
    text = (export(results) / "alice/talk1/000100_00.txt").read_text()
    assert text.startswith(
        "Identity  : \talice\nReference : \ttalk1\nOffset    : \t3\nFV Conf   : \t\n"
        "ASD Conf  : \t5.123\n\nFRAME \tX \tY \tW \tH \n000100 \t0.000 \t0.000 \t0.000 \t0.000 \n"
        "000101 \t1.000 \t1.000 \t1.000 \t1.000 \n"
    )
    assert text.endswith("000189 \t89.000 \t89.000 \t89.000 \t89.000 \n")


def test_a_metafile_is_read_as_public_readers_do(results: Path) -> None:
    path = export(results) / "alice/talk1/000100_00.txt"
    # AliaksandrSiarohin/video-preprocessing.
    table = pd.read_csv(path, sep="\t", skiprows=6)
    assert table["FRAME "].tolist() == list(range(100, 190))
    assert table["X "].tolist() == table["H "].tolist() == list(range(90))
    # StelaBou/voxceleb_preprocessing.
    header, lines = path.read_text().strip().split("\n\n")
    first = lines.split("\n")[1].split("\t")
    assert [int(first[0]), *map(float, first[1:])] == [100, 0, 0, 0, 0]
    assert [line.split("\t", maxsplit=1)[1] for line in header.split("\n")][:3] == [
        "alice", "talk1", "3",
    ]  # fmt: skip


def test_what_was_not_measured_is_empty(results: Path) -> None:
    unknown = {"sync_offset": None, "sync_confidence": None}
    folder = export(results, **{ONE.clip_id: unknown})
    lines = (folder / "alice/talk1/000100_00.txt").read_text().split("\n")
    assert lines[2:5] == ["Offset    : \t", "FV Conf   : \t", "ASD Conf  : \t"]


def test_what_is_too_short_or_too_small_is_skipped(results: Path) -> None:
    folder = export(results, **{OTHER.clip_id: {"face_size": 50}})
    table = read_frame(folder / "skipped.csv")
    assert table.clip_id.tolist() == [SHORT.clip_id, OTHER.clip_id]
    assert table.condition.tolist() == ["frames", "mean longer side of the face (px)"]
    assert table.measured.astype(str).tolist() == ["60", "50"]
    assert table.needed.tolist() == ["75", "more than 50"]
    assert (folder / "eval.txt").read_text() == ""
    assert json.loads((folder / "export.json").read_text())["clips"] == 1


def test_other_clips_change_no_names(results: Path) -> None:
    folder = export(results)
    write_dataset(results, CLIPS[1:2])
    make_export("voxceleb", results, folder, {})
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.mp4")] == [
        "alice/talk1/000100_00.mp4"
    ]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> RecutVideo:
    made = RecutVideo(tmp_path_factory.mktemp("voxceleb"), "syncnet")
    make_voxceleb(
        made.media, made.clips, made.clips_manifest, made.sync,
        made.results / "voxceleb/v", made.results / "voxceleb/v.csv",
        proxy=made.proxy, encoding=ENCODING,
    )  # fmt: skip
    return made


def test_a_film_follows_the_face_frame_by_frame(video: RecutVideo) -> None:
    for clip, row in zip(video.clips, video.rows, strict=True):
        boxes = read_frame(video.results / f"voxceleb/v/{clip.clip_id}.csv")
        pictures = decode_pictures(video.results / f"voxceleb/v/{clip.clip_id}.mp4")
        assert len(pictures) == len(boxes) == row.n_frames
        assert boxes.source_frame.tolist() == list(range(row.start_frame, row.end_frame))
        for (_, picture), box in zip(pictures, boxes.itertuples(), strict=True):
            assert picture.shape == (224, 224, 3)
            left, top = box.x * SOURCE[0], box.y * SOURCE[1]
            side = box.w * SOURCE[0]
            assert box.h * SOURCE[1] == pytest.approx(side)
            zoom = 224 / side
            to_film = np.array([[zoom, 0, -left * zoom], [0, zoom, -top * zoom]])
            numbers = read_tiles(picture, to_film)
            assert len(numbers) >= 2
            assert set(numbers) == {shown_at(FILM, box.source_frame)}
            # TalkingVideo: 1.4 half sides of the face around its centre, smoothed over 13 frames.
            x, y, w, h = face_box(row.track, box.source_frame)
            assert side == pytest.approx(1.4 * max(w, h), abs=0.02)
            assert left + side / 2 == pytest.approx(x + w / 2, abs=6.1)
            assert top + side / 2 == pytest.approx(y + h / 2, abs=2)


def test_what_lies_outside_the_picture_is_grey(video: RecutVideo) -> None:
    """The face at the left edge, whose square begins 39 pixels beside the picture."""
    (_, picture) = decode_pictures(video.results / "voxceleb/v/v_000010_000060_01.mp4")[20]
    outside = int(39 / 238 * 224) - 2
    assert np.abs(picture[:, :outside].astype(int) - 110).max() <= 6
    assert np.abs(picture[:, outside + 4 :].astype(int) - 110).mean() > 60


def test_the_measures(video: RecutVideo) -> None:
    table = read_frame(video.results / "voxceleb/v.csv")
    assert table.clip_id.tolist() == [clip.clip_id for clip in video.clips]
    by_track = {row.clip_id: row.track for row in video.rows}
    for row in table.itertuples():
        track = by_track[row.clip_id]
        assert row.face_size == pytest.approx((180, 170)[track])
        # Its centre stands 80 pixels from the edge, half a square is 119; the square ends at 324.
        assert row.outside_share == pytest.approx((0, 39 / 238)[track], abs=1e-6)
        assert row.outside_share >= 0
        assert (row.sync_offset, row.sync_confidence) == ((2, -3)[track], 4.5)
