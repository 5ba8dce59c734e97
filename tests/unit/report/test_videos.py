from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.small_report import VIDEOS, make_small_report_results
from talkingface.download.download import FINAL, STATUSES
from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns, table_of_rows, write_table
from talkingface.report.videos import VIDEO_COLUMNS, videos_table
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.tables import SCENES, SEGMENTS, TRACKS

ROW = {"video_id": "v", "source": "https://example.org/v", "identity": "", "split": ""}
# As `download` writes them.
PICTURE = {"fps": 30000 / 1001, "width": 1080, "display_width": 1920, "display_height": 1080}
PROVENANCE = {
    "kind": "url", "extractor": "Example", "title": "A talk", "uploader": "Ann", "channel": "Talks",
    "licence": "CC BY", "upload_date": "20240131", "webpage_url": "https://example.org/watch?v=1&t=2",
}  # fmt: skip
OK = {
    "status": "ok", "reason": None, "value": None, "threshold": None, "tries": 2,
    "probe": {"duration": 40.5, "video": PICTURE}, "provenance": PROVENANCE,
}  # fmt: skip
KEPT = {"clip_id": "v_000000_000100_00", "verdict": "kept", "start_frame": 0, "n_frames": 100}
REJECTED = {
    "clip_id": "v_000200_000290_01", "verdict": "rejected", "stage": "tracks",
    "reason": "small_face", "start_frame": 200, "n_frames": 90,
}  # fmt: skip
GAP = {
    "verdict": "rejected", "stage": "proxy", "reason": "frozen", "start_frame": 300, "n_frames": 40,
}  # fmt: skip


def write_video(
    results: Path,
    record: dict[str, Any],
    *,
    video: str = "v",
    shots: list[tuple[int, int]] = [],  # noqa: B006
    tracks: dict[int, range] = {},  # noqa: B006
    ledger: list[dict[str, Any]] = [],  # noqa: B006
    frames: int | None = None,
) -> None:
    """What a run has of a video: its record, `shots` as first frame and end, the frames of every
    track, rows of its ledger; where `frames` are given, the record of its small copy."""
    path = results / f"videos/{video}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    scenes = [(scene, start, end) for scene, (start, end) in enumerate(shots)]
    faces = [{"track": t, "frame": k, "x": 1.5} for t, where in tracks.items() for k in where]
    zeros = {column.name: 0 for column in TRACKS.columns}
    for definition, rows in (
        (SCENES, scenes),
        (TRACKS, [zeros | face for face in faces]),
        (SEGMENTS, [{"video_id": video, "clip_id": ""} | row for row in ledger]),
    ):
        table = table_of_rows(definition, rows)
        write_table(table, results / definition.path.format(video=video), definition)
    if frames is not None:
        write_proxy(Proxy("ok", None, frames, (), (2, 2)), results / f"proxy/{video}.json")


def rows_of(results: Path, *videos: dict[str, str], **split: Any) -> list[dict[str, Any]]:
    """The table of videos, row by row."""
    settings = {"eval_fraction": 0.5, "seed": 0} | split
    table = videos_table(videos or (ROW,), results, **settings)
    columns = json.loads(json.dumps(table))["columns"]
    cells = [
        column["values"]
        if column["kind"] == "number"
        else [column["texts"][code] for code in column["codes"]]
        for column in columns.values()
    ]
    return [dict(zip(columns, row, strict=True)) for row in zip(*cells, strict=True)]


def test_a_row_has_all_that_is_known(tmp_path: Path) -> None:
    write_video(
        tmp_path,
        OK,
        shots=[(0, 150), (160, 1000)],
        tracks={0: range(0, 120), 1: range(190, 300), 2: range(50, 60)},
        ledger=[KEPT, REJECTED, GAP],
        frames=1013,
    )
    (row,) = rows_of(tmp_path, ROW | {"identity": " ann ", "split": "eval"})
    assert row == {
        "video_id": "v", "source": "https://example.org/v", "identity": "ann", "split": "eval",
        "status": "ok", "reason": "", "value": None, "threshold": None, "tries": 2, "retried": 0,
        "kind": "url", "extractor": "Example", "title": "A talk", "uploader": "Ann",
        "channel": "Talks", "licence": "CC BY", "upload_date": "2024-01-31",
        "webpage_url": "https://example.org/watch?v=1&t=2", "duration_s": 40.5,
        "fps": 30000 / 1001, "width": 1920, "height": 1080, "frames": 1013, "shots": 2,
        "shot_frames": 990, "tracks": 3, "track_frames": 240, "candidates": 2,
        "candidate_frames": 190, "clips": 1, "clip_frames": 100, "gaps": 1, "gap_frames": 40,
    }  # fmt: skip
    assert list(row) == [column.name for column in VIDEO_COLUMNS]


def test_columns_say_what_they_are(tmp_path: Path) -> None:
    write_video(tmp_path, OK)
    columns = videos_table([ROW], tmp_path, eval_fraction=0, seed=0)["columns"]
    for column in VIDEO_COLUMNS:
        found = columns[column.name]
        assert (found["meaning"], found["unit"]) == (column.meaning, column.unit)
        assert found["kind"] == ("text" if column.kind == "text" else "number")


