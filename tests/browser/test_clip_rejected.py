"""The view of what was rejected: why, where it shows, and that every row can be looked at."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from helpers.clip_page import address, number_shown, wait_for_frame
from helpers.datasets import make_default_dataset
from helpers.settled import settle
from helpers.small_report import (
    FEATURES,
    REJECTED,
    VIDEOS,
    detail_of,
    make_small_report_results,
)
from helpers.small_results import CLIPS
from talkingface import tables
from talkingface.job.tables import read_table, write_table
from talkingface.report.javascript import write_data

from .conftest import Open, report_on

BLURRED = CLIPS[0]
LEAST_SHARP = 37
LONG, PEAK = 20_000, 12_345  # frames
SMALL_FACE, OTHER_SPEAKS = REJECTED


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small workspace, where one clip is rejected as too blurred, least sharp in a known
    frame."""
    root = tmp_path_factory.mktemp("judged")
    results = make_small_report_results(root)
    for definition, column, value in (
        (tables.QUALITY, "sharpness", 12.0),
        (tables.PREVIEW, "sharpness_frame", LEAST_SHARP),
    ):
        path = results / definition.path.format(video=BLURRED.video)
        table = read_table(path, definition)
        table[column][table.clip_id == BLURRED.clip_id] = value
        write_table(table, path, definition)
    _make_long(results)
    make_default_dataset(VIDEOS, results, features=FEATURES, thresholds={"min_sharpness": 20.0})
    report_on(root, VIDEOS)
    return root


def _make_long(results: Path) -> None:
    """Let one rejected stretch be LONG frames long, with a single peak in its curves."""
    path = results / tables.SEGMENTS.path.format(video="talk1")
    table = read_table(path, tables.SEGMENTS)
    table.n_frames[table.clip_id == OTHER_SPEAKS] = LONG
    write_table(table, path, tables.SEGMENTS)
    curve = np.zeros(LONG)
    curve[PEAK] = 1
    detail = detail_of(CLIPS[1]) | {
        "clip_id": OTHER_SPEAKS,
        "n_frames": LONG,
        "score": curve.tolist(),
    }
    detail |= dict.fromkeys(("points68", "boxes", "sound", "yaw", "pitch", "roll"))
    write_data(OTHER_SPEAKS, detail, results / f"preview/talk1/{OTHER_SPEAKS}.js")


def test_a_long_stretch_keeps_its_peaks(open_report: Open, judged: Path) -> None:
    page = open_report(judged, f"#clip?id={OTHER_SPEAKS}")
    page.wait_for_selector(".lane .curve path", state="attached")
    path = page.locator(".lane", has_text="Sync score").locator(".curve path").first
    data = re.split("[ML]", path.get_attribute("d") or "")[1:]
    points = np.array([pair.split(",") for pair in data], float)
    assert len(points) < 5000
    width = page.locator(".lane-plot").first.evaluate("one => one.clientWidth")
    top = points[points[:, 1].argmin()]
    assert top[0] == pytest.approx(44 + (PEAK + 0.5) / LONG * (width - 88), abs=0.5)
    assert (points[:, 1] < np.median(points[:, 1]) - 1).sum() == 1


def test_a_rejected_stretch_shows_why(open_report: Open, small: Path) -> None:
    page = open_report(small, f"#clip?id={SMALL_FACE}")
    why = page.locator(".why")
    expect(why).to_contain_text("Face too small: the face is lower than asked for.")
    expect(why).to_contain_text("Found by the stage tracks, as small_face.")
    expect(why).to_contain_text("Face height: 62 source pixels, asked for at least 100.")
    expect(why).to_contain_text("segments.min_face_height")
    link = why.get_by_role("link").first.get_attribute("href") or ""
    assert link.startswith("#thresholds")
    picture = why.locator("img")
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 480
    assert page.locator("video").count() == 0


@pytest.fixture(scope="module")
def sync_judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small workspace of the tests below: each rejects a stretch anew."""
    root = tmp_path_factory.mktemp("sync")
    make_small_report_results(root)
    return root


@pytest.mark.parametrize(
    ("reason", "detail", "setting", "other"),
    [
        ("not_speaking", "the lips are still while a voice is heard", "min_mouth_motion", False),
        ("not_speaking", "lips and voice do not go together", "unsure_probability", False),
        ("not_speaking", "", "min_confidence", False),
        ("other_speaks", "the voice is rather that of track 3", "min_probability", True),
        ("other_speaks", "mean over the frames; it is rather track 3 that speaks", "", True),
        (
            "other_speaks",
            "lips move, but not as the voice heard: somebody off screen, or dubbed",
            "unsure_probability",
            False,
        ),
    ],
)
def test_which_setting_decides_is_told_by_the_detail(
    open_report: Open, sync_judged: Path, reason: str, detail: str, setting: str, other: bool
) -> None:
    """`sync` gives two reasons for several causes each."""
    results = sync_judged / "results"
    path = results / tables.SEGMENTS.path.format(video="talk1")
    ledger = read_table(path, tables.SEGMENTS)
    row = ledger.clip_id == OTHER_SPEAKS
    ledger.reason[row], ledger.detail[row] = reason, detail
    write_table(ledger, path, tables.SEGMENTS)
    make_default_dataset(VIDEOS, results, features=FEATURES, thresholds={})
    report_on(sync_judged, VIDEOS)
    why = open_report(sync_judged, f"#clip?id={OTHER_SPEAKS}").locator(".why")
    expect(why.locator(".compared")).to_have_count(1)
    named = [text.partition(":")[0] for text in why.locator("li > code").all_inner_texts()]
    assert named == ([f"segments.{setting}"] if setting else [])
    assert ("of the other face" in why.locator(".compared").inner_text()) == other


def test_a_clip_rejected_by_quality_opens_where_it_shows(open_report: Open, judged: Path) -> None:
    page = open_report(judged, address(BLURRED))
    wait_for_frame(page, LEAST_SHARP)
    assert number_shown(page) == BLURRED.start + LEAST_SHARP
    expect(page.locator(".why")).to_contain_text("Sharpness: 12, asked for at least 20.")
    expect(page.locator(".why")).to_contain_text("quality.min_sharpness")
    row = page.locator(".ledger tr", has=page.locator("th", has_text=re.compile("^sharpness$")))
    expect(row).to_contain_text("misses at least 20")


def test_all_rows_can_be_looked_at(open_report: Open, judged: Path) -> None:
    page = open_report(judged, "#clip?id=gone@all")
    seen = set()
    for key in (*(clip.clip_id for clip in CLIPS), *REJECTED, "talk1@400", "gone@all"):
        page.evaluate("to => { location.hash = to }", f"#clip?id={key}")
        page.wait_for_function("key => location.hash.endsWith(key)", arg=key)
        settle(page)
        words = page.locator("main").inner_text()
        assert not re.search(r"\b(NaN|undefined|null|Infinity|object Object)\b", words), key
        seen.add(page.locator(".title .name").inner_text())
    assert len(seen) == len(CLIPS) + len(REJECTED) + 2
    expect(page.locator(".why")).to_contain_text("Removed by <uploader>.")
    # What looks like an address of its page and is none is not shown.
    expect(page.locator(".provenance")).not_to_contain_text("javascript:alert(1)")
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.locator(".provenance a[rel=noreferrer]").all_inner_texts() == [
        "https://example.org/gone"
    ]
