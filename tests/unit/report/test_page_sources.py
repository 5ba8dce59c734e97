"""The sources of the page: short files, in rooms that know nothing of those above them."""

from __future__ import annotations

import os
import re

import pytest

from helpers.paths import SCRIPTS
from talkingface.dataset.gates import GATES
from talkingface.settings.schema import load_schema
from talkingface.tables import PREVIEW, SEGMENTS

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


def source(file: str) -> str:
    return (SOURCES / file).read_text()


def test_settings_and_columns_that_sources_name_are_there() -> None:
    """The page names settings and columns that it knows by heart, beside those that it is given."""
    settings = {
        f"{section}.{key}"
        for section, part in load_schema("config")["properties"].items()
        for key in part.get("properties", {})
    }
    causes = set(re.findall(r'"([a-z]+\.[a-z_]+)"', source("clip/reasons.ts"))) - {
        "preview.speaking"
    }
    assert len(causes) > 10 and causes <= settings
    compared = re.findall(r'^  ([a-z_]+): "([a-z_.]+)",$', source("data/thresholds.ts"), re.M)
    assert {f"segments.{key}" for key, _ in compared} <= settings
    columns = {column.name for column in SEGMENTS.columns}
    measured = {measure.removeprefix("segments.") for _, measure in compared}
    assert len(measured) > 5 and measured <= columns
    shown_by = re.findall(r'^  ([a-z_]+): "([a-z_]+_frame)",$', source("data/stretch.ts"), re.M)
    assert len(shown_by) > 5 and {reason for reason, _ in shown_by} <= {
        gate.reason for gate in GATES
    }
    assert {frame for _, frame in shown_by} <= {column.name for column in PREVIEW.columns}
