"""The view of thresholds: its numbers are those of the csv files, and everybody can use it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from playwright.sync_api import Page, expect

from helpers.settings import CONFIG
from helpers.settled import settle
from helpers.small_report import FEATURES
from helpers.tables import read_frame
from talkingface.report.report import make_report

from .conftest import Open, report_on

QUALITY = CONFIG["quality"]
# Measure of every gate that is on by default, and the threshold's key.
GATES = {
    "min_present_share": "present_share", "max_border_share": "border_share",
    "min_brightness": "brightness", "max_brightness": "brightness", "min_sharpness": "sharpness",
    "max_hand_share": "hand_share", "max_abs_yaw": "max_abs_yaw", "max_abs_pitch": "max_abs_pitch",
    "max_abs_roll": "max_abs_roll",
}  # fmt: skip


def _all_of(root: Path, stage: str) -> pd.DataFrame:
    """The tables of all videos of a stage, one below the other."""
    return pd.concat(map(read_frame, sorted((root / f"results/{stage}").glob("*.csv"))))


def _passing(quality: pd.DataFrame, thresholds: dict[str, float | None]) -> pd.DataFrame:
    """The clips whose measures reach the thresholds, by the keys' names alone."""
    passing = pd.Series(True, quality.index)
    for key, measure in GATES.items():
        if (threshold := thresholds[key]) is not None:
            of_it = quality[measure]
            passing &= of_it >= threshold if key.startswith("min_") else of_it.abs() <= threshold
    return quality[passing]


def _figure(page: Page, name: str, what: str) -> list[int]:
    """Least and most of a figure at the top."""
    settle(page)
    value = page.locator(f".figure.{name}").get_attribute(f"data-{what}")
    return [int(number) for number in (value or "").split()]


def _listed(page: Page, which: str) -> set[str]:
    """The names in one of the three lists, which is scrolled through."""
    page.locator(f".in-sight [data-list={which}]").click()
    frame, names = page.locator(".changes .virtual"), set[str]()
    top, height = 0, frame.evaluate("it => it.scrollHeight")
    while top <= height:
        frame.evaluate("(it, top) => { it.scrollTop = top }", top)
        settle(page)
        names |= set(page.locator(".changes a.name").all_inner_texts())
        top += 300
    return names


def _lines(page: Page) -> str:
    """The lines for config.yaml."""
    settle(page)
    return page.locator(".config-lines pre").inner_text()


def _count(page: Page, which: str) -> int:
    text = page.locator(f".in-sight [data-list={which}]").inner_text()
    return int(text.split()[0].replace(",", ""))


def _wait_for(page: Page, end: str) -> None:
    """Wait until the address ends so."""
    expect(page).to_have_url(re.compile(f"{re.escape(end)}$"))


def _asked(changes: dict[str, float | None]) -> str:
    given = (f"quality.{key}={'off' if v is None else v}" for key, v in changes.items())
    return f"#thresholds?{'&'.join(given)}"


@pytest.mark.parametrize(
    "changes",
    (
        {},
        {"min_sharpness": 60},
        {"min_sharpness": None, "min_present_share": None},
        {"min_brightness": 80.5, "max_brightness": 170, "max_abs_yaw": 25},
    ),
)
def test_numbers_are_those_of_pandas(
    open_report: Open, middle: Path, changes: dict[str, float | None]
) -> None:
    page = open_report(middle, _asked(changes))
    quality = _all_of(middle, "quality")
    before = read_frame(middle / "results/dataset/clips.csv")
    after = _passing(quality, QUALITY | changes)
    assert _figure(page, "now", "clips") == [len(before)] * 2
    assert _figure(page, "now", "frames") == [before.n_frames.sum()] * 2
    assert _figure(page, "then", "clips") == [len(after)] * 2
    assert _figure(page, "then", "frames") == [after.n_frames.sum()] * 2
    assert _figure(page, "difference", "clips") == [len(after) - len(before)] * 2
    assert _listed(page, "kept") == set(after.clip_id) - set(before.clip_id)
    assert _listed(page, "rejected") == set(before.clip_id) - set(after.clip_id)
    assert _count(page, "unknown") == 0
    # Of 12 videos each has a clip in the dataset, so that its side is told by it.
    sides = before.drop_duplicates("video_id").set_index("video_id").split
    after_sides = after.clip_id.str.rsplit("_", n=3).str[0].map(sides).value_counts()
    for side in ("train", "eval"):
        cell = page.locator(f"tr[data-side={side}] td").last.inner_text()
        assert int(cell.split()[0]) == after_sides[side]


