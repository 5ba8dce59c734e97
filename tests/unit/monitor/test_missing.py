"""What is gone of a finished workspace."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from helpers.finished_results import finish_video, halve
from talkingface.job.tables import table_of_rows, write_table
from talkingface.monitor.missing import Missing, find_missing, read_clip_lengths
from talkingface.report.files import DATA_FILES, PAGE_FILES
from talkingface.stages import FEATURES, STAGES
from talkingface.tables import PREVIEW

CLIP = "v_000000_000004_00"
EXPORTS = [stage.name for stage in STAGES.values() if stage.export]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    results = tmp_path / "results"
    finish_video(results, "v", clips=2)
    finish_video(results, "empty", clips=0)
    return results


def found(
    results: Path,
    features: tuple[str, ...] = FEATURES,
    exports: Sequence[str] = EXPORTS,
    report: bool = True,
) -> Missing:
    return find_missing(results, ["v", "empty", "to_come"], features, exports, report=report)


def test_of_a_whole_workspace_nothing_is_missed(results: Path) -> None:
    assert found(results) == Missing([], {})
    assert found(results).describe() == ""


@pytest.mark.parametrize(
    ("manifest", "gone"),
    [
        ("clips/v.csv", f"clips/v/{CLIP}.mp4"),
        ("clips/v.csv", f"clips/v/{CLIP}.wav"),
        ("clips/v.csv", f"clips/v/{CLIP}.csv"),
        ("landmarks/v.csv", f"landmarks/v/{CLIP}.npz"),
        ("landmarks/v.csv", f"landmarks/v/{CLIP}.txt"),
        ("pose/v.csv", f"pose/v/{CLIP}.npy"),
        ("pose/v.csv", f"pose/v/{CLIP}.csv"),
        ("expression/v.csv", f"expression/v/{CLIP}.csv"),
        ("depth/v.csv", f"depth/v/{CLIP}.json"),
        ("depth/v.csv", f"depth/v/{CLIP}/000002.png"),
        ("parsing/v.csv", f"parsing/v/{CLIP}/000004.png"),
        ("background/v.csv", f"background/v/{CLIP}.png"),
        ("overlay/v.csv", f"overlay/v/{CLIP}.mp4"),
        ("quality/v.csv", f"quality/v/{CLIP}.csv"),
        ("hubert/v.csv", f"hubert/v/{CLIP}.npy"),
        ("preview/v.csv", f"preview/v/{CLIP}.jpg"),
        ("preview/v.csv", f"preview/v/{CLIP}.js"),
    ],
)
def test_a_file_of_a_clip_is_missed(results: Path, manifest: str, gone: str) -> None:
    (results / gone).unlink()
    assert found(results) == Missing([], {manifest: [gone]})
    assert found(results).describe() == f"missing, to be made: {gone}"


@pytest.mark.parametrize("stage", ["depth", "frames", "parsing", "torso"])
def test_a_folder_of_pictures_is_missed(results: Path, stage: str) -> None:
    shutil.rmtree(results / f"{stage}/v/{CLIP}")
    assert found(results).parts == {f"{stage}/v.csv": [f"{stage}/v/{CLIP}"]}


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES.values() if stage.clip_folder])
@pytest.mark.parametrize("video", ["v", "empty"])
def test_a_stage_s_folder_is_missed(results: Path, stage: str, video: str) -> None:
    shutil.rmtree(results / stage / video)
    assert found(results) == Missing([f"{stage}/{video}"], {})
    # Also before the video is finished.
    (results / "finished" / video).unlink()
    assert found(results) == Missing([f"{stage}/{video}"], {})


@pytest.mark.parametrize(
    "table",
    [
        *("videos/v.json", "scenes/v.csv", "tracks/v.csv", "speech/v.csv", "sync/v.csv"),
        *("sync/v.frames.csv", "segments/v.csv", "pose/v.csv", "mfcc/v.csv", "quality/v.csv"),
    ],
)
def test_a_table_of_a_finished_video_is_missed(results: Path, table: str) -> None:
    (results / table).unlink()
    assert found(results) == Missing([table], {})
    # What is not finished is planned as it is.
    (results / "finished/v").unlink()
    assert found(results) == Missing([], {})


def test_what_may_be_deleted_is_not_missed(results: Path) -> None:
    shutil.rmtree(results / "proxy")
    shutil.rmtree(results / "raw")
    assert found(results) == Missing([], {})


def test_what_is_not_asked_for_is_not_missed(results: Path) -> None:
    for feature in set(FEATURES) - {"landmarks", "pose"}:
        shutil.rmtree(results / feature)
    shutil.rmtree(results / "preview")
    assert found(results, ("landmarks",), [], report=False) == Missing([], {})
    # The torso is cut out by means of the parsing.
    outputs = set(found(results, ("torso",), [], report=False).outputs)
    assert outputs == {f"{name}/{v}.csv" for name in ("parsing", "torso") for v in ("v", "empty")}


def test_of_a_report_that_was_never_made_nothing_is_missed(results: Path) -> None:
    """The rule of the report asks for it."""
    shutil.rmtree(results / "preview")
    assert found(results) == Missing([], {})


@pytest.mark.parametrize("gone", [".js", ".jpg", ".why.jpg"])
def test_a_picture_of_what_was_rejected_is_missed(results: Path, gone: str) -> None:
    """Where there was one, also in a video without clips."""
    name, without = "empty_000000_000050_00", "empty_000050_000099_00"
    rows = [
        {"clip_id": name, "pictures": 10, "cause_frame": 7},
        {"clip_id": without, "pictures": 0, "cause_frame": 60},
    ]
    same = dict.fromkeys(("n_frames", "alone", "judged"), 0)
    table = table_of_rows(PREVIEW, [same | row for row in rows])
    write_table(table, results / "preview/empty.csv", PREVIEW)
    for path in (f"{name}.js", f"{name}.jpg", f"{name}.why.jpg", f"{without}.js"):
        (results / "preview/empty" / path).touch()
    assert found(results) == Missing([], {})
    (results / "preview/empty" / f"{name}{gone}").unlink()
    lacking = [f"preview/empty/{name}{gone}"]
    assert found(results) == Missing([], {"preview/empty.csv": lacking})
    assert found(results, report=False) == Missing([], {})


def test_a_part_of_the_report_is_missed(results: Path) -> None:
    names = (*PAGE_FILES, *DATA_FILES)
    (results / "report/data").mkdir(parents=True)
    for name in names:
        (results / "report" / name).touch()
    assert found(results) == Missing([], {})
    (results / "report/data/run.js").unlink()
    assert found(results) == Missing([], {"report": ["report/data/run.js"]})
    assert found(results, report=False) == Missing([], {})


def test_times_that_a_copy_did_not_keep_are_no_reason(results: Path) -> None:
    for folder in results.rglob(CLIP):
        os.utime(folder)
    assert found(results) == Missing([], {})


def test_a_damaged_list_of_clips_stops_nobody(results: Path) -> None:
    (results / f"pose/v/{CLIP}.npy").unlink()
    for content in (b"", b"\xff\xfe\0", b"<html>", b"clip_id,n_frames\nx,y\n"):
        (results / "clips/v.csv").write_bytes(content)
        assert found(results).parts == {}
    rows = "../../outside,5\nv_1,1000000000000000\nv_2,7\n"
    (results / "clips/v.csv").write_text(f"clip_id,n_frames\n{rows}")
    assert read_clip_lengths(results / "clips/v.csv") == [("v_2", 7)]
    shutil.rmtree(results / "clips/empty")
    halve(results / "clips/empty.csv")
    assert found(results).outputs == ["clips/empty"]


def test_of_many_some_are_told() -> None:
    said = Missing([f"mel/{k}.csv" for k in range(30)], {"a.csv": ["a/b"]}).describe(most=2)
    assert said == "missing, to be made: mel/0.csv, mel/1.csv and 29 more"
