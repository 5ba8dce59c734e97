"""Exports follow the dataset: made with it, by their names, and without what has left it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.paths import ROOT
from helpers.workspace import Workspace
from talkingface.exports.table import EXPORTS
from talkingface.settings.load import check_config
from talkingface.stages import STAGES

from .conftest import EMBEDDED, FEATURES

SETTINGS = check_config({"features": EMBEDDED})
# Those that the demonstration can be made into, but what makes pictures of its own.
NAMES = [n for n, e in EXPORTS.items() if n not in STAGES and not e.faults(SETTINGS)]
WANTED = ("--config", FEATURES, f"exports=[{','.join(NAMES)}]")
SHM = Path("/dev/shm")


@pytest.fixture(scope="module")
def exported(demo: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The demonstration with its exports, made by one run; no test leaves it changed."""
    workspace = demo.copy(tmp_path_factory.mktemp("exports"))
    assert set(workspace.planned(*WANTED)) == {*(f"export_{name}" for name in NAMES), "all"}
    workspace.run(*WANTED)
    return workspace


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder on another file system, to which no hard link leads."""
    if not SHM.is_dir() or SHM.stat().st_dev == ROOT.stat().st_dev:
        pytest.skip("no second file system here")
    folder = SHM / f"talkingface-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def counts(workspace: Workspace, name: str) -> tuple[int, int]:
    """Clips of an export, and those that were left out."""
    record = workspace.json(f"exports/{name}/export.json")
    return record["clips"], record["skipped"]


def content(workspace: Workspace) -> dict[str, bytes]:
    """What is in the exports, by path; archives and lists among it."""
    folder = workspace.folder / "results/exports"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def traces(files: dict[str, bytes], words: list[str]) -> set[str]:
    """The files that have one of `words` in their paths or in what is in them."""
    return {
        path
        for path, data in files.items()
        for word in words
        if word in path or word.encode() in data
    }


def test_every_clip_is_in_an_export_or_in_its_list_of_skipped(exported: Workspace) -> None:
    clips = exported.table("dataset/clips.csv")
    assert len(NAMES) >= 4
    for name in NAMES:
        taken, skipped = counts(exported, name)
        listed = exported.table(f"exports/{name}/skipped.csv")
        assert skipped == listed.clip_id.nunique()
        assert taken + skipped == len(clips)
        assert set(listed.clip_id) <= set(clips.clip_id)


def test_made_exports_have_nothing_to_do(exported: Workspace) -> None:
    assert "Nothing to be done" in exported.ask(*WANTED).stderr
    # They follow the dataset without being asked for again.
    assert "Nothing to be done" in exported.ask("--config", FEATURES).stderr


def test_a_video_goes_without_a_trace_and_comes_back(exported: Workspace) -> None:
    before = content(exported)
    videos = exported.folder / "videos.csv"
    listed = videos.read_text()
    clips = exported.table("dataset/clips.csv")
    gone = clips[clips.video_id == "vlog"].clip_id.tolist()
    assert gone
    # Everywhere they can be told apart by their files' names.
    assert traces(before, gone)

    videos.write_text("".join(row for row in listed.splitlines(True) if "vlog" not in row))
    plan = exported.planned(*WANTED)
    assert set(plan) == {*(f"export_{name}" for name in NAMES), "dataset", "card", "report", "all"}
    exported.run(*WANTED)
    assert traces(content(exported), gone) == set()
    left = len(clips) - len(gone)
    assert all(sum(counts(exported, name)) == left for name in NAMES)

    videos.write_text(listed)
    exported.run(*WANTED)
    assert content(exported) == before


def test_an_export_is_a_target(exported: Workspace, tmp_path: Path) -> None:
    exports = exported.folder / "results/exports"
    hidden = exports.rename(tmp_path / "exports")
    try:
        plan = exported.planned("export_webdataset", "--config", FEATURES)
        assert set(plan) == {"export_webdataset"}
    finally:
        hidden.rename(exports)


@pytest.mark.parametrize("how", ["asked for", "target"])
def test_what_an_export_lacks_is_said_before_anything_runs(tmp_path: Path, how: str) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("a,https://example.org/a.mp4,,")
    settings = "features=[landmarks,pose]"
    words = ["--config", settings, "exports=[liveportrait_train]"]
    if how == "target":
        words = ["export_liveportrait_train", "--config", settings]
    done = workspace.ask(*words)
    assert done.returncode != 0
    assert "export liveportrait_train needs frames: features: [landmarks, pose, frames]" in (
        done.stderr
    )
    assert not (tmp_path / "results").exists()


def test_a_disk_without_the_links_has_others(
    exported: Workspace, elsewhere: Path, tmp_path: Path
) -> None:
    exports = exported.folder / "results/exports"
    hidden = exports.rename(tmp_path / "exports")
    exports.symlink_to(elsewhere)
    try:
        exported.run("export_huggingface", "--config", FEATURES)
        record = exported.json("exports/huggingface/export.json")
        assert record["made_of"] == ["symbolic links"]
        films = list((exports / "huggingface/video").rglob("*.mp4"))
        assert len(films) == record["clips"]
        for film in films:
            source = exported.folder / f"results/clips/{film.parent.name}/{film.name}"
            assert film.is_symlink()
            assert film.samefile(source)
    finally:
        exports.unlink()
        hidden.rename(exports)
