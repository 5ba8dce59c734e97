"""Files beside the page that are damaged: what is wrong is said, and the rest is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from helpers.small_report import VIDEOS, make_small_report_results
from helpers.small_results import CLIPS

from .conftest import report_on

CLIP = CLIPS[0]
CURVES = f"results/preview/{CLIP.video}/{CLIP.clip_id}.js"
OTHER_SCRIPT = "document.title = 'another script';"


def cut(content: str) -> str:
    return content[: len(content) // 2]


def emptied(content: str) -> str:
    return ""


def other(content: str) -> str:
    return OTHER_SCRIPT


def without_curves(content: str) -> str:
    return f'talkingface.receive("{CLIP.clip_id}", {{}});'


def of_nothing(content: str) -> str:
    return f'talkingface.receive("{CLIP.clip_id}", null);'


def badly_packed(content: str) -> str:
    damaged = content.replace(r"\"sound\":\"", r"\"sound\":\"!")
    assert damaged != content
    return damaged


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("damaged")
    make_small_report_results(root)
    report_on(root, VIDEOS)
    return root


@pytest.fixture
def damage(own: Path) -> Iterator[Callable[[str, Callable[[str], str]], None]]:
    """Damages a file of the workspace for as long as a test runs."""
    before: dict[Path, bytes] = {}

    def change(name: str, how: Callable[[str], str]) -> None:
        path = own / name
        before[path] = path.read_bytes()
        path.write_text(how(path.read_text()))

    yield change
    for path, content in before.items():
        path.write_bytes(content)


@pytest.fixture
def loose(browser: Browser) -> Iterator[Page]:
    """A page that may say on its console that a script is none."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def show(page: Page, root: Path, address: str) -> None:
    page.goto(f"{(root / 'results/report/index.html').as_uri()}{address}")


@pytest.mark.parametrize(
    "how",
    (cut, emptied, other, without_curves, of_nothing, badly_packed),
    ids=lambda how: how.__name__,
)
def test_damaged_curves_are_told(loose: Page, own: Path, damage: Any, how: Any) -> None:
    damage(CURVES, how)
    show(loose, own, f"#clip?id={CLIP.clip_id}")
    said = loose.locator(".curves [role=status]")
    expect(said).to_contain_text(f"is damaged: {CURVES}. Delete it")
    expect(loose.locator("main")).not_to_contain_text("(loading)")
    # The rest of the clip is shown, and so are other clips.
    expect(loose.locator(".one-clip .title")).to_contain_text(CLIP.clip_id)
    show(loose, own, f"#clip?id={CLIPS[1].clip_id}")
    expect(loose.locator(".one-clip .title")).to_contain_text(CLIPS[1].clip_id)
    expect(said).to_have_count(0)


def test_curves_that_were_mended_are_shown(loose: Page, own: Path, damage: Any) -> None:
    good = (own / CURVES).read_text()
    damage(CURVES, cut)
    show(loose, own, f"#clip?id={CLIP.clip_id}")
    expect(loose.locator(".curves [role=status]")).to_contain_text("is damaged")
    (own / CURVES).write_text(good)
    show(loose, own, f"#clip?id={CLIPS[1].clip_id}")
    expect(loose.locator(".one-clip .title")).to_contain_text(CLIPS[1].clip_id)
    show(loose, own, f"#clip?id={CLIP.clip_id}")
    expect(loose.locator(".one-clip .title")).to_contain_text(CLIP.clip_id)
    expect(loose.locator(".curves [role=status]")).to_have_count(0)


@pytest.mark.parametrize("name", ("run", "videos", "candidates"))
@pytest.mark.parametrize("how", (cut, emptied, other), ids=lambda how: how.__name__)
def test_damaged_tables_are_told(loose: Page, own: Path, damage: Any, name: str, how: Any) -> None:
    damage(f"results/report/data/{name}.js", how)
    show(loose, own, "")
    expect(loose.get_by_role("alert")).to_contain_text(f"data/{name}.js is damaged")


def test_a_film_that_was_cut_is_told(loose: Page, own: Path) -> None:
    path = own / f"results/clips/{CLIP.video}/{CLIP.clip_id}.mp4"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:100])
        show(loose, own, f"#clip?id={CLIP.clip_id}")
        expect(loose.locator(".no-film")).to_have_text(
            re.compile("not where it was made, or damaged")
        )
    finally:
        path.write_bytes(content)