def test_length_is_about_that_of_the_file_where_the_copy_is_deleted(tmp_path: Path) -> None:
    write_video(tmp_path, OK)
    assert rows_of(tmp_path)[0]["frames"] == round(40.5 * 25)


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "ok"])
def test_a_video_that_could_not_be_had(tmp_path: Path, status: str) -> None:
    """`retry_unavailable` has those tried again whose status is not final."""
    failed = {
        "status": status, "reason": "HTTP 503\n\x1b[31m", "value": 7201.5, "threshold": 7200,
        "tries": 3, "probe": None, "provenance": dict.fromkeys(PROVENANCE) | {"kind": "url"},
    }  # fmt: skip
    lost = {"verdict": "rejected", "stage": "download", "reason": status}
    write_video(tmp_path, failed, ledger=[lost])
    (row,) = rows_of(tmp_path)
    assert (row["status"], row["reason"]) == (status, "HTTP 503")
    assert (row["value"], row["threshold"], row["tries"]) == (7201.5, 7200, 3)
    assert row["retried"] == int(status not in FINAL)
    assert row["duration_s"] is None and row["fps"] is None and row["title"] == ""
    counts = ("frames", "shots", "tracks", "candidates", "clips", "gaps", "candidate_frames")
    assert [row[name] for name in counts] == [0] * len(counts)


def test_a_file_that_claims_too_much_is_tried_again_too(tmp_path: Path) -> None:
    lost = {"verdict": "rejected", "stage": "proxy", "reason": "too_demanding"}
    write_video(tmp_path, OK, ledger=[lost])
    assert rows_of(tmp_path)[0]["retried"] == 1


def test_records_of_earlier_versions_say_less(tmp_path: Path) -> None:
    write_video(tmp_path, {"status": "unavailable", "reason": "x"})
    (row,) = rows_of(tmp_path)
    assert (row["tries"], row["value"], row["threshold"], row["kind"]) == (None, None, None, "")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://example.org/a?b=c#d", True),
        ("HTTP://example.org/", True),
        ("http://example.org/%3Cscript%3E", True),
        ("javascript:alert(1)", False),
        ("javascript://example.org/%0aalert(1)", False),
        ("ftp://example.org/a", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("https:alert(1)", False),
        ("https:///etc/passwd", False),
        ("file:///etc/passwd", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("https://user:secret@example.org/", False),
        ("https://example.org/a b", False),
        ("https://example.org/\u202egpj.exe", False),
        ("https://[example.org/", False),
        (["https://example.org/"], False),
        (None, False),
    ],
)
def test_only_an_address_of_a_page_is_linked_to(
    tmp_path: Path, address: object, shown: bool
) -> None:
    write_video(tmp_path, OK | {"provenance": PROVENANCE | {"webpage_url": address}})
    assert rows_of(tmp_path)[0]["webpage_url"] == (address if shown else "")


def test_what_a_site_says_is_text_on_one_line(tmp_path: Path) -> None:
    said = {
        "title": "</script><script>alert(1)</script>\n\u202ehidden" + "x" * 10_000,
        "uploader": 7, "channel": ["a", "b"], "licence": "\ud800", "upload_date": "tomorrow",
    }  # fmt: skip
    write_video(tmp_path, OK | {"provenance": PROVENANCE | said})
    (row,) = rows_of(tmp_path)
    assert row["title"].startswith("</script><script>alert(1)</script> hidden")
    assert len(row["title"]) == 500
    assert (row["uploader"], row["licence"], row["upload_date"]) == ("7", "", "")


@pytest.mark.parametrize(
    "day", ["2024013", "202401311", "2024-1-1", "２０２４０１３１", None, 20240131]
)
def test_a_day_that_is_none(tmp_path: Path, day: object) -> None:
    write_video(tmp_path, OK | {"provenance": PROVENANCE | {"upload_date": day}})
    assert rows_of(tmp_path)[0]["upload_date"] == ("2024-01-31" if day == 20240131 else "")


def test_sides_are_those_of_the_dataset(tmp_path: Path) -> None:
    """Videos of one file are on one side, also that of one that is pinned."""
    videos = [ROW | {"video_id": name, "source": f"{name}.mp4"} for name in ("a", "b", "c")]
    videos[1]["split"] = "eval"
    for name, sha256 in (("a", "x"), ("b", "x"), ("c", "y")):
        write_video(tmp_path, OK | {"provenance": {"sha256": sha256}}, video=name)
    rows = rows_of(tmp_path, *videos, eval_fraction=0)
    assert [row["split"] for row in rows] == ["eval", "eval", "train"]


@pytest.mark.parametrize("probe", [[], "x", {"video": "x"}, {"duration": "long"}])
def test_a_record_that_is_none_is_named(tmp_path: Path, probe: object) -> None:
    write_video(tmp_path, OK | {"probe": probe or ["x"]})
    with pytest.raises(DamagedFile, match=r"videos/v\.json"):
        rows_of(tmp_path)


@pytest.mark.parametrize("table", ["scenes", "tracks", "segments"])
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, table: str) -> None:
    write_video(tmp_path, OK, ledger=[KEPT], tracks={0: range(3)}, shots=[(0, 9)])
    path = tmp_path / table / "v.csv"
    text = path.read_text()
    path.write_text(text + "1,2\n")
    with pytest.raises(DamagedFile, match=f"{table}/v.csv"):
        rows_of(tmp_path)
    path.write_text(text.replace("track", "face").replace("scene", "shot").replace("n_fr", "fr"))
    with pytest.raises(OtherColumns, match=f"{table}/v.csv"):
        rows_of(tmp_path)


def test_a_video_without_clips_has_its_side_too(tmp_path: Path) -> None:
    """`gone` pins no side: all of those go where the fraction says."""
    results = make_small_report_results(tmp_path)
    for fraction, side in ((0.0, "train"), (1.0, "eval")):
        split = {"eval_fraction": fraction, "seed": 0}
        column = videos_table(VIDEOS, results, **split)["columns"]["split"]
        sides = [column["texts"][code] for code in column["codes"]]
        assert sides == ["train", "eval", side]
