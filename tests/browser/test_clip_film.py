"""The film of a clip's view: the number that is said is that of the picture, however one got there.

Browsers differ in what they tell of a film, and all must show the same.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from helpers.clip_page import address, number_shown, wait_for_frame
from helpers.settled import settle
from helpers.small_results import CLIPS

from .conftest import Open, watched

CLIP = CLIPS[1]

# WebKit gives a frame the time of the second after it, as the codec holds two back.
LATE = """
const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
HTMLVideoElement.prototype.requestVideoFrameCallback = function (hear) {
  return ask.call(this, (now, { mediaTime }) => hear(now, { mediaTime: mediaTime + 2 / 25 }));
};"""

# As for a tab that is not seen: frames are played and nobody is told of them.
UNSEEN = """() => {
  HTMLVideoElement.prototype.requestVideoFrameCallback = () => 0;
}"""


def frame_said(page: Page) -> int:
    return int(page.locator(".frame-number b").inner_text())


def check_rest(page: Page) -> int:
    """The frame that is said, which is the one that is seen; the film rests in the midst of it."""
    settle(page)
    frame = frame_said(page)
    wait_for_frame(page, frame)
    assert number_shown(page) == CLIP.start + frame
    rests = page.locator("video").evaluate("film => film.currentTime")
    assert rests == pytest.approx((frame + 0.5) / 25, abs=1e-3)
    return frame


def play(page: Page, seconds: float) -> None:
    """Play by the key until so many seconds of the clip, then pause."""
    page.locator("video").focus()
    page.keyboard.press("Space")
    page.wait_for_function("to => document.querySelector('video').currentTime > to", arg=seconds)
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video').paused")


def test_a_pause_is_at_the_frame_that_is_seen(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    play(page, 0.5)
    first = check_rest(page)
    assert first > 10
    play(page, first / 25 + 0.5)
    assert check_rest(page) > first + 10


def test_played_to_the_end_it_shows_the_last_frame(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP, CLIP.n_frames - 8))
    wait_for_frame(page, CLIP.n_frames - 8)
    page.locator("video").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video').ended")
    settle(page)
    assert frame_said(page) == CLIP.n_frames - 1
    assert number_shown(page) == CLIP.start + CLIP.n_frames - 1
    # Once more begins at the first frame.
    play(page, 0.2)
    assert 4 < check_rest(page) < 40


@pytest.mark.parametrize("frames", (40, 40.99, 41.01))
def test_the_films_own_controls_lead_to_a_frame(
    open_report: Open, small: Path, frames: float
) -> None:
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    page.locator("video").evaluate("(film, to) => { film.currentTime = to }", frames / 25)
    assert check_rest(page) == int(frames + 0.01)


@pytest.mark.parametrize("first", (0, 40))
def test_a_browser_may_give_frames_a_late_time(browser: Browser, small: Path, first: int) -> None:
    with watched(browser) as found:
        page = found.page
        page.add_init_script(LATE)
        page.goto((small / "results/report/index.html").as_uri() + address(CLIP, first))
        wait_for_frame(page, first)
        assert number_shown(page) == CLIP.start + first
        page.locator("video").focus()
        page.keyboard.press("ArrowRight")
        assert check_rest(page) == first + 1
        play(page, first / 25 + 0.5)
        assert check_rest(page) > first + 10


def test_a_pause_in_a_tab_that_was_not_seen_is_where_the_sound_is(
    open_report: Open, small: Path
) -> None:
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    page.locator("video").focus()
    page.keyboard.press("Space")
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.2")
    page.evaluate(UNSEEN)
    page.wait_for_function("() => document.querySelector('video').currentTime > 1.5")
    page.keyboard.press("Space")
    assert check_rest(page) >= int(1.5 * 25)


@pytest.mark.parametrize("content", (None, b"no film"), ids=("missing", "damaged"))
def test_without_its_film_what_is_beside_it_goes_on(
    browser: Browser, small: Path, tmp_path: Path, content: bytes | None
) -> None:
    shutil.copytree(small / "results", tmp_path / "results")
    film = tmp_path / f"results/clips/{CLIP.video}/{CLIP.clip_id}.mp4"
    film.unlink()
    if content is not None:
        film.write_bytes(content)
    with watched(browser, lacking=True) as found:
        page = found.page
        page.goto((tmp_path / "results/report/index.html").as_uri() + address(CLIP, 40))
        expect(page.locator(".no-film")).to_be_visible()
        drawn = page.locator("canvas.faces")
        beside = page.get_by_role("img", name="Parsing")
        for frame, key in ((41, "ArrowRight"), (66, "Shift+ArrowRight"), (65, "ArrowLeft")):
            page.keyboard.press(key)
            expect(page.locator(".frame-number b")).to_have_text(str(frame))
            expect(drawn).to_have_attribute("data-frame", str(frame))
            expect(beside).to_have_attribute("data-frame", str(frame))
        # Nothing can be played, and that changes nothing.
        page.keyboard.press("Space")
        settle(page)
        assert page.get_by_role("button", name="Play").is_visible()
        assert frame_said(page) == 65
