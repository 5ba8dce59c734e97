"""The page in the repository is the one that its sources give."""

from __future__ import annotations

import hashlib
import json
import re

from helpers.paths import SCRIPTS

REPORT = SCRIPTS / "talkingface/report"
PAGE, WEB = REPORT / "page", REPORT / "web"


def test_the_page_is_built_of_these_sources() -> None:
    """`make report-page` notes a hash of what it reads, as build.mjs computes it."""
    files = [f for f in (WEB / "src").rglob("*") if f.suffix in (".ts", ".tsx", ".css", ".html")]
    files += [WEB / "build.mjs", WEB / "package-lock.json"]
    digest = hashlib.sha256()
    for name in sorted(file.relative_to(WEB).as_posix() for file in files):
        digest.update(f"{name}\0".encode() + (WEB / name).read_bytes())
    stated = (PAGE / "SOURCES.sha256").read_text().strip()
    assert stated == digest.hexdigest(), "run `make report-page`"


def test_versions_are_pinned() -> None:
    package = json.loads((WEB / "package.json").read_text())
    asked = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in asked.values())
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_licence_of_every_part_lies_beside_it() -> None:
    """Of what the page itself asks for; that of what these bring is collected by the build."""
    package = json.loads((WEB / "package.json").read_text())
    text = (PAGE / "LICENSES.txt").read_text()
    for name, version in package["dependencies"].items():
        assert f"{name} {version} (" in text
    # d3, of which Observable Plot is made, has a copyright line of its own.
    assert "d3-scale " in text and "Mike Bostock" in text
    # d3-array has it bundled into itself.
    assert "internmap " in text


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    index = (PAGE / "index.html").read_text()
    assert re.findall(r'(?:src|href)="([^"]+)"', index) == ["data:,", "page.css", "page.js"]
    assert "connect-src 'none'" in index
    assert "url(" not in (PAGE / "page.css").read_text()
