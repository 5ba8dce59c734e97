"""The keys of the view of one clip: through the list, to mark, and turned off."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from helpers.clip_page import address, wait_for_frame
from helpers.small_results import CLIPS

from .conftest import Open

CLIP = CLIPS[1]


def test_brackets_go_through_the_list(open_report: Open, small: Path) -> None:
    """Kept clips from the longest down; the curves of a clip that was left are loaded anew."""
    page = open_report(small, address(CLIPS[2], verdict="kept", sort="-n_frames"))
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url.rsplit("/", 1)[1]))
    name = page.locator(".title .name")
    expect(page.locator(".beside")).to_contain_text("1 of 3")
    order = [CLIPS[2], CLIPS[1], CLIPS[0]]
    for key, place in (("]", 1), ("]", 2), ("]", 2), ("[", 1), ("[", 0), ("[", 0)):
        page.keyboard.press(key)
        expect(name).to_have_text(order[place].clip_id)
        page.wait_for_selector(".lane .curve path")
    assert loaded.count(f"{CLIPS[1].clip_id}.js") == 2
    assert page.locator("video").count() == 1


def test_keys_mark_the_clip(open_report: Open, small: Path) -> None:
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    page.locator("h1").focus()
    keep = page.get_by_role("button", name=f"keep {CLIP.clip_id}")
    page.keyboard.press("k")
    expect(keep).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("k")
    expect(keep).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("n")
    page.wait_for_selector(".marks textarea:focus")
    page.keyboard.type("k r [ ]")
    expect(keep).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".title .name")).to_have_text(CLIP.clip_id)


def test_letter_keys_can_be_turned_off(open_report: Open, small: Path) -> None:
    """WCAG 2.1.4; the browser remembers it, for the list as well, and other keys go on."""
    page = open_report(small, address(CLIP))
    wait_for_frame(page, 0)
    page.get_by_role("checkbox", name="Letter keys").uncheck()
    page.reload()
    wait_for_frame(page, 0)
    expect(page.get_by_role("checkbox", name="Letter keys")).not_to_be_checked()
    page.locator("h1").focus()
    keep = page.get_by_role("button", name=f"keep {CLIP.clip_id}")
    for key in ("k", "r", "n", "[", "]", "Space"):
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    wait_for_frame(page, 1)
    expect(keep).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".marks textarea")).to_have_count(0)
    expect(page.locator(".title .name")).to_have_text(CLIP.clip_id)
    assert page.evaluate("document.querySelector('video').paused")
    page.evaluate("location.hash = '#clips'")
    page.locator('[data-place="0"] a').focus()
    page.keyboard.press("k")
    page.keyboard.press("ArrowDown")
    expect(page.locator('[data-place="1"] a')).to_be_focused()
    expect(page.locator(".marks [aria-pressed=true]")).to_have_count(0)
    page.evaluate("location.hash = '#clip?id=" + CLIP.clip_id + "'")
    page.get_by_role("checkbox", name="Letter keys").check()
    page.locator("h1").focus()
    page.keyboard.press("k")
    expect(keep).to_have_attribute("aria-pressed", "true")
