"""What the page says of reasons: every status and every documented reason has words there."""

from __future__ import annotations

import re

from helpers.paths import ROOT
from talkingface.download.download import STATUSES

MEANINGS = (ROOT / "scripts/talkingface/report/web/src/data/meanings.ts").read_text()
DOCS = (ROOT / "docs/troubleshooting.md").read_text()


def test_statuses() -> None:
    table = MEANINGS.partition("const STATUSES")[2].partition("\n};")[0]
    assert set(re.findall(r"^  (\w+): status\(", table, re.MULTILINE)) == set(STATUSES)


def test_reasons() -> None:
    stated = set(re.findall(r'^  "([^"]+/[^"]+)": \{ title: "', MEANINGS, re.MULTILINE))
    documented = reasons_of_docs()
    assert len(documented) > 30
    assert stated == documented


def reasons_of_docs() -> set[str]:
    """The reasons of the ledger that docs/troubleshooting.md has a row for, as stage/reason."""
    table = DOCS.partition("| stage | reason | meaning | setting |")[2].partition("\n\n")[0]
    stage, found = "", set()
    for line in table.splitlines()[2:]:
        first, second = (cell.strip() for cell in line.split("|")[1:3])
        stage = first.strip("`") or stage
        found |= {f"{stage}/{reason}" for reason in re.findall(r"`([^`]+)`", second)}
    return found
