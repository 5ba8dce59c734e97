from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from helpers.large_results import make_large_results
from helpers.settings import CONFIG
from helpers.small_report import FEATURES, VIDEOS, make_small_report_results
from report.test_javascript import received
from talkingface.job.files import DamagedFile
from talkingface.report import report
from talkingface.report.report import make_report
from talkingface.settings.decisions import Decision
from talkingface.settings.load import check_config


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_small_report_results(tmp_path_factory.mktemp("report"))


@pytest.fixture(autouse=True)
def page(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that is none: what is written beside it does not depend on how it is built."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "index.html").write_text("a page")
    (folder / "page.js").write_text("its program")
    monkeypatch.setattr(report, "PAGE", folder)
    return folder


def make(results: Path, folder: Path, **others: Any) -> None:
    given: dict[str, Any] = {"features": FEATURES, "settings": CONFIG} | others
    make_report(VIDEOS, results, folder, **given)


def data_of(folder: Path) -> dict[str, Any]:
    """The data of a report by its names."""
    return dict(received(path.read_text()) for path in (folder / "data").iterdir())


def column(table: dict[str, Any], name: str) -> list[Any]:
    found = table["columns"][name]
    if found["kind"] == "number":
        return found["values"]
    return [found["texts"][code] for code in found["codes"]]


def test_the_page_and_its_data_lie_together(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    make(results, folder)
    assert (folder / "index.html").read_text() == "a page"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert names == [
        "data", "data/candidates.js", "data/run.js", "data/videos.js", "index.html", "page.js",
    ]  # fmt: skip
    data = data_of(folder)
    assert column(data["videos"], "video_id") == ["talk1", "talk2", "gone"]
    assert data["candidates"]["length"] == 7
    run = data["run"]
    assert run["summary"] == json.loads((results / "dataset/summary.json").read_text())
    assert run["products"]["video"] == "clips/{video}/{clip}.mp4"
    assert run["products"]["depth_scale"] == "depth/{video}/{clip}.json"
    assert len(run["labels"]) == 19 and run["labels"][0][0] == "background"
    assert run["gates"][0] == {
        "key": "min_present_share", "measure": "present_share", "reason": "face_lost",
        "certainty": "",
    }  # fmt: skip


def test_causes_are_told_by_how_details_begin(results: Path, tmp_path: Path) -> None:
    """In the words that ledgers have, those of earlier runs, too."""
    make(results, tmp_path / "report")
    details = {
        "lips_still": "the lips are still while a voice is heard",
        "lips_apart": "lips and voice do not go together",
        "other_in_turn": "mean over the frames; it is rather track 4 that speaks",
        "other_likelier": "the voice is rather that of track 7",
        "between_speech": "cut: speaking; longest speech here 70 frames",
    }
    beginnings = data_of(tmp_path / "report")["run"]["details"]
    assert beginnings.keys() == details.keys()
    for name, detail in details.items():
        assert [each for each in beginnings if detail.startswith(beginnings[each])] == [name]


def test_thresholds_are_those_of_the_run(results: Path, tmp_path: Path) -> None:
    settings = check_config({"segments": {"min_frames": 61}, "quality": {"max_abs_yaw": 12.5}})
    make(results, tmp_path / "report", settings=settings)
    told = {each["key"]: each for each in data_of(tmp_path / "report")["run"]["settings"]}
    assert (told["min_frames"]["value"], told["max_abs_yaw"]["value"]) == (61, 12.5)


def test_what_was_decided_by_hand_is_told(results: Path, tmp_path: Path) -> None:
    note = "</script><script>alert(1)</script>"
    decisions = {"talk1_000000_000100_00": Decision("", note), "gone_0": Decision("reject", "")}
    make(results, tmp_path / "report", decisions=decisions)
    assert data_of(tmp_path / "report")["run"]["decisions"] == {
        "talk1_000000_000100_00": {"decision": "", "note": note},
        "gone_0": {"decision": "reject", "note": ""},
    }


def test_no_data_file_can_end_its_script(results: Path, tmp_path: Path) -> None:
    """The sites' titles are script tags here."""
    make(results, tmp_path / "report")
    for path in (tmp_path / "report/data").iterdir():
        script = path.read_bytes()
        assert script.isascii() and b"<" not in script
    titles = column(data_of(tmp_path / "report")["videos"], "title")
    assert titles[0].startswith("<script>")


def test_numbers_agree_with_the_summary(results: Path, tmp_path: Path) -> None:
    """All that the page counts, it counts itself: in frames, at 25 a second."""
    make(results, tmp_path / "report")
    data = data_of(tmp_path / "report")
    summary, videos, candidates = data["run"]["summary"], data["videos"], data["candidates"]
    kept = [v == "kept" for v in column(candidates, "verdict")]
    frames = [n or 0 for n in column(candidates, "n_frames")]
    is_candidate = [bool(name) for name in column(candidates, "clip_id")]
    assert sum(is_candidate) == summary["candidates"] == sum(column(videos, "candidates"))
    assert sum(kept) == summary["kept"]["clips"] == sum(column(videos, "clips"))
    hours = sum(n for n, k in zip(frames, kept, strict=True) if k) / 25 / 3600
    assert hours == pytest.approx(summary["kept"]["hours"], abs=1e-6)
    assert sum(column(videos, "candidate_frames")) == sum(
        n for n, c in zip(frames, is_candidate, strict=True) if c
    )
    seconds = sum(n or 0 for n in column(videos, "duration_s"))
    assert seconds / 3600 == pytest.approx(summary["hours_in"], abs=1e-6)
    reasons = list(zip(column(candidates, "stage"), column(candidates, "reason"), strict=True))
    for told in summary["rejected"]:
        rows = [
            i
            for i, reason in enumerate(reasons)
            if reason == (told["stage"], told["reason"]) and not kept[i]
        ]
        assert len(rows) == told["count"]
        assert sum(frames[i] for i in rows) / 25 / 3600 == pytest.approx(told["hours"], abs=1e-6)
    assert sum(told["count"] for told in summary["rejected"]) + sum(kept) == len(kept)


def test_it_is_made_anew_as_a_whole(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    make(results, folder)
    (folder / "old.js").write_text("of another version")
    make(results, folder)
    assert not (folder / "old.js").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_two_are_the_same(results: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make(results, tmp_path / name)
    for path in (tmp_path / "a").rglob("*.*"):
        assert (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes() == path.read_bytes()


def test_nothing_is_left_of_one_that_failed(results: Path, tmp_path: Path) -> None:
    """And what was there before is still whole."""
    copy = tmp_path / "results"
    for name in ("videos", "scenes", "tracks", "segments", "quality", "pose", "clips", "preview"):
        shutil.copytree(results / name, copy / name)
    shutil.copytree(results / "dataset", copy / "dataset")
    folder = copy / "report"
    make(copy, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    ledger = copy / "segments/talk1.csv"
    ledger.write_bytes(ledger.read_bytes()[:-9])
    with pytest.raises(DamagedFile, match="talk1.csv"):
        make(copy, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before
    assert not list(copy.glob(".partial*"))


def test_a_page_that_is_not_built_is_told(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "PAGE", tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="make report-page"):
        make(results, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_a_candidate_takes_little(tmp_path: Path) -> None:
    """So that 10,000 clips and 30,000 other candidates are 25 MB at most and made in 1 GB."""
    rows = make_large_results(tmp_path, videos=10, kept=10, rejected=30)
    tracemalloc.start()
    make_report(rows, tmp_path / "results", tmp_path / "report", features=[], settings=CONFIG)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = (tmp_path / "report/data/candidates.js").stat().st_size
    assert size / 400 < 25e6 / 40_000
    assert peak / 400 < 400e6 / 40_000
