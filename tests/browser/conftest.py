"""A browser for the tests, and report pages to look at with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from helpers.large_results import make_large_results
from helpers.odd_report import make_odd_results
from helpers.report_rows import ledger_rows
from helpers.settings import CONFIG
from helpers.settled import settle
from helpers.small_report import FEATURES, VIDEOS, make_small_report_results
from talkingface.report.report import make_report

INSTALL = Path(__file__).parent / "install.sh"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_browser() -> str | None:
    """Path of an installed Chromium; installs Debian's where there is none and root asks."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None and hasattr(os, "getuid") and os.getuid() == 0:
        subprocess.run(["sh", str(INSTALL)], check=False)
        found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        reason = f"no Chromium: {INSTALL} installs Debian's, as root"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # As root Chromium has no sandbox; it opens nothing but files of the tests.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Watched:
    """A page, and what it must not do: errors on its console, requests of other than files."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def check(self) -> None:
        """No error was said, and no request left the page."""
        assert self.errors == []
        assert [
            url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))
        ] == []


@contextmanager
def watched(browser: Browser, lacking: bool = False, **options: Any) -> Iterator[Watched]:
    """A page in a context of its own; at the end it must have been quiet.

    lacking: whether films and pictures may not be there, of which the browser itself has a word.
    """
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | options)
    page = context.new_page()
    page.set_default_timeout(20_000)
    found = Watched(page)

    def say(message: Any) -> None:
        of_browser = "net::ERR_FILE_NOT_FOUND" in message.text
        if message.type in ("error", "warning") and not (lacking and of_browser):
            found.errors.append(f"{message.text} {message.location.get('url', '')}")

    page.on("console", say)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", lambda request: found.requests.append(request.url))
    try:
        yield found
        found.check()
    finally:
        context.close()


Open = Callable[..., Page]


@pytest.fixture
def open_report(browser: Browser) -> Iterator[Open]:
    """Opens a view of a report, `open_report(root, "#clips", color_scheme="dark")`, and waits until
    it is at rest; every page that was opened must have been quiet, see `watched`."""
    stack: list[Any] = []

    def open_view(root: Path, address: str = "", **options: Any) -> Page:
        manager = watched(browser, **options)
        found = manager.__enter__()
        stack.append(manager)
        found.page.goto(f"{(root / 'results/report/index.html').as_uri()}{address}")
        found.page.wait_for_selector("h1")
        settle(found.page)
        return found.page

    yield open_view
    for manager in stack:
        manager.__exit__(None, None, None)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the small results, whose content is exactly known, and their report."""
    root = tmp_path_factory.mktemp("small")
    make_small_report_results(root)
    report_on(root, VIDEOS)
    return root


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 10,000 kept clips and 30,000 others of 1,000 videos, and their report."""
    root = tmp_path_factory.mktemp("large")
    videos = make_large_results(root, videos=1000, kept=10, rejected=30, details=False)
    report_on(root, videos)
    return root


@pytest.fixture(scope="session")
def middle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `large`, of 12 videos with 5 kept and 7 other candidates each."""
    root = tmp_path_factory.mktemp("middle")
    report_on(root, make_large_results(root, videos=12, kept=5, rejected=7, seed=1))
    return root


class Odd(NamedTuple):
    """A workspace with a report, its list of videos, and all rows of its ledgers."""

    root: Path
    videos: list[dict[str, str]]
    rows: pd.DataFrame


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Odd:
    """Results with odd names, failed downloads and gaps, and their report."""
    root = tmp_path_factory.mktemp("odd")
    videos = make_odd_results(root)
    report_on(root, videos)
    return Odd(root, videos, ledger_rows(root / "results", videos))


def report_on(root: Path, videos: list[dict[str, str]]) -> None:
    """Make the report of the results in `root`."""
    results = root / "results"
    make_report(videos, results, results / "report", features=FEATURES, settings=CONFIG)
