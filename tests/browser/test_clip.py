"""The view of one clip: its film, what is drawn over it, its curves, its place in the list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from helpers.clip_page import (
    PICTURE,
    address,
    drawn,
    number_shown,
    screenshot,
    wait_for_frame,
)
from helpers.settings import CONFIG
from helpers.settled import settle
from helpers.small_report import REJECTED, VIDEOS, make_small_report_results
from helpers.small_results import CLIPS, SIZE, labels
from talkingface.faces.ibug68 import points68
from talkingface.pictures.parsing.labels import PALETTE
from talkingface.report.report import make_report

from .conftest import Open, report_on

CLIP = CLIPS[1]
SMALL_FACE = next(iter(REJECTED))


@pytest.fixture
def loose(browser: Browser) -> Iterator[Page]:
    """A page that may say on its console that a file is not there."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("density", (1, 2))
def test_landmarks_are_drawn_where_the_data_say(
    open_report: Open, small: Path, density: int
) -> None:
    page = open_report(small, address(CLIP, 40), device_scale_factor=density)
    wait_for_frame(page, 40)
    settle(page)
    picture = drawn(page)
    across = page.locator("canvas.faces").bounding_box()
    assert across is not None
    assert picture.shape[1] == pytest.approx(across["width"] * density, abs=1)
    expected = points68(CLIP.points)[40][:, :2] * picture.shape[1] / SIZE
    # Green in the midst of a point, dark at its rim.
    green = (picture[..., 1] > 200) & (picture[..., 2] < 150) & (picture[..., 3] > 200)
    y, x = np.nonzero(green)
    found = np.stack([x + 0.5, y + 0.5], axis=1)
    apart = np.linalg.norm(found[:, None] - expected[None], axis=2)
    assert apart.min(axis=0).max() < 1.0 * density
    assert apart.min(axis=1).max() < 3.0 * density
    # Other frames are elsewhere, so it is this one that is drawn.
    other = points68(CLIP.points)[60][:, :2] * picture.shape[1] / SIZE
    assert np.linalg.norm(found[:, None] - other[None], axis=2).min(axis=0).max() > 5


