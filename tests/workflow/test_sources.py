"""Sources of every kind of name: each runs or says in its record why not, and none stops others."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta

import pytest

from helpers.synthetic import FILMS, make_film
from helpers.workspace import Workspace

# By video: the source, the status and a part of the reason.
EXPECTED = {
    "plain": ("film.mp4", "ok", ""),
    "braces": ("talk {final}.mp4", "ok", ""),
    "wildcard": ("{video}.mp4", "ok", ""),
    "ahead": ("ahead.mp4", "ok", ""),
    "no_file": ("{x}.mp4", "missing", "no such file"),
    "long": (f"{'n' * 300}.mp4", "missing", "too long"),
    "folder": ("/", "missing", "a directory"),
    "zero": ("file:///a%00b", "missing", "no name of a file"),
    "host": ("example.org/x.mp4", "missing", "write https:// before it"),
    "path_brackets": ("file://[::1/x", "unsupported", "no address"),
    "brackets": ("http://[::1/x", "unsupported", "no address"),
    "own": ("http://127.0.0.1/x", "own_network", "download.private_addresses"),
}
if os.geteuid() != 0:  # root may read everything
    EXPECTED |= {
        "closed": ("closed/film.mp4", "missing", "no permission"),
        "unreadable": ("unreadable.mp4", "missing", "no permission"),
    }
# What is asked for: the raw files, and of two what is made of them.
WANTED = (
    *(f"results/videos/{video}.json" for video in EXPECTED),
    *("results/proxy/braces.json", "results/proxy/ahead.json"),
    *("--configfile", "mine.yaml"),
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which the media of all sources are got."""
    workspace = Workspace(tmp_path_factory.mktemp("sources"))
    folder = workspace.folder
    film = make_film(folder, FILMS["25"], "made").read_bytes()
    (folder / "closed").mkdir()
    names = ("film", "talk {final}", "{video}", "ahead", "unreadable", "closed/film")
    for name in names:
        (folder / f"{name}.mp4").write_bytes(film)
    tomorrow = (datetime.now() + timedelta(days=1)).timestamp()
    os.utime(folder / "ahead.mp4", (tomorrow, tomorrow))
    (folder / "unreadable.mp4").chmod(0)
    (folder / "closed").chmod(0)
    (folder / "mine.yaml").write_text("download: {tries: 1, timeout: 5}\n")
    workspace.list_videos(*(f'{name},"{row[0]}",,' for name, row in EXPECTED.items()))
    workspace.run(*WANTED)
    return workspace


@pytest.mark.parametrize("video", EXPECTED)
def test_each_runs_or_says_why_not(workspace: Workspace, video: str) -> None:
    record = json.loads((workspace.folder / f"results/videos/{video}.json").read_text())
    _, status, reason = EXPECTED[video]
    assert record["status"] == status and reason in str(record["reason"])


def test_nothing_is_done_again_but_what_changed(workspace: Workspace) -> None:
    folder = workspace.folder
    assert workspace.planned(*WANTED) == {}
    with (folder / "talk {final}.mp4").open("ab") as file:
        file.write(b"more")
    (folder / "ahead.mp4").touch()
    plan = workspace.planned(*WANTED)
    assert plan["download"] == {"braces", "ahead"} == plan["proxy"]
