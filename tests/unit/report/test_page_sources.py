"""The sources of the page: short files, in rooms that know nothing of those above them."""

from __future__ import annotations

import os
import re

import pytest

from helpers.paths import SCRIPTS

SOURCES = SCRIPTS / "talkingface/report/web/src"
# From the ground up. The views know nothing of each other; `main.tsx` alone knows them all.
ROOMS = ("data", "shared", "marks", "filters")
VIEWS = ("clip", "clips", "distributions", "run", "thresholds", "yield")
STYLES_TOO = [file.relative_to(SOURCES).as_posix() for file in sorted(SOURCES.rglob("*.*"))]
FILES = [file for file in STYLES_TOO if file.endswith((".ts", ".tsx"))]


def imported_rooms(file: str) -> set[str]:
    """The rooms that a source imports from."""
    room = os.path.dirname(file)
    found = re.findall(
        r'^(?:import|\} from|.* from) "(\.[^"]+)"', (SOURCES / file).read_text(), re.M
    )
    return {os.path.dirname(os.path.normpath(os.path.join(room, path))) for path in found} - {room}


def test_every_room_has_its_place() -> None:
    assert {os.path.dirname(file) for file in FILES} == {"", *ROOMS, *VIEWS}


@pytest.mark.parametrize("file", [file for file in FILES if os.path.dirname(file)])
def test_a_source_imports_from_rooms_below_its_own(file: str) -> None:
    room = os.path.dirname(file)
    below = ROOMS[: ROOMS.index(room)] if room in ROOMS else ROOMS
    assert imported_rooms(file) <= set(below)


def test_imports_are_found() -> None:
    """Of one line and of several, of types and of styles."""
    assert imported_rooms("main.tsx") >= {*VIEWS, "data", "shared"}
    assert imported_rooms("filters/filter_state.ts") == {"marks", "data", "shared"}


@pytest.mark.parametrize("file", STYLES_TOO)
def test_sources_are_short(file: str) -> None:
    assert len((SOURCES / file).read_text().splitlines()) <= 400
