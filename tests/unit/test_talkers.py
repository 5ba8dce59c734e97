"""The list of footage on which lip-sync is fitted and judged."""

from __future__ import annotations

import csv
import re

from helpers.paths import ROOT

ROWS = list(csv.DictReader((ROOT / "benchmarks/talkers.csv").open(newline="")))


def test_nobody_is_judged_by_what_was_fitted_on_him() -> None:
    people = {use: {row["person"] for row in ROWS if row["use"] == use} for use in ("fit", "check")}
    assert len(people["fit"]) > 40 and len(people["check"]) > 10
    assert not people["fit"] & people["check"]
    assert len({row["sha256"] for row in ROWS}) == len(ROWS)


def test_every_video_can_be_found_again() -> None:
    for row in ROWS:
        assert re.fullmatch("[0-9a-f]{64}", row["sha256"])
        assert re.fullmatch("[0-9a-f]{40}", row["commit"]), row["file"]
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", row["repository"]) and row["path"]
        assert row["use"] in ("fit", "check")
        assert row["label"] in ("talk", "silent", "several", "doubtful")
        assert abs(int(row["offset"])) <= 15
