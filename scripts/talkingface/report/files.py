"""The files of the report, by their names: what has to be there, to whoever looks for damage."""

from __future__ import annotations

import csv
from pathlib import Path

# In the folder `report`: the page as it was built, and what it shows.
PAGE_FILES = ("LICENSES.txt", "SOURCES.sha256", "index.html", "page.css", "page.js")
DATA_FILES = ("data/run.js", "data/videos.js", "data/candidates.js")
# All of them, relative to the results folder, and the one by which they are known to be whole.
REPORT_FILES = tuple(f"report/{name}" for name in (*PAGE_FILES, *DATA_FILES))
REPORT_MANIFEST = "report/index.html"


def preview_files(manifest: str | Path) -> list[str]:
    """The names of the files that a table PREVIEW says are in the folder beside it, as far as it
    can be read; that of a video without candidates is not among them.

    Left out is what can be no candidate's: it would lead elsewhere.
    """
    names = []
    try:
        with open(manifest, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                clip = row["clip_id"]
                if "/" in clip or None in row or None in row.values():
                    continue
                suffixes = [".js"]
                if row["pictures"] != "0":
                    suffixes += [".jpg", ".why.jpg"] if row["cause_frame"] else [".jpg"]
                names += [f"{clip}{suffix}" for suffix in suffixes]
    except (OSError, ValueError, KeyError, csv.Error):
        return []
    return names
