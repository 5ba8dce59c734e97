"""The view of one clip of a report in a browser: its address, and what is on screen.

The films of the small results show their own frames' numbers, so what is on screen can be read.
"""

from __future__ import annotations

import base64

import cv2
import numpy as np
from playwright.sync_api import Page, expect

from helpers.settled import settle
from helpers.small_results import SmallClip
from helpers.synthetic import read_number

# Of the film, the part with the picture: its own controls lie below it.
PICTURE = ".stage .over"


def address(clip: SmallClip, frame: int | None = None, **parameters: str) -> str:
    more = "".join(f"&{name}={value}" for name, value in parameters.items())
    return f"#clip?id={clip.clip_id}" + ("" if frame is None else f"&frame={frame}") + more


def screenshot(page: Page, selector: str) -> np.ndarray:
    data = page.locator(selector).first.screenshot(scale="device")
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def wait_for_frame(page: Page, frame: int) -> None:
    """Wait until the film has come to a frame, and all that follows it."""
    page.wait_for_selector(f"canvas.faces[data-frame='{frame}']", state="attached")
    page.wait_for_function("() => !document.querySelector('video').seeking")
    expect(page.locator(".frame-number b")).to_have_text(str(frame))


def number_shown(page: Page) -> int:
    """The number in the film's picture; without what is drawn over it."""
    page.get_by_role("checkbox", name="Landmarks").uncheck()
    settle(page)
    return read_number(screenshot(page, PICTURE))


def drawn(page: Page) -> np.ndarray:
    """(H, W, 4) blue, green, red, alpha of what is drawn over the film."""
    url = page.eval_on_selector("canvas.faces", "canvas => canvas.toDataURL()")
    data = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