def test_a_side_and_an_identity_that_become_empty_are_named(open_report: Open, small: Path) -> None:
    """talk2 has the only clip of its identity, and of eval."""
    clips = read_frame(small / "results/dataset/clips.csv").set_index("video_id")
    heights = read_frame(small / "results/quality/talk1.csv").n_frames
    longest = int(max(heights.max(), clips.n_frames.max()))
    page = open_report(small, f"#thresholds?segments.min_frames={min(longest + 1, 500)}")
    assert _figure(page, "then", "clips") == [0, 0]
    assert "empty" in page.locator("tr[data-side=eval]").inner_text()
    rows = page.locator(".groups [role=listitem]").all_inner_texts()
    assert any("Böb/../Ünal" in row and "empty" in row for row in rows)


def test_what_was_never_a_clip_is_a_range(open_report: Open, middle: Path) -> None:
    """Of those that come back by their face alone."""
    ledger = _all_of(middle, "segments")
    small = ledger[(ledger.reason == "small_face") & (ledger.face_height >= 60)]
    before = len(read_frame(middle / "results/dataset/clips.csv"))
    page = open_report(middle, "#thresholds?segments.min_face_height=60")
    assert _figure(page, "then", "clips") == [before, before + len(small)]
    assert _listed(page, "unknown") == set(small.clip_id)
    assert f"{before} to {before + len(small)} clips" in page.locator(".figure.then").inner_text()


