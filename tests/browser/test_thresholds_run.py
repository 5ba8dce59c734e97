"""What the page says of other thresholds is what a run with its config lines makes."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from helpers.settings import CONFIG
from helpers.workspace import Workspace

from .conftest import Open

# What the dataset and its report need, and nothing else.
SETTINGS = "features: [landmarks, pose]\nreport: {enabled: true}\n"
REPORT = "results/report/index.html"


@dataclass(frozen=True)
class Foretold:
    """What the page says of thresholds: the lines to copy, least and most clips and frames, and the
    names of clips that come in, are left out, and may come in."""

    lines: str
    clips: tuple[int, int]
    frames: tuple[int, int]
    kept: set[str]
    rejected: set[str]
    unknown: set[str]


Ask = Callable[[Workspace, str], Foretold]


@pytest.fixture
def ask(open_report: Open) -> Ask:
    def asked(workspace: Workspace, thresholds: str) -> Foretold:
        page = open_report(
            workspace.folder, f"#thresholds?{thresholds}", viewport={"width": 1400, "height": 900}
        )
        then = page.locator(".figure.then")
        names = {}
        for which in ("kept", "rejected", "unknown"):
            page.locator(f".in-sight [data-list={which}]").click()
            names[which] = set(page.locator(".changes a.name").all_inner_texts())
        clips, frames = (
            tuple(map(int, (then.get_attribute(f"data-{which}") or "").split()))
            for which in ("clips", "frames")
        )
        lines = page.locator(".config-lines pre").inner_text()
        return Foretold(lines, (clips[0], clips[1]), (frames[0], frames[1]), **names)

    return asked


@pytest.fixture(scope="module")
def finished(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two of the demonstration's videos, run as far as the report needs."""
    workspace = Workspace(tmp_path_factory.mktemp("thresholds"))
    with (demo_videos / "videos.csv").open() as stream:
        listed = {row["video_id"]: row for row in csv.DictReader(stream)}
    workspace.list_videos(
        *(
            f"{video},{demo_videos / listed[video]['source']},{listed[video]['identity']},"
            for video in ("interview", "lecture")
        )
    )
    _run(workspace, "")
    return workspace


def _run(workspace: Workspace, lines: str) -> None:
    settings = workspace.folder / "settings.yaml"
    settings.write_text(SETTINGS + lines)
    target = ("results/report", "--configfile", str(settings))
    workspace.run(*target, "--rerun-triggers", "mtime", "params")


def _kept(workspace: Workspace) -> pd.Series:
    """Frames of every clip of the dataset, by its name."""
    clips = workspace.table("dataset/clips.csv")
    return clips.set_index("clip_id").n_frames


def _agree(before: pd.Series, foretold: Foretold, after: pd.Series) -> None:
    sure = (set(before.index) - foretold.rejected) | foretold.kept
    assert sure <= set(after.index) <= sure | foretold.unknown
    assert foretold.clips == (len(sure), len(sure | foretold.unknown))
    least, most = foretold.frames
    assert least <= after.sum() <= most
    if not foretold.unknown:
        assert least == most == after.sum()


def test_tightened_segments(finished: Workspace, ask: Ask, tmp_path: Path) -> None:
    """One of the thresholds lies between a measure and what the ledger rounds it to."""
    workspace = finished.copy(tmp_path)
    motion = workspace.table("preview/interview.csv").set_index("clip_id").mouth_motion
    rounded = workspace.table("segments/interview.csv").set_index("clip_id").mouth_motion
    clip = next(
        name for name in _kept(workspace).index if rounded.get(name, 0) > motion.get(name, 1)
    )
    before = _kept(workspace)
    foretold = ask(workspace, f"segments.min_mouth_motion={rounded[clip]}")
    assert foretold.lines == f"segments:\n  min_mouth_motion: {rounded[clip]}\n"
    assert clip in foretold.rejected and not foretold.kept | foretold.unknown
    assert len(foretold.rejected) < len(before)
    _run(workspace, foretold.lines)
    _agree(before, foretold, _kept(workspace))


def test_loosened_segments_and_then_gates(finished: Workspace, ask: Ask, tmp_path: Path) -> None:
    """A face that was too small comes back; without any gate it is sure to, as nothing is asked of
    its clip. When it has been made, its gates are known, too."""
    workspace = finished.copy(tmp_path)
    before = _kept(workspace)
    small = workspace.table("segments/lecture.csv").query("reason == 'small_face'")
    (name,) = small.clip_id
    smaller = f"segments.min_face_height={small.face_height.iloc[0]}"
    foretold = ask(workspace, smaller)
    assert foretold.unknown == {name} and foretold.clips == (len(before), len(before) + 1)
    off = [
        f"quality.{key}=off"
        for key, value in CONFIG["quality"].items()
        if key.startswith(("min_", "max_")) and value is not None
    ]
    certain = ask(workspace, "&".join([smaller, *off]))
    assert certain.kept == {name} and not certain.unknown | certain.rejected
    _run(workspace, certain.lines)
    _agree(before, certain, _kept(workspace))
    _run(workspace, foretold.lines)
    _agree(before, foretold, _kept(workspace))


def test_tightened_gates(finished: Workspace, ask: Ask, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    before = _kept(workspace)
    sharpness = workspace.table("dataset/clips.csv").sharpness
    middle = sharpness.median()
    foretold = ask(workspace, f"quality.min_sharpness={middle}&quality.max_abs_pitch=off")
    assert foretold.lines == f"quality:\n  min_sharpness: {middle}\n  max_abs_pitch: null\n"
    assert len(foretold.rejected) == (sharpness < middle).sum() > 0
    _run(workspace, foretold.lines)
    _agree(before, foretold, _kept(workspace))
