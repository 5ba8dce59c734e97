"""The view of the yield: its numbers are those of the tables, its links lead to what they count."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Page

from helpers.datasets import make_default_dataset
from helpers.large_results import make_large_results
from helpers.odd_report import FAILED, SOURCES
from helpers.report_rows import asked_for, place_of

from .conftest import Odd, Open, report_on

IDENTITIES = ("Böb/../Ünal", "<b>bold</b>", "a&b=c#d?e")


def test_key_figures_are_those_of_the_summary(open_report: Open, odd: Odd) -> None:
    root = odd.root
    page, summary = open_report(root), _summary(root)
    clips = pd.read_csv(root / "results/dataset/clips.csv", dtype={"identity": str})
    assert _figure(page, "videos") == [summary["videos"]["count"], len(FAILED)]
    assert _figure(page, "clips") == [summary["kept"]["clips"], summary["candidates"]]
    assert _figure(page, "split")[:2] == [summary["train"]["clips"], summary["eval"]["clips"]]
    assert _figure(page, "identities") == [clips.identity.nunique()]
    assert _step(page, "Videos") == pytest.approx(summary["hours_in"] * 3600, abs=0.01)
    assert _step(page, "Kept clips") == pytest.approx(summary["kept"]["hours"] * 3600, abs=0.01)
    for figure, seconds in (
        ("hours-in", _step(page, "Videos")),
        ("hours-kept", clips.duration_s.sum()),
    ):
        shown = page.locator(f"[data-figure={figure}] .value").inner_text()
        assert shown == f"{seconds / 60:.1f} min"


def test_losses_are_those_of_the_summary_and_lead_to_their_rows(
    open_report: Open, odd: Odd
) -> None:
    root, videos, rows = odd
    page = open_report(root)
    shown = {
        row.get_attribute("data-reason"): row
        for row in page.locator(".losses tr[data-reason]").all()
    }
    stated = _summary(root)["rejected"]
    assert len(stated) > 8
    assert {name for name in shown if name} == {f"{r['stage']}: {r['reason']}" for r in stated}
    for loss in stated:
        row = shown[f"{loss['stage']}: {loss['reason']}"]
        assert row.get_attribute("data-count") == str(loss["count"])
        if not loss["whole_videos"] and loss["reason"] != "truncated":
            seconds = float(row.get_attribute("data-seconds") or "nan")
            assert seconds == pytest.approx(loss["hours"] * 3600, abs=0.01)
        link = row.locator("a")
        assert len(asked_for(rows, _href(link))) == loss["count"]
        assert sum(map(int, re.findall(r"\d+", link.inner_text()))) == loss["count"]
    # Two videos without a face, of 8 s each, and one that ends 40 s before it says.
    assert shown["tracks: no_face"].get_attribute("data-seconds") == "16"
    assert shown["proxy: truncated"].get_attribute("data-seconds") == "40"
    assert shown["proxy: clock_jump"].locator("td").nth(1).inner_text() == "none"
    assert shown["download: private"].locator("td").nth(1).inner_text() == "not known"


@pytest.mark.parametrize("place", [*SOURCES, "./"])
def test_a_source_is_chosen(open_report: Open, odd: Odd, place: str) -> None:
    root, videos, rows = odd
    page = open_report(root)
    page.locator(f".groups [data-name='{place}']").click()
    page.locator("h2", has_text=f"Source: {'the workspace' if place == './' else place}").wait_for()
    _check_selection(page, rows[rows["video.place"] == place], rows)
    in_list = sum(place_of(video["source"]) == place for video in videos)
    assert _figure(page, "videos")[0] == in_list
    page.reload()
    page.locator(".funnel").wait_for()
    assert _figure(page, "videos")[0] == in_list
    page.get_by_role("link", name="Show all videos").click()
    page.locator("h2", has_text="From videos to clips").wait_for()
    assert _figure(page, "videos")[0] == len(videos)


@pytest.mark.parametrize("identity", [*IDENTITIES, ""])
def test_an_identity_is_chosen(open_report: Open, odd: Odd, identity: str) -> None:
    root, videos, rows = odd
    page = open_report(root)
    page.get_by_role("link", name="By identity").click()
    page.locator(f".groups [data-name='{identity}']").click()
    title = identity or "not named in videos.csv"
    page.locator("h2", has_text=f"Identity: {title}").wait_for()
    page.wait_for_function("() => document.activeElement.tagName === 'H2'")
    _check_selection(page, rows[rows.identity == identity], rows)
    assert page.locator("main b").count() == 0


def test_groups_are_those_of_the_tables_longest_first(open_report: Open, odd: Odd) -> None:
    root, videos, rows = odd
    page = open_report(root)
    kept = rows[rows.verdict == "kept"].groupby("video.place").n_frames.agg(["count", "sum"])
    shown = [
        (g.get_attribute("data-name"), int(g.get_attribute("data-clips") or -1),
         float(g.get_attribute("data-seconds") or "nan"))
        for g in page.locator(".groups a.group").all()
    ]  # fmt: skip
    assert {name for name, _, _ in shown} == {place_of(video["source"]) for video in videos}
    for name, clips, seconds in shown:
        expected = kept.loc[name] if name in kept.index else {"count": 0, "sum": 0}
        assert (clips, seconds) == (expected["count"], pytest.approx(expected["sum"] / 25))
    lengths = [seconds for _, _, seconds in shown]
    assert lengths == sorted(lengths, reverse=True)
    page.get_by_label("Name contains").fill("BOLD</B>")
    page.get_by_text("1 of 7 sources").wait_for()
    assert page.locator(".groups a.group").count() == 1
    page.get_by_label("Name contains").fill("nobody")
    page.get_by_text("No name contains this.").wait_for()


def test_of_many_groups_few_are_in_the_page(open_report: Open, tmp_path: Path) -> None:
    videos = make_large_results(tmp_path, videos=200, kept=1, rejected=1)
    for number, video in enumerate(videos):
        video["source"] = f"https://host{number}.example.org/{number}"
    report_on(tmp_path, videos)
    page = open_report(tmp_path)
    assert page.get_by_text("200 sources").is_visible()
    assert 5 < page.locator(".groups a.group").count() < 40
    page.get_by_label("Name contains").fill("host150.")
    page.locator("a.group", has_text="host150.example.org").click()
    page.locator("h2", has_text="Source: host150").wait_for()
    assert _figure(page, "videos") == [1]


def test_no_video(open_report: Open, tmp_path: Path) -> None:
    make_default_dataset([], tmp_path / "results")
    report_on(tmp_path, [])
    for view in ("yield", "distributions", "run"):
        text = open_report(tmp_path, f"#{view}").locator("main").inner_text()
        assert not re.search("NaN|Infinity|undefined|null", text)
        assert re.search("list of videos is empty|nothing was measured", text)


def test_no_clip(open_report: Open, tmp_path: Path) -> None:
    videos = make_large_results(tmp_path, videos=2, kept=0, rejected=3)
    report_on(tmp_path, videos)
    for view in ("yield", "distributions", "run"):
        text = open_report(tmp_path, f"#{view}").locator("main").inner_text()
        assert not re.search("NaN|Infinity|undefined|null", text)
    page = open_report(tmp_path)
    assert page.get_by_text("No clip was kept.").is_visible()
    assert _figure(page, "clips") == [0, 6]


def _check_selection(page: Page, rows: pd.DataFrame, everything: pd.DataFrame) -> None:
    """The view shows `rows`, and its links lead to them."""
    kept = rows[rows.verdict == "kept"]
    assert _figure(page, "clips") == [len(kept), (rows.kind == "candidate").sum()]
    assert _step(page, "Kept clips") == pytest.approx(kept.n_frames.sum() / 25)
    link = page.locator("[data-figure=clips] a")
    assert asked_for(everything, _href(link)).index.equals(kept.index)
    rejected = rows[rows.verdict == "rejected"]
    losses = page.locator(".losses tr[data-reason]:has(a)")
    assert losses.count() == len(rejected.groupby(["stage", "reason"]))
    for loss in losses.all():
        found = asked_for(everything, _href(loss.locator("a")))
        assert str(len(found)) == loss.get_attribute("data-count")
        assert set(found.index) <= set(rejected.index)


def _figure(page: Page, name: str) -> list[int]:
    """The whole numbers of a key figure."""
    text = page.locator(f"[data-figure={name}] dd").all_inner_texts()
    return [int(number) for number in re.findall(r"\d+", " ".join(text))]


def _step(page: Page, name: str) -> float:
    """Seconds of a step of the funnel."""
    return float(page.locator(f"[data-step='{name}']").get_attribute("data-seconds") or "nan")


def _href(link: Any) -> str:
    return str(link.evaluate("link => link.href"))


def _summary(root: Path) -> dict[str, Any]:
    return dict(json.loads((root / "results/dataset/summary.json").read_text()))
