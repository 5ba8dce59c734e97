"""The page as a whole, in a browser: quiet, for everybody, and text stays text."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import Open

VIEWS = ("yield", "clips", "thresholds", "distributions", "run")


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("view", VIEWS)
def test_everybody_can_use_it(open_report: Open, middle: Path, view: str, scheme: str) -> None:
    page = open_report(middle, f"#{view}", color_scheme=scheme)
    # It would fetch the style sheet anew, which the page may not.
    found = Axe().run(page, options={"preload": False}).response["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in serious] == []


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_a_phone(open_report: Open, middle: Path, view: str) -> None:
    page = open_report(middle, f"#{view}", viewport={"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("view", VIEWS)
def test_the_head_takes_two_lines_of_a_phone(open_report: Open, middle: Path, view: str) -> None:
    page = open_report(middle, f"#{view}", viewport={"width": 400, "height": 800})
    parts = [page.locator(f"header {part}").bounding_box() for part in (".name", "select", "nav")]
    name, colours, views = ((box["y"], box["y"] + box["height"]) for box in parts if box)
    assert name[0] < colours[1] and colours[0] < name[1]
    assert colours[1] <= views[0] and views[1] - views[0] < 50
    # Which view is shown is seen, however far the others are.
    current = page.locator("header [aria-current=page]").bounding_box()
    assert current and current["x"] >= 0 and current["x"] + current["width"] <= 400


@pytest.mark.parametrize("view", VIEWS)
def test_what_sites_say_is_text(open_report: Open, middle: Path, view: str) -> None:
    page = open_report(middle, f"#{view}")
    assert "harmed" not in page.title()
    assert page.locator("img[src=x], main script, b").count() == 0
