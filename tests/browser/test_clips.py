"""The browser of clips: what its filters find, how it sorts, what leads where, and its keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from helpers.settled import settle
from talkingface.stages import STAGES
from talkingface.tables import CLIPS, POSE, QUALITY, SEGMENTS

from .conftest import Open

PHONE = {"viewport": {"width": 400, "height": 800}}


def candidates(root: Path) -> pd.DataFrame:
    """All rows of the ledgers in the order of videos and lines, with the dataset's last verdict,
    and `quality`'s measures with its name before theirs."""
    results = root / "results"
    ledgers = [pd.read_csv(path) for path in sorted((results / "segments").glob("*.csv"))]
    quality = [pd.read_csv(path) for path in sorted((results / "quality").glob("*.csv"))]
    measures = pd.concat(quality).set_index("clip_id").add_prefix("quality.")
    rows = pd.concat(ledgers, ignore_index=True).join(measures, on="clip_id")
    left_out = pd.read_csv(results / "dataset/rejected.csv").set_index("clip_id")
    for column in ("verdict", "stage", "reason"):
        rows[column] = rows.clip_id.map(left_out[column]).fillna(rows[column])
    return rows


def found(page: Page) -> int:
    """How many rows the page says that it found."""
    settle(page)
    words = page.locator(".found strong").inner_text()
    return int(words.replace(",", ""))


def names(page: Page, most: int = 8) -> list[str]:
    """Names of the first rows in the list."""
    settle(page)
    cells = [page.locator(f'[data-place="{place}"] .clip-name') for place in range(most)]
    return [cell.get_attribute("title") or "" for cell in cells]


def leads(page: Page, end: str) -> None:
    """The address comes to end so."""
    page.wait_for_url(lambda url: url.endswith(end))


Wanted = Callable[[pd.DataFrame], "pd.Series[bool]"]
FILTERS: list[tuple[str, Wanted]] = [
    ("verdict=kept", lambda rows: rows.verdict == "kept"),
    ("verdict=rejected&stage=quality", lambda rows: rows.stage == "quality"),
    ("reason=silent&reason=small_face", lambda rows: rows.reason.isin(["silent", "small_face"])),
    ("min.segments.face_height=200", lambda rows: rows.face_height >= 200),
    (
        "min.segments.probability=0.6&max.segments.probability=0.8",
        lambda rows: rows.probability.between(0.6, 0.8),
    ),
    ("max.segments.offset=-2", lambda rows: rows.offset <= -2),
    ("segments.offset=3", lambda rows: rows.offset == 3),
    ("max.quality.sharpness=120", lambda rows: rows["quality.sharpness"] <= 120),
    ("quality.sharpness=", lambda rows: rows["quality.sharpness"].isna()),
    (
        "quality.sharpness=&min.quality.sharpness=300",
        lambda rows: ~(rows["quality.sharpness"] < 300),
    ),
    (
        "min.duration=10&verdict=kept",
        lambda rows: (rows.verdict == "kept") & (rows.n_frames >= 250),
    ),
    ("q=VIDEO00003 _00", lambda rows: rows.video_id == "video00003"),
    ("identity=&video_id=video00003", lambda rows: rows.video_id == "video00003"),
    (
        "identity=a%26b%3Dc%23d%3Fe",
        lambda rows: rows.video_id.isin(["video00002", "video00006", "video00010"]),
    ),
    ("no.such.column=1&min.no.such=2&max.verdict=3&min.duration=x", lambda rows: rows.n_frames > 0),
]  # fmt: skip


@pytest.mark.parametrize(("query", "wanted"), FILTERS, ids=[query for query, _ in FILTERS])
def test_an_address_finds_what_the_tables_say(
    open_report: Open, middle: Path, query: str, wanted: Wanted
) -> None:
    rows = candidates(middle)
    rows = rows[wanted(rows)]
    assert len(rows) > 0
    page = open_report(middle, f"#clips?{query}")
    expect(page.locator(".found strong")).to_have_text(f"{len(rows):,}")
    minutes = rows.n_frames.sum() / 25 / 60
    expect(page.locator(".found")).to_contain_text(f"{len(rows)} of 144 rows, {minutes:.1f} min of")
    assert names(page, min(8, len(rows))) == list(rows.clip_id[:8])


def test_controls_make_the_address(open_report: Open, middle: Path) -> None:
    rows = candidates(middle)
    page = open_report(middle, "#clips")
    page.get_by_label("sync probability, from").fill("0.70")
    page.get_by_label("sync probability, to").fill("0.9")
    assert page.get_by_label("sync probability, from").input_value() in ("0.7", "0.70")
    rows = rows[rows.probability.between(0.7, 0.9)]
    expect(page.locator(".found strong")).to_have_text(str(len(rows)))
    # The numbers beside choices are those of the rows that the other filters leave.
    choice = page.locator(".choice", has_text="kept").first
    assert choice.inner_text().split() == ["kept", str((rows.verdict == "kept").sum())]
    choice.click()
    expect(page.locator(".found strong")).to_have_text(str((rows.verdict == "kept").sum()))
    leads(page, "#clips?min.segments.probability=0.70&max.segments.probability=0.9&verdict=kept")
    chip = page.get_by_role("button", name="Remove the filter sync probability: 0.7 to 0.9")
    chip.click()
    leads(page, "#clips?verdict=kept")
    page.get_by_role("searchbox", name="Search").fill("video00003")
    leads(page, "#clips?verdict=kept&q=video00003")
    page.get_by_role("button", name="Clear all").click()
    leads(page, "#clips")
    expect(page.locator(".found strong")).to_have_text("144")