def test_face_box_and_choices_are_remembered(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP, 10))
    wait_for_frame(page, 10)
    page.get_by_role("checkbox", name="Landmarks").uncheck()
    page.get_by_role("checkbox", name="Face box").check()
    page.reload()
    wait_for_frame(page, 10)
    settle(page)
    expect(page.get_by_role("checkbox", name="Face box")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Landmarks")).not_to_be_checked()
    picture = drawn(page)
    y, x = np.nonzero(picture[..., 3] > 128)
    scale = picture.shape[1] / SIZE
    xy = CLIP.points[10][:, :2] * scale
    edges = [*xy.min(axis=0), *xy.max(axis=0)]
    assert [x.min(), y.min(), x.max(), y.max()] == pytest.approx(edges, abs=3.5)


def test_steps_go_by_frames(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    page.get_by_role("button", name="Forward one frame").click()
    wait_for_frame(page, 1)
    assert number_shown(page) == CLIP.start + 1
    page.locator("h1").focus()
    for key, frame in (
        ("ArrowRight", 2),
        ("Shift+ArrowRight", 27),
        ("ArrowLeft", 26),
        ("Shift+ArrowLeft", 1),
        ("ArrowLeft", 0),
        ("ArrowLeft", 0),
    ):
        page.keyboard.press(key)
        wait_for_frame(page, frame)
        assert number_shown(page) == CLIP.start + frame
        page.locator("h1").focus()
    # The film and the slider have keys of their own for some of these.
    for name, key, frame in (
        ("video", "ArrowRight", 1),
        ("video", "Shift+ArrowRight", 26),
        (".ruler", "ArrowLeft", 25),
        (".ruler", "End", CLIP.n_frames - 1),
        (".ruler", "ArrowRight", CLIP.n_frames - 1),
        (".ruler", "Home", 0),
    ):
        page.locator(name).focus()
        page.keyboard.press(key)
        wait_for_frame(page, frame)
        assert number_shown(page) == CLIP.start + frame
    expect(page.locator(".frame-number")).to_contain_text("0:00:00.00")


def test_curves_lead_the_film(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    plot = page.locator(".lane-plot").nth(1)
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    # The axis is from 44 pixels after the left edge to 44 before the right one.
    frame = 63
    x = box["x"] + 44 + (frame + 0.5) / CLIP.n_frames * (box["width"] - 88)
    page.mouse.click(x, box["y"] + 30)
    wait_for_frame(page, frame)
    assert page.eval_on_selector("video", "film => Math.floor(film.currentTime * 25)") == frame
    assert number_shown(page) == CLIP.start + frame
    line = page.locator(".playhead").bounding_box()
    assert line is not None
    assert line["x"] + line["width"] / 2 == pytest.approx(x, abs=1)
    # Curves of the small results rise from 0 to 1; see `detail_of`.
    share = frame / (CLIP.n_frames - 1)
    for name in ("mouth opening", "somebody is heard to speak", "lips with the sound"):
        words = page.locator(".key", has_text=name).locator("output").inner_text()
        assert float(words.split()[0]) == pytest.approx(share, abs=1e-3)
    yaw = page.locator(".key", has_text="yaw").locator("output").inner_text()
    assert float(yaw.split()[0]) == pytest.approx(CLIP.angles[frame, 0], abs=0.01)
    page.get_by_label("Place in the clip").focus()
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, frame + 1)
    settle(page)
    words = page.get_by_label("Place in the clip").get_attribute("aria-valuetext")
    assert words == "frame 64, 0:00:02.56"


def test_the_pose_curve_is_the_poses(open_report: Open, small: Path) -> None:
    """The curve is as high as the angle: its path is read, not the picture."""
    page = open_report(small, address(CLIP))
    page.wait_for_selector(".curve path")
    path = page.locator(".lane", has_text="Pose").locator(".curve path").first
    points = np.array(
        [pair.split(",") for pair in re.split("[ML]", path.get_attribute("d") or "")[1:]], float
    )
    yaw = CLIP.angles[:, 0].round(2)
    assert len(points) == len(yaw)
    assert np.corrcoef(points[:, 1], -yaw)[0, 1] > 0.9999
    assert np.allclose(np.diff(points[:, 0]), np.diff(points[:, 0]).mean(), atol=0.02)


def test_parsing_has_the_colours_of_its_labels(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP, 5))
    wait_for_frame(page, 5)
    page.get_by_role("checkbox", name="Landmarks").uncheck()
    page.get_by_role("checkbox", name="Parsing").check()
    page.get_by_label("Opacity of the parsing").fill("100")
    page.wait_for_selector(".over img[data-frame='5']")
    page.wait_for_selector(".views .labels img[data-frame='5']")
    settle(page)
    truth = labels()
    for selector, over_film in ((PICTURE, True), (".views .labels", False)):
        picture = screenshot(page, selector)
        height, width = picture.shape[:2]
        for label in np.unique(truth):
            # The middle of the label's widest place, far from its edges.
            there = np.pad((truth == label).astype(np.uint8), 1)
            inside = cv2.distanceTransform(there, cv2.DIST_L2, 5)[1:-1, 1:-1]
            y, x = np.unravel_index(inside.argmax(), truth.shape)
            if label == 0 and over_film:
                continue  # The film is seen there.
            pixel = picture[int((y + 0.5) * height / SIZE), int((x + 0.5) * width / SIZE)]
            assert np.abs(pixel.astype(int) - PALETTE[label]).max() <= 2, (selector, label)
    # Between two labels there is no third one.
    inside = picture[8:-8, 8:-8].reshape(-1, 1, 3).astype(int)
    other = np.abs(inside - PALETTE[np.unique(truth)].astype(int)).max(axis=2).min(axis=1) > 2
    assert other.mean() < 1e-3


def test_pictures_beside_follow_the_frame(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP, 12))
    wait_for_frame(page, 12)
    page.locator("h1").focus()
    page.keyboard.press("ArrowRight")
    for name in ("Depth", "Parsing", "Torso"):
        picture = page.locator(f".views img[alt^='{name}']")
        expect(picture).to_have_attribute("data-frame", "13")
        assert (picture.get_attribute("src") or "").endswith("/000014.png")


def test_features_that_were_not_made_say_which_setting_makes_them(
    open_report: Open, tmp_path: Path
) -> None:
    results = make_small_report_results(tmp_path)
    make_report(VIDEOS, results, results / "report", features=["landmarks"], settings=CONFIG)
    page = open_report(tmp_path, address(CLIP))
    wait_for_frame(page, 0)
    expect(page.get_by_role("checkbox", name="Parsing")).to_be_disabled()
    expect(page.locator(".toggles")).to_contain_text("add parsing to the setting features")
    expect(page.locator(".views")).to_contain_text("add depth to the setting features")


def test_a_long_name_leaves_room_for_the_other_columns(open_report: Open, tmp_path: Path) -> None:
    make_small_report_results(tmp_path)
    name = "m" * 150
    of_clip = next(video for video in VIDEOS if video["video_id"] == CLIP.video)
    report_on(tmp_path, [of_clip | {"identity": name}, *(v for v in VIDEOS if v != of_clip)])
    page = open_report(tmp_path, address(CLIP))
    row = page.locator(".ledger tr", has_text=name)
    meaning = row.locator("td").last
    assert meaning.evaluate("cell => cell.getBoundingClientRect().width") > 200
    table = page.get_by_role("region", name="Measures of The row itself")
    assert table.evaluate("each => each.scrollWidth <= each.clientWidth")


