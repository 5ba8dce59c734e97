"""When the page of a report has come to rest."""

from __future__ import annotations

from playwright.sync_api import Page

# Frames in a row that must be drawn without a change: however busy the machine is, the page has had
# its turn in each.
QUIET_FRAMES = 15
SETTLED = """(quiet) => new Promise((done) => {
  let frames = 0;
  const changes = new MutationObserver(() => { frames = 0; });
  changes.observe(
    document, { attributes: true, characterData: true, childList: true, subtree: true });
  const seen = (picture) =>
    picture.loading !== "lazy" || picture.getBoundingClientRect().top < innerHeight;
  const frame = () => {
    const coming = [...document.images].some((picture) => !picture.complete && seen(picture));
    const seeking = [...document.querySelectorAll("video")].some((film) => film.seeking);
    const moving = document.getAnimations().some(({ playState }) => playState === "running");
    frames = coming || seeking || moving ? 0 : frames + 1;
    if (frames < quiet) return requestAnimationFrame(frame);
    changes.disconnect();
    done();
  };
  requestAnimationFrame(frame);
})"""


def settle(page: Page) -> None:
    """Wait until nothing of the page changes: no element, and no picture, film or movement that is
    on its way."""
    page.evaluate(SETTLED, QUIET_FRAMES)