def test_the_address_follows_and_leads_back(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#thresholds")
    field = page.get_by_label("quality.min_sharpness", exact=True)
    field.fill("40")
    _wait_for(page, "#thresholds?quality.min_sharpness=40")
    found = _figure(page, "then", "clips")
    page.get_by_label("off, quality.max_abs_yaw").check()
    page.get_by_role("checkbox", name="keep_unsure").uncheck()
    _wait_for(page, "quality.max_abs_yaw=off")
    lines = _lines(page)
    assert lines == (
        "segments:\n  keep_unsure: false\nquality:\n  min_sharpness: 40\n  max_abs_yaw: null\n"
    )
    assert yaml.safe_load(lines)["quality"] == {"min_sharpness": 40, "max_abs_yaw": None}
    page.reload()
    assert _lines(page) == lines
    page.evaluate("location.hash = '#thresholds?quality.min_sharpness=40'")
    expect(page.get_by_role("checkbox", name="keep_unsure")).to_be_checked()
    assert _figure(page, "then", "clips") == found
    page.get_by_role("button", name="Reset").click()
    _wait_for(page, "#thresholds")
    assert _lines(page) == "# nothing is changed"
    expect(page.get_by_role("button", name="Reset")).to_be_disabled()


def test_lines_are_copied(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#thresholds?segments.min_mouth_motion=1e-7",
                       permissions=["clipboard-read", "clipboard-write"])  # fmt: skip
    page.get_by_role("button", name="Copy config lines").click()
    page.get_by_text("Copied.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "segments:\n  min_mouth_motion: 0.0000001\n"
    assert yaml.safe_load(copied) == {"segments": {"min_mouth_motion": 1e-7}}


def test_what_is_not_allowed_is_said_and_changes_nothing(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#thresholds?segments.min_probability=7&quality.min_sharpness=x")
    assert _lines(page) == "# nothing is changed"
    field = page.get_by_label("segments.min_probability", exact=True)
    for wrong in ("1.5", "", "many"):
        field.fill(wrong)
        page.get_by_text("a number from 0 to 1", exact=True).wait_for()
        assert _lines(page) == "# nothing is changed"
    field.press("Tab")
    expect(field).to_have_value("0.5")


def test_min_frames_ends_where_faces_would_be_cut_elsewhere(
    open_report: Open, tmp_path: Path, middle: Path
) -> None:
    """The candidates of a track follow each other. One of 1,001 frames is cut into three, of 333
    and more, as long as that is allowed, and then into 500, 500 and 1."""
    root = tmp_path / "cut"
    shutil.copytree(middle / "results", root / "results")
    paths = sorted((root / "results/segments").glob("*.csv"))
    for path in paths:
        ledger = read_frame(path)
        # Of all others each is a track of its own.
        ledger["track"] = range(len(ledger))
        if path == paths[0]:
            ledger.loc[:2, "track"] = 0
            ledger.loc[:2, "n_frames"] = [333, 334, 334]
        ledger.to_csv(path, index=False)
    report_on(root, _videos(path.stem for path in paths))
    page = open_report(root, "#thresholds")
    assert "Here from 5 to 333:" in page.locator("fieldset", has_text="Shortest clip").inner_text()
    page.get_by_label("segments.min_frames", exact=True).fill("334")
    page.get_by_text("a whole number from 5 to 333", exact=True).wait_for()


def test_without_exact_measures_it_is_said_what_is_not_known(
    open_report: Open, tmp_path: Path, middle: Path
) -> None:
    root = tmp_path / "bare"
    shutil.copytree(middle / "results", root / "results")
    clips = read_frame(root / "results/dataset/clips.csv")
    for path in (root / "results/preview").glob("*.csv"):
        path.write_text(path.read_text().splitlines()[0] + "\n")
    report_on(root, _videos(clips.video_id))
    page = open_report(root, "#thresholds?quality.min_sharpness=60")
    after = _passing(_all_of(root, "quality"), QUALITY | {"min_sharpness": 60})
    assert _figure(page, "then", "clips") == [len(after)] * 2
    page.evaluate("location.hash = '#thresholds?segments.min_probability=0.6'")
    expect(page.locator(".figure.then")).to_have_attribute("data-clips", re.compile(r"^0 "))
    assert _figure(page, "then", "clips")[1] >= len(clips)


def test_what_was_decided_by_hand_stays(open_report: Open, tmp_path: Path, middle: Path) -> None:
    root = tmp_path / "decided"
    shutil.copytree(middle / "results", root / "results")
    clips = read_frame(root / "results/dataset/clips.csv")
    ledger = _all_of(root, "segments")
    kept, rejected = ledger[ledger.verdict == "rejected"].clip_id.iloc[0], clips.clip_id.iloc[-1]
    decisions = {
        kept: {"decision": "keep", "note": ""},
        rejected: {"decision": "reject", "note": ""},
        clips.clip_id.iloc[0]: {"decision": "", "note": "only a note"},
    }
    run = root / "results/report/data/run.js"
    before, after = (json.dumps(f'"decisions":{json.dumps(it)}')[1:-1] for it in ({}, decisions))
    assert run.read_text().count(before) == 1
    run.write_text(run.read_text().replace(before, after))
    page = open_report(root, "#thresholds?segments.min_face_height=10000")
    assert _figure(page, "then", "clips") == [1, 1]
    assert _listed(page, "kept") == {kept}
    page = open_report(root, "#thresholds")
    assert _listed(page, "rejected") == {rejected}


def test_with_cut_speaking_only_what_is_judged_can_be_tried(
    open_report: Open, tmp_path: Path, middle: Path
) -> None:
    """What is between those stretches in which a face speaks is no candidate, whatever it has, and
    of the others is not asked how probable it is that they speak. Here the ledger did ask it."""
    root = tmp_path / "turns"
    shutil.copytree(middle / "results", root / "results")
    detail = "cut: speaking; longest speech here 12 frames"
    paths = sorted((root / "results/segments").glob("*.csv"))
    for path in paths:
        ledger = read_frame(path)
        between = ledger.reason == "small_face"
        assert between.any()
        ledger.assign(detail=ledger.detail.mask(between, detail)).to_csv(path, index=False)
    settings = CONFIG | {"segments": CONFIG["segments"] | {"cut": "speaking"}}
    results, videos = root / "results", _videos(path.stem for path in paths)
    make_report(videos, results, results / "report", features=FEATURES, settings=settings)
    page = open_report(root, "#thresholds?segments.min_face_height=10&segments.min_probability=0.9")
    ledger = _all_of(root, "segments")
    others = ledger[ledger.reason == "other_speaks"].clip_id
    assert _listed(page, "unknown") == set(others)
    note = f"Of {len(others)} candidates the ledger does not say"
    assert note in page.get_by_role("note").inner_text()
    assert _lines(page) == "segments:\n  min_face_height: 10\n"
    names = page.locator(".threshold legend").all_inner_texts()
    assert "min_mouth_motion" in names and "max_offset" in names
    assert not {"min_probability", "unsure_probability", "keep_unsure", "min_confidence"} & set(
        names
    )
    assert "min_frames" not in names


def _videos(video_ids: Iterable[str]) -> list[dict[str, str]]:
    return [
        {"video_id": name, "source": f"https://example.org/{name}", "identity": "", "split": ""}
        for name in sorted(set(video_ids))
    ]


def test_it_goes_by_the_keyboard(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#thresholds", lacking=True)
    slider = page.get_by_label("quality.min_sharpness, slider")
    slider.focus()
    before = float(slider.input_value())
    for _ in range(3):
        slider.press("ArrowRight")
    settle(page)
    moved = float(slider.input_value())
    assert moved > before
    assert float(page.get_by_label("quality.min_sharpness", exact=True).input_value()) == moved
    page.locator(".in-sight [data-list=rejected]").press("Enter")
    expect(page.locator("#changes-heading")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator(".changes [aria-pressed=true]")).to_be_focused()
    clip = page.locator(".changes a.name").first
    name = clip.inner_text()
    clip.press("Enter")
    _wait_for(page, f"#clip?id={name}")


@pytest.mark.parametrize("width", (400, 1400))
def test_what_is_kept_stays_in_sight(open_report: Open, middle: Path, width: int) -> None:
    page = open_report(middle, "#thresholds", viewport={"width": width, "height": 800})
    page.get_by_label("quality.min_speech_quality", exact=True).scroll_into_view_if_needed()
    box = page.locator(".in-sight").bounding_box()
    assert box and box["y"] == 0 and box["height"] < 200