def test_every_measure_has_a_filter(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    for summary in page.locator(".filters summary").all():
        summary.click()
    fields = page.locator(".filters fieldset").count()
    measured = candidates(middle)
    wanted = []
    for stage, table in (
        ("segments", SEGMENTS),
        ("clips", CLIPS),
        ("quality", QUALITY),
        ("pose", POSE),
    ):
        path = middle / "results" / STAGES[stage].manifest.format(video="video00000")
        cells = pd.read_csv(path)
        wanted += [
            f"{stage}.{column.name}"
            for column in table.columns
            if column.kind != "text" and cells[column.name].notna().any()
        ]
    assert fields >= len(wanted) > 40
    assert len(measured) == 144
    titles = page.locator(".filters legend").all_inner_texts()
    for words in ("length (s)", "sharpness", "loudness (dB of full scale)", "angular speed"):
        assert any(words.lower() in title.lower() for title in titles), words


def test_heads_sort(open_report: Open, middle: Path) -> None:
    rows = candidates(middle)
    page = open_report(middle, "#clips")
    head = page.get_by_role("columnheader", name="speech share")
    assert head.get_attribute("aria-sort") == "none"
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    ordered = rows.sort_values("speech_share", kind="stable")
    assert names(page) == list(ordered.clip_id[:8])
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    ordered = rows.assign(below=-rows.speech_share).sort_values("below", kind="stable")
    assert names(page) == list(ordered.clip_id[:8])
    leads(page, "#clips?sort=-segments.speech_share")
    expect(head.get_by_role("button")).to_be_focused()


@pytest.mark.parametrize("way", ("", "-"))
def test_what_is_not_measured_is_last(open_report: Open, middle: Path, way: str) -> None:
    rows = candidates(middle)
    page = open_report(middle, f"#clips?sort={way}quality.sharpness")
    measured = rows["quality.sharpness"].notna().sum()
    page.locator('[data-place="0"] a').focus()
    page.keyboard.press("End")
    expect(page.locator('[data-place="143"] a')).to_be_focused()
    last = page.locator('[data-place="143"]')
    assert 0 < measured < 144
    unmeasured = rows[rows["quality.sharpness"].isna()]
    assert last.locator(".clip-name").get_attribute("title") == unmeasured.clip_id.iloc[-1]
    assert "not measured" in last.inner_text()


def test_back_leads_to_the_same_list(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips?verdict=rejected&sort=segments.loudness")
    wanted = names(page)
    page.locator('[data-place="0"] a').focus()
    for _ in range(30):
        page.keyboard.press("j")
    name = page.locator('[data-place="30"] .clip-name').get_attribute("title")
    scrolled = page.evaluate("document.querySelector('.virtual').scrollTop")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("#clip\\?id="))
    assert f"id={name}" in page.url
    # The clip knows the list, to go on to the next in it.
    leads(page, "verdict=rejected&sort=segments.loudness")
    page.go_back()
    expect(page.locator('[data-place="30"] .clip-name')).to_have_attribute("title", name or "")
    assert page.evaluate("document.querySelector('.virtual').scrollTop") == scrolled > 0
    assert page.locator('[data-place="30"] a').get_attribute("tabindex") == "0"
    page.locator(".choice", has_text="kept").first.click()
    expect(page.locator(".found strong")).to_have_text("144")
    # What is chosen anew begins at the top.
    assert names(page, 1)[0] in wanted
    page.go_back()
    expect(page.locator(".found strong")).to_have_text("92")
    expect(page.locator('[data-place="30"] .clip-name')).to_have_attribute("title", name or "")
    page.go_forward()
    expect(page.locator(".found strong")).to_have_text("144")


def test_keys_and_pointer_go_through_the_pictures(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    picture = page.locator('[data-place="0"] .strip')
    image = picture.locator("img")
    expect(image).to_have_js_property("complete", True)

    def shown() -> int:
        settle(page)
        moved = image.evaluate("image => new DOMMatrix(getComputedStyle(image).transform).e")
        return round(-moved / 64)

    assert shown() == 5
    picture.focus()
    page.keyboard.press("ArrowRight")
    assert shown() == 6
    for _ in range(7):
        page.keyboard.press("ArrowLeft")
    assert shown() == 9
    box = picture.bounding_box()
    assert box is not None
    for place in (0, 3, 9):
        page.mouse.move(box["x"] + (place + 0.5) * box["width"] / 10, box["y"] + 20)
        assert shown() == place
    page.mouse.move(5, 5)
    assert shown() == 5


def test_keys_go_through_the_rows(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    page.locator('[data-place="0"] a').focus()
    for key, place in (
        ("ArrowDown", 1), ("j", 2), ("PageDown", 12), ("ArrowUp", 11), ("End", 143), ("Home", 0),
        ("ArrowUp", 0),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(page.locator(f'[data-place="{place}"] a')).to_be_focused()
    row = page.locator('[role="row"]', has=page.locator('[data-place="0"]'))
    # Before it is the row of heads.
    assert row.get_attribute("aria-rowindex") == "2"
    assert page.get_by_role("grid").get_attribute("aria-rowcount") == "145"
    # One place in the order of Tab, however many rows there are, and the buttons of its row.
    reached = page.locator('.rows [tabindex="0"]').count()
    assert reached == 1 + 1 + 3


def test_the_filters_can_be_skipped(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    page.wait_for_selector('[data-place="0"] a')
    page.get_by_role("link", name="Skip the filters").focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-place="0"] a')).to_be_focused()


def test_a_film_plays_in_place(open_report: Open, small: Path) -> None:
    page = open_report(small, "#clips?verdict=kept")
    expect(page.locator('[data-place="2"]')).to_be_visible()
    assert page.locator("video").count() == 0
    page.locator('[data-place="0"]').get_by_role("button", name="Play").click()
    film = page.locator("video")
    expect(film).to_be_focused()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
    assert film.evaluate("film => film.muted") is False
    page.locator('[data-place="2"] a').focus()
    page.keyboard.press("p")
    expect(page.locator("video")).to_have_count(1)
    expect(page.locator('[data-place="2"] video')).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("video")).to_have_count(0)
    expect(page.locator('[data-place="2"] a')).to_be_focused()


def test_a_picture_shows_why(open_report: Open, small: Path) -> None:
    page = open_report(small, "#clips?verdict=rejected&kind=candidate")
    row = page.locator('[data-place="0"]')
    assert row.get_by_role("button", name="Play").count() == 0
    row.locator("a").focus()
    page.keyboard.press("w")
    picture = row.locator(".enlarged img")
    expect(picture).to_have_js_property("naturalWidth", 480)
    assert picture.get_attribute("alt") == "Face too small: 62 (threshold 100)"
    expect(row.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(row.locator(".enlarged")).to_have_count(0)


def test_gaps_and_whole_videos_are_rows(open_report: Open, small: Path) -> None:
    page = open_report(small, "#clips?kind=gap&kind=video")
    assert found(page) == 2
    assert names(page, 2) == ["talk1", "gone"]
    text = page.locator(".rows").inner_text()
    assert "gap, 0:00:16 to 0:00:18" in text and "<i>stood</i> still" in text
    assert "whole video" in text and "removed by <uploader>" in text
    page.locator('[data-place="1"] a').click()
    page.wait_for_url(re.compile("#clip\\?id=gone%40all&kind=gap&kind=video$"))


def test_columns_are_chosen_and_remembered(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    heads = page.get_by_role("columnheader")
    assert page.get_by_role("columnheader", name="loudness").count() == 0
    before = heads.count()
    page.locator("summary", has_text="Columns").click()
    page.locator(".columns .choice", has_text="loudness").click()
    expect(heads).to_have_count(before + 1)
    page.keyboard.press("Escape")
    page.reload()
    expect(page.get_by_role("columnheader", name="loudness")).to_have_count(1)


def test_nothing_is_found(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips?q=nobody")
    expect(page.locator(".empty")).to_contain_text("No clip matches")
    page.get_by_role("button", name="Clear all filters").click()
    expect(page.locator(".found strong")).to_have_text("144")


def test_a_gallery_shows_the_same(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips?verdict=kept")
    wanted = names(page)
    page.get_by_role("button", name="Gallery").click()
    expect(page.locator(".tile").first).to_be_visible()
    assert names(page) == wanted
    page.locator('[data-place="0"] a').focus()
    page.keyboard.press("j")
    expect(page.locator('[data-place="1"] a')).to_be_focused()
    page.reload()
    expect(page.locator(".tile").first).to_be_visible()


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("gallery", (False, True))
def test_a_phone_shows_all(open_report: Open, middle: Path, scheme: str, gallery: bool) -> None:
    page = open_report(middle, "#clips?verdict=rejected", color_scheme=scheme, **PHONE)
    page.get_by_role("button", name="Filters").click()
    expect(page.get_by_label("sync offset, from")).to_be_visible()
    if gallery:
        page.get_by_role("button", name="Gallery").click()
    page.locator('[data-place="0"] a').focus()
    page.keyboard.press("n")
    expect(page.locator("textarea")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    violations = Axe().run(page, options={"preload": False}).response["violations"]
    serious = [rule for rule in violations if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in serious] == []


def test_a_phone_breaks_a_reason_between_words(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips?verdict=rejected", **PHONE)
    # Without a blank before it, the only place to break the line is within its first word.
    expect(page.locator(".clip.narrow .judged").first).to_have_text(re.compile(r"rejected [A-Z]"))
