"""The view of distributions: its bars are pandas' counts, and lead to the clips in them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from helpers.report_rows import asked_for
from helpers.small_report import VIDEOS, make_small_report_results

from .conftest import Odd, Open, report_on

MEASURES = (
    "n_frames", "segments.face_height", "segments.probability", "segments.offset",
    "segments.speech_share", "quality.speech_quality", "quality.sharpness", "quality.brightness",
    "video.fps", "quality.max_abs_yaw", "quality.yaw_range", "quality.pitch_range",
)  # fmt: skip
# Measures of which the least, or the most, is the worst; of others it is the farthest from a value.
LEAST = ("n_frames", "segments.face_height", "segments.probability", "segments.speech_share",
         "quality.speech_quality", "quality.sharpness")  # fmt: skip
MOST = ("quality.max_abs_yaw", "quality.yaw_range", "quality.pitch_range")
MIDDLE = {"segments.offset": 0.0, "quality.brightness": 128.0}


@pytest.mark.parametrize("column", MEASURES)
def test_bars_are_counts_and_lead_to_their_clips(open_report: Open, odd: Odd, column: str) -> None:
    card = _card(open_report(odd.root, "#distributions"), column)
    measured = odd.rows[(odd.rows.kind == "candidate") & odd.rows[column].notna()]
    seen: dict[str, list[pd.Index]] = {"kept": [], "rejected": []}
    # Bars draw what the table says: the same links, each with as many rows as it states.
    bars = card.locator("svg a")
    drawn = {_href(bar): bar.get_attribute("aria-label") or "" for bar in bars.all()}
    card.locator("summary").click()
    for link in card.locator(".numbers td a").all():
        found = asked_for(odd.rows, _href(link))
        assert len(found) == int(link.inner_text()) > 0
        verdict = found.verdict.iloc[0]
        assert drawn.pop(_href(link)).endswith(f": {len(found)} {verdict}")
        seen[verdict].append(found.index)
    assert drawn == {}
    for verdict, parts in seen.items():
        expected = measured[measured.verdict == verdict]
        total = re.search(rf"(\d+) {verdict}", card.locator(".legend").inner_text())
        assert total and int(total[1]) == len(expected)
        # Every one is in one bar.
        together = parts[0].append(parts[1:]) if parts else pd.Index([])
        assert sorted(together) == sorted(expected.index)


@pytest.mark.parametrize("column", ("sharpness", "speech_quality"))
def test_of_an_even_number_the_median_is_between_two(
    open_report: Open, middle: Path, column: str
) -> None:
    kept = pd.read_csv(middle / "results/dataset/clips.csv")[column].sort_values()
    assert len(kept) % 2 == 0
    card = _card(open_report(middle, "#distributions"), f"quality.{column}")
    said = re.search(r"median ([\d.]+)", card.locator(".summary").inner_text())
    # The page says four digits, which tell it from those beside it.
    assert said and float(said[1]) == float(f"{kept.median():.4g}")
    assert float(said[1]) not in kept.map(lambda value: float(f"{value:.4g}")).tolist()


@pytest.mark.parametrize("value", ("1.0", "0.0"))
def test_no_bar_is_beyond_what_a_probability_can_be(
    open_report: Open, tmp_path: Path, value: str
) -> None:
    make_small_report_results(tmp_path)
    for ledger in (tmp_path / "results/segments").glob("*.csv"):
        rows = pd.read_csv(ledger, dtype=str, keep_default_na=False)
        rows.loc[rows.probability != "", "probability"] = value
        rows.to_csv(ledger, index=False)
    report_on(tmp_path, VIDEOS)
    card = _card(open_report(tmp_path, "#distributions"), "segments.probability")
    bars = card.locator("svg a")
    labels = [bar.get_attribute("aria-label") or "" for bar in bars.all()]
    low, high = map(float, re.findall(r"[\d.]+", labels[0])[:2])
    assert 0 <= low <= float(value) <= high <= 1


@pytest.mark.parametrize("column", [*LEAST, *MOST, *MIDDLE])
def test_the_worst_five(open_report: Open, odd: Odd, column: str) -> None:
    card = _card(open_report(odd.root, "#distributions"), column)
    kept = odd.rows[odd.rows.verdict == "kept"].set_index("clip_id")[column].dropna()
    if column in MIDDLE:
        badness = (kept - MIDDLE[column]).abs()
    else:
        badness = kept if column in MOST else -kept
    shown = [
        str(link.get_attribute("href")).partition("id=")[2].partition("&")[0]
        for link in card.locator(".worst a").all()
    ]
    assert badness[shown].tolist() == badness.nlargest(5).tolist()


def test_the_worst_have_pictures(open_report: Open, odd: Odd) -> None:
    card = _card(open_report(odd.root, "#distributions"), "quality.sharpness")
    pictures = card.locator(".worst img")
    pictures.first.scroll_into_view_if_needed()
    assert pictures.count() == 5
    loaded = "image => image.complete && image.naturalWidth > 0"
    assert all(picture.evaluate(loaded) for picture in pictures.all())


def test_poses(open_report: Open, odd: Odd) -> None:
    page = open_report(odd.root, "#distributions")
    card = _card(page, "pose")
    card.locator("summary").click()
    kept = odd.rows[odd.rows.verdict == "kept"]
    parts = []
    for row in card.locator(".numbers tbody tr").all():
        yaw, pitch, clips = row.locator("td").all()
        found = asked_for(odd.rows, _href(clips.locator("a")))
        assert len(found) == int(clips.inner_text())
        for cell, column in ((yaw, "pose.median_yaw"), (pitch, "pose.median_pitch")):
            low, high = map(float, re.findall(r"-?[\d.]+", cell.inner_text()))
            assert found[column].between(low, high).all()
        parts.append(found.index)
    assert sorted(parts[0].append(parts[1:])) == sorted(kept.index)
    assert card.locator("svg a").count() == len(parts)


def test_identities(open_report: Open, odd: Odd) -> None:
    card = _card(open_report(odd.root, "#distributions"), "identity")
    kept = odd.rows[odd.rows.verdict == "kept"]
    clips = kept.identity.value_counts()
    shown = {str(item.get_attribute("data-name")): item for item in card.locator("li").all()}
    assert set(shown) == set(clips.index) - {""}
    for name, item in shown.items():
        link = item.locator(".number a")
        assert link.inner_text() == f"{clips[name]} clips"
        assert len(asked_for(odd.rows, _href(link))) == clips[name]
    assert f"{clips['']} clips" in card.inner_text()


def test_bars_by_keyboard(open_report: Open, odd: Odd) -> None:
    page = open_report(odd.root, "#distributions")
    card = _card(page, "quality.sharpness")
    bars = card.locator("svg a")
    assert bars.count() > 3
    assert card.locator("svg a[tabindex='0']").count() == 1
    bars.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(bars.nth(1)).to_be_focused()
    wanted = _href(bars.nth(1))
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.startsWith('#clips')")
    assert page.url.partition("#")[2] == wanted.partition("#")[2]


def _card(page: Page, column: str) -> Locator:
    card = page.locator(f"section[data-column='{column}']")
    card.wait_for()
    if column != "identity":
        card.locator("svg").first.wait_for()
    return card


def _href(link: Locator) -> str:
    return str(link.evaluate("link => new URL(link.getAttribute('href'), location.href).href"))
