"""The files of the report are those that are looked for."""

from __future__ import annotations

from pathlib import Path

from helpers.settings import CONFIG
from helpers.small_report import FEATURES, VIDEOS, make_small_report_results
from talkingface.report.files import DATA_FILES, PAGE_FILES, preview_files
from talkingface.report.report import PAGE, make_report


def test_a_report_has_these_files(tmp_path: Path) -> None:
    """And no others, so that none can go unnoticed."""
    results = make_small_report_results(tmp_path)
    folder = results / "report"
    make_report(VIDEOS, results, folder, features=FEATURES, settings=CONFIG)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*PAGE_FILES, *DATA_FILES}
    assert {path.name for path in PAGE.iterdir()} == set(PAGE_FILES)


def test_a_table_that_cannot_be_read_names_no_files(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    assert preview_files(path) == []
    for content in (b"", b"\xff\xfe\0", b"<html>", b"clip_id,pictures\nv,10\n"):
        path.write_bytes(content)
        assert preview_files(path) == []
    path.write_text("clip_id,pictures,cause_frame\n../x,10,\nv_1,10\nv_2,10,\nv_3,0,5\n")
    assert preview_files(path) == ["v_2.js", "v_2.jpg", "v_3.js"]