def test_an_unknown_clip_says_so(open_report: Open, small: Path) -> None:
    page = open_report(small, "#clip?id=nobody&verdict=kept")
    expect(page.locator("main")).to_contain_text("There is no clip nobody")
    assert (
        page.get_by_role("link", name="Back to the list").get_attribute("href")
        == "#clips?verdict=kept"
    )


def test_clips_that_were_left_are_let_go(open_report: Open, small: Path) -> None:
    """Whatever the page was at, after many clips it holds no more than after few."""
    page = open_report(small, address(CLIPS[0], verdict="kept"))
    session = page.context.new_cdp_session(page)

    def nodes_after(rounds: int) -> int:
        for _ in range(rounds):
            for key, clip in (("]", CLIPS[1]), ("[", CLIPS[0])):
                page.keyboard.press(key)
                expect(page.locator(".title .name")).to_have_text(clip.clip_id)
                # A handle of an element, as `wait_for_selector` gives, would hold the element.
                page.wait_for_function("() => !!document.querySelector('.views img[data-frame]')")
        settle(page)
        session.send("HeapProfiler.collectGarbage")
        return int(session.send("Memory.getDOMCounters")["nodes"])

    first = nodes_after(2)
    assert nodes_after(5) < first + 200


def test_the_link_leads_to_the_frame(browser: Browser, small: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{(small / 'results/report/index.html').as_uri()}{address(CLIP, 7, verdict='kept')}")
    wait_for_frame(page, 7)
    page.locator("h1").focus()
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, 8)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".actions .said", has_text="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto("about:blank")
    page.goto(link)
    wait_for_frame(page, 8)
    expect(page.locator(".beside")).to_contain_text("of 3")
    context.close()


def test_files_that_are_gone_are_told_calmly(loose: Page, tmp_path: Path) -> None:
    results = make_small_report_results(tmp_path)
    report_on(tmp_path, VIDEOS)
    for path in (
        results / f"clips/{CLIP.video}/{CLIP.clip_id}.mp4",
        results / f"preview/{CLIP.video}/{CLIP.clip_id}.js",
        results / f"background/{CLIP.video}/{CLIP.clip_id}.png",
    ):
        path.unlink()
    problems: list[Any] = []
    loose.on("pageerror", lambda problem: problems.append(problem))
    loose.goto(f"{(results / 'report/index.html').as_uri()}{address(CLIP)}")
    expect(loose.locator(".stage")).to_contain_text("The film is not where it was made")
    expect(loose.locator(".curves")).to_contain_text("are not in the files beside the page")
    expect(loose.locator(".views")).to_contain_text("This picture is not there.")
    loose.locator("h1").focus()
    loose.keyboard.press("ArrowRight")
    expect(loose.locator(".frame-number b")).to_have_text("1")
    assert problems == []


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("key", (CLIP.clip_id, SMALL_FACE))
def test_everybody_can_use_it(open_report: Open, small: Path, key: str, scheme: str) -> None:
    page = open_report(small, f"#clip?id={key}", color_scheme=scheme)
    page.wait_for_selector(".lane .curve path" if key == CLIP.clip_id else ".why img")
    settle(page)
    found = Axe().run(page, options={"preload": False}).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in serious] == []


@pytest.mark.parametrize("key", (CLIP.clip_id, SMALL_FACE, "talk1@400", "gone@all"))
def test_nothing_is_wider_than_a_phone(open_report: Open, small: Path, key: str) -> None:
    page = open_report(small, f"#clip?id={key}", viewport={"width": 400, "height": 800})
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_a_reason_leads_to_the_threshold_that_decided(open_report: Open, small: Path) -> None:
    page = open_report(small, f"#clip?id={SMALL_FACE}")
    expect(page.locator(".why .compared")).to_have_text(
        "Face height: 62 source pixels, asked for at least 100."
    )
    page.get_by_role("link", name="Try another value of segments.min_face_height").click()
    expect(page.locator("h1")).to_have_text("Thresholds")
    slider = page.get_by_label("segments.min_face_height, slider")
    expect(slider).to_be_focused()
    expect(slider).to_be_in_viewport()


def test_film_pictures_and_curves_are_seen_together(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP))
    page.wait_for_selector(".lane .curve path")
    film, views, lanes = (
        page.locator(f".one-clip {part}").bounding_box() for part in (".stage", ".views", ".lanes")
    )
    assert film and views and lanes
    assert views["x"] > film["x"] + film["width"] and lanes["x"] == views["x"]
    assert lanes["y"] < 800


def test_nothing_moves_while_it_comes(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP, 3))
    wait_for_frame(page, 3)
    settle(page)
    moved = page.evaluate(
        """new Promise((done) => {
          new PerformanceObserver((list) => done(
            list.getEntries()
              .filter((one) => one.sources.some(({ node }) => node?.closest?.('.one-clip')))
              .reduce((sum, one) => sum + one.value, 0)
          )).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => done(0), 300);
        })"""
    )
    assert moved < 0.01
