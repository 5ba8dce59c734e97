"""The view of downloads and time: every video that is missing, and the jobs' time."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from helpers.odd_report import FAILED, GAPS, UNUSABLE
from helpers.settings import CONFIG
from helpers.small_report import FEATURES
from talkingface.download.download import RETRIED
from talkingface.report.javascript import write_data
from talkingface.report.report import make_report

from .conftest import Odd, Open

# Of three stages; of the last no memory and processor time are known.
TIMES = [
    {"stage": "tracks", "jobs": 4, "sampled": 4, "seconds": 100.0, "cpu_seconds": 150.0,
     "median_rss_mb": 300.0, "max_rss_mb": 1500.0, "frames": 20_000},
    {"stage": "clips", "jobs": 4, "sampled": 2, "seconds": 300.0, "cpu_seconds": 450.0,
     "median_rss_mb": 200.0, "max_rss_mb": 250.0, "frames": 3_000},
    {"stage": "card", "jobs": 1, "sampled": 1, "seconds": 0.5, "cpu_seconds": None,
     "median_rss_mb": None, "max_rss_mb": None, "frames": 0},
]  # fmt: skip


def test_failed_downloads_by_status(open_report: Open, odd: Odd) -> None:
    page = open_report(odd.root, "#run")
    statuses = Counter(status for status, _, _ in FAILED)
    groups = page.locator("section.status")
    assert {
        str(group.get_attribute("data-status")): int(group.get_attribute("data-count") or -1)
        for group in groups.all()
    } == statuses
    # Those of most videos first.
    assert groups.first.get_attribute("data-status") == "unavailable"
    for number, (status, reason, tries) in enumerate(FAILED):
        video = page.locator(f"section[data-status={status}] [data-video=failed{number}]")
        assert reason in video.inner_text()
        assert (f"{tries} tries" if tries > 1 else "1 try") in video.inner_text()
    again = sum(status in RETRIED for status, _, _ in FAILED)
    assert 0 < again < len(FAILED)
    assert f"Another try may help with {again} videos" in page.locator("main").inner_text()
    assert page.locator("code.command").inner_text().startswith("snakemake --cores 1 retry_unava")
    assert f"{len(FAILED)} of {len(odd.videos)} videos" in page.locator("main").inner_text()
    assert page.locator("main b, main i:not([class])").count() == 0


def test_only_web_addresses_are_links(open_report: Open, odd: Odd) -> None:
    page = open_report(odd.root, "#run")
    links = page.locator("main a[href]:not([href^='#'])")
    assert {str(link.get_attribute("href")) for link in links.all()} == {
        f"https://gone.example.org/{number}" for number in range(len(FAILED) - 1)
    }
    assert {link.get_attribute("rel") for link in links.all()} == {"noreferrer"}
    assert page.get_by_text("javascript://host.example.org/%0aalert(1)").is_visible()


def test_unusable_videos_and_gaps(open_report: Open, odd: Odd) -> None:
    page = open_report(odd.root, "#run")
    unusable, gaps = _section(page, "unusable"), _section(page, "gaps")
    assert unusable.locator("[data-row]").count() == len(UNUSABLE)
    assert unusable.get_by_text("No face", exact=False).count() == 2
    assert gaps.locator("[data-row]").count() == len(GAPS)
    for (_, _, _, seconds, detail), words in zip(
        GAPS, ("at 0:00:04 to 0:00:06", "at 0:00:12", "at 0:00:20"), strict=True
    ):
        row = gaps.locator("[data-row]", has_text=detail)
        assert words in row.inner_text()
        assert f", {seconds:g} s" in row.inner_text()


def test_everything_was_had(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#run")
    assert page.get_by_text("None: all 12 videos of the list were had.").is_visible()
    assert page.locator("code.command").count() == 0
    assert page.get_by_text("None was found.").is_visible()


def test_times(open_report: Open, odd: Odd, tmp_path: Path) -> None:
    page = open_report(_with_times(odd, tmp_path, TIMES), "#run")
    cells = {
        row.locator("th").inner_text(): row.locator("td").all_inner_texts()
        for row in page.locator("table.times tr:has(td)").all()
    }
    assert cells["tracks"] == [
        "4", "1.7 min", "25 %", "2.5 min", "1.5", "20,000", "200", "300 MB", "1.5 GB",
    ]  # fmt: skip
    assert cells["clips"][6] == "10"
    assert cells["card"] == ["1", "0.5 s", "0.1 %", "not measured", "", "", "", "", ""]
    assert cells["All"][:2] == ["9", "6.7 min"]
    assert cells["All"][3] == "10.0 min"
    assert page.get_by_text("some were read").is_visible()
    # A bar for each stage's time, and one for its processor time.
    expect(page.locator(".plot rect")).to_have_count(2 * len(TIMES))


def test_changed_thresholds(open_report: Open, odd: Odd, tmp_path: Path) -> None:
    settings = {**CONFIG, "segments": {**CONFIG["segments"], "min_frames": 33}}
    folder = tmp_path / "other"
    make_report(odd.videos, odd.root / "results", folder / "results/report",
                features=FEATURES, settings=settings)  # fmt: skip
    page = open_report(folder, "#run")
    row = _section(page, "changed").locator("tbody tr")
    assert row.count() == 1
    assert row.locator("th").inner_text() == "segments.min_frames"
    assert row.locator("td").first.inner_text() == "33"
    assert "All are the defaults." in open_report(odd.root, "#run").locator("main").inner_text()


def _section(page: Page, name: str) -> Any:
    return page.locator(f"section[aria-labelledby={name}]")


def _with_times(odd: Odd, folder: Path, times: list[dict[str, Any]]) -> Path:
    """A report in `folder` as that of `odd`, of jobs that took these times."""
    report = folder / "results/report"
    make_report(odd.videos, odd.root / "results", report, features=FEATURES, settings=CONFIG)
    script = (report / "data/run.js").read_text()
    literal = script.partition("JSON.parse(")[2].rpartition("));")[0]
    write_data("run", json.loads(json.loads(literal)) | {"times": times}, report / "data/run.js")
    return folder
