"""Only what changed runs again."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.finished_results import halve
from helpers.paths import ROOT
from helpers.workspace import Workspace

from .conftest import EMBEDDED

FEATURES = ("--config", "features=[mfcc]")
# The sound needs no scenes.
ROAD = ["download", "proxy", "speech", "scenes", "tracks", "sync", "segments", "clips"]
# Landmarks and pose are wanted by quality.
OF_CLIPS = ["mfcc", "landmarks", "pose", "quality"]
# What a plan says of a job whose params are others.
CHANGED = "settings or version changed"
PER_VIDEO = {*ROAD, *OF_CLIPS, "preview", "finished"}
OF_ALL = ["dataset", "card", "report", "all"]
WHOLE_ROAD = [*ROAD, *OF_CLIPS, "preview", "finished", *OF_ALL]


@pytest.fixture(scope="module")
def finished(demo: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on the demonstration's `vlog`, and `landscape` without a face, with one
    feature; no test changes it."""
    workspace = demo.copy(tmp_path_factory.mktemp("incremental"))
    workspace.list_videos(*rows(workspace, "vlog", "landscape"))
    results = workspace.folder / "results"
    for feature in set(EMBEDDED) - set(OF_CLIPS):
        shutil.rmtree(results / feature)
    for clips in (results / "clips").iterdir():
        if clips.is_dir() and clips.name not in ("vlog", "landscape"):
            shutil.rmtree(clips)
    assert set(workspace.planned(*FEATURES)) == {"finished", *OF_ALL}
    workspace.run(*FEATURES)
    return workspace


@pytest.fixture
def workspace(finished: Workspace, tmp_path: Path) -> Workspace:
    """A copy of it that a test may change."""
    return finished.copy(tmp_path / "workspace")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this project that a test may change."""
    folder = tmp_path / "project"
    for name in ("rules", "scripts", "schemas", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_nothing_changed(finished: Workspace) -> None:
    assert "Nothing to be done" in finished.ask(*FEATURES).stderr


def test_a_video_comes_changes_and_goes(workspace: Workspace, demo_videos: Path) -> None:
    before = (workspace.folder / "results/dataset/clips.csv").read_bytes()
    listed = rows(workspace, "vlog", "landscape")
    more = workspace.folder / "more.mp4"
    # With its time, which is before that of the results.
    shutil.copy2(demo_videos / "landscape.mp4", more)
    workspace.list_videos(*listed, "more,more.mp4,,")
    plan = workspace.planned(*FEATURES)
    assert set(plan) == PER_VIDEO | {*OF_ALL}
    assert all(plan[rule] == {"more"} for rule in PER_VIDEO)
    done = workspace.run(*FEATURES)
    assert "to do: download (1 not there yet), proxy (1 not there yet), " in done.stdout
    assert set(workspace.table("dataset/rejected.csv").video_id) == {"landscape", "more"}
    # The clips that were there stay as they were, side and all.
    assert (workspace.folder / "results/dataset/clips.csv").read_bytes() == before

    # Another file in its place.
    sha256 = workspace.json("videos/more.json")["provenance"]["sha256"]
    shutil.copy(demo_videos / "silent.mp4", more)
    plan = workspace.planned(*FEATURES)
    assert all(plan[rule] == {"more"} for rule in PER_VIDEO)
    done = workspace.run(*FEATURES)
    assert "to do: download (1 newer input); then proxy (1), " in done.stdout
    assert workspace.json("videos/more.json")["provenance"]["sha256"] != sha256
    rejected = workspace.table("dataset/rejected.csv").set_index("video_id")
    assert rejected.reason["more"] == "no_audio"
    assert workspace.planned(*FEATURES) == {}

    # An older file in its place, then none.
    shutil.copy(demo_videos / "landscape.mp4", more)
    os.utime(more, (10**9, 10**9))
    assert workspace.planned(*FEATURES)["download"] == {"more"}
    more.unlink()
    done = workspace.ask(*FEATURES)
    assert done.returncode != 0
    assert "more.mp4" in done.stderr and "gone" in done.stderr

    # Without it, the dataset is the old one.
    workspace.list_videos(*listed)
    assert set(workspace.planned(*FEATURES)) == {*OF_ALL}
    workspace.run(*FEATURES)
    assert set(workspace.table("dataset/rejected.csv").video_id) == {"landscape"}
    assert (workspace.folder / "results/dataset/clips.csv").read_bytes() == before


def test_a_row_removed_and_back(workspace: Workspace) -> None:
    before = (workspace.folder / "results/dataset/clips.csv").read_bytes()
    both = rows(workspace, "vlog", "landscape")
    workspace.list_videos(*rows(workspace, "landscape"))
    assert set(workspace.planned(*FEATURES)) == {*OF_ALL}
    done = workspace.run(*FEATURES)
    assert f"to do: dataset (1 {CHANGED}); then card (1), report (1)\n" in done.stdout
    assert len(workspace.table("dataset/clips.csv")) == 0

    workspace.list_videos(*both)
    assert set(workspace.planned(*FEATURES)) == {*OF_ALL}
    workspace.run(*FEATURES)
    assert (workspace.folder / "results/dataset/clips.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "first"),
    [
        ("split: {eval_fraction: 0.5}", "dataset"),
        ("quality: {min_sharpness: 30}", "dataset"),
        ("quality: {max_residual_offset: 1}", "dataset"),
        ("segments: {cut: speaking}", "segments"),
        ("clips: {crop: follow}", "clips"),
        ("segments: {min_frames: 80}", "segments"),
        ("sync: {backend: none}", "sync"),
        ("scenes: {detector: adaptive}", "scenes"),
        ("features: [mfcc, mel]", "mel"),
    ],
)
def test_a_setting_changed_runs_its_stage_and_after(
    finished: Workspace, tmp_path: Path, setting: str, first: str
) -> None:
    # In a file: on the command line snakemake takes the numbers in {...} for text.
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"features: [mfcc]\n{setting}\n" if first != "mel" else setting)
    expected = {"mel", *from_stage("finished")} if first == "mel" else from_stage(first)
    assert set(finished.planned("--configfile", str(settings))) == expected


def test_how_files_are_fetched_re_runs_nothing(finished: Workspace, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("features: [mfcc]\ndownload: {timeout: 5, tries: 9}\n")
    assert finished.planned("--configfile", str(settings)) == {}


def test_what_was_deleted_is_made_again(workspace: Workspace) -> None:
    shutil.rmtree(workspace.folder / "results/clips/vlog")
    (workspace.folder / "results/clips/vlog.csv").unlink()
    plan = workspace.planned(*FEATURES)
    assert set(plan) == from_stage("clips")
    assert all(plan[rule] == {"vlog"} for rule in PER_VIDEO & set(plan))
    done = workspace.run(*FEATURES)
    assert "to do: clips (1 not there yet)" in done.stdout
    assert len(workspace.table("dataset/clips.csv")) == 1
    assert workspace.planned(*FEATURES) == {}


@pytest.mark.parametrize("table", ["mfcc", "segments", "videos"])
def test_a_table_deleted_is_made_again(workspace: Workspace, table: str) -> None:
    suffix = "json" if table == "videos" else "csv"
    path = workspace.folder / f"results/{table}/landscape.{suffix}"
    kept = path.rename(workspace.folder / "kept")
    rule = "download" if table == "videos" else table
    assert workspace.planned(*FEATURES)[rule] == {"landscape"}
    kept.rename(path)
    assert workspace.planned(*FEATURES) == {}


@pytest.mark.parametrize(
    ("gone", "first"),
    [
        ("clips/vlog/*.mp4", "clips"),
        ("landmarks/vlog/*.npz", "landmarks"),
        ("pose/vlog", "pose"),
        ("mfcc/vlog/*.npy", "mfcc"),
        ("quality/vlog/*.csv", "quality"),
        ("tracks/vlog.csv", "tracks"),
        ("dataset/train.csv", "dataset"),
    ],
)
def test_what_is_gone_is_planned_and_nothing_is_touched(
    workspace: Workspace, gone: str, first: str
) -> None:
    results = workspace.folder / "results"
    for path in list(results.glob(gone)):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = sorted(results.rglob("*"))
    done = workspace.ask("--dry-run", *FEATURES)
    planned = set(re.findall(r"^(?:local)?rule (\w+):$", done.stdout, re.MULTILINE))
    after = {
        "landmarks": {"landmarks", "pose", "quality", "preview", "finished", *OF_ALL},
        "pose": {"pose", "quality", "preview", "finished", *OF_ALL},
        "mfcc": {"mfcc", "finished", *OF_ALL},
    }
    # Speech needs no tracks.
    expected = after.get(first, from_stage(first)) - {"speech"}
    assert planned == expected
    assert set(re.findall(r"wildcards: video=(\w+)", done.stdout)) <= {"vlog"}
    if first != "dataset":
        assert f"missing, to be made: {gone.partition('*')[0]}" in done.stderr
    assert sorted(results.rglob("*")) == before


def test_damage_is_said_found_and_mended(workspace: Workspace) -> None:
    before = checksums(workspace, "clips") | checksums(workspace, "mfcc")
    results = workspace.folder / "results"
    (wav,) = results.glob("clips/vlog/*.wav")
    (npy,) = results.glob("mfcc/vlog/*.npy")
    size = wav.stat().st_size
    halve(wav)
    npy.unlink()
    ledger = results / "segments/landscape.csv"
    halve(ledger)
    halve(results / "dataset/summary.json")

    # The stage that meets it says so, and the run ends with what there is to say.
    failed = workspace.run(*FEATURES, check=False)
    assert failed.returncode != 0
    assert f"{wav.relative_to(workspace.folder)}: damaged ({size // 2} of {size} bytes)" in (
        failed.stderr
    )
    assert "verify.py --remake" in failed.stderr and "Traceback" not in failed.stdout
    assert "How far the run is: python " in failed.stdout
    status = script(workspace, "status.py")
    assert status.returncode == 0 and f"\n  {ledger}\n" in status.stdout

    found = script(workspace, "verify.py", "--remake")
    assert found.returncode == 1
    assert f"{wav}: {size // 2} bytes, {size} were written\n" in found.stdout
    done = workspace.run(*FEATURES)
    assert re.search(
        r"to do: segments \(1 not there yet\), clips \([^)]*1 with files gone[^)]*\)", done.stdout
    )
    assert checksums(workspace, "clips") | checksums(workspace, "mfcc") == before
    assert workspace.planned(*FEATURES) == {}
    found = script(workspace, "verify.py", "--decode")
    # Only of the videos that are on the list no longer.
    assert "vlog" not in found.stdout and "landscape" not in found.stdout


def test_touched_and_commented_code_re_runs_nothing(finished: Workspace, project: Path) -> None:
    copied = replace(finished, project=project)
    for file in [project / "Snakefile", *project.glob("rules/*"), *project.glob("scripts/**/*.py")]:
        with file.open("a") as stream:
            stream.write("\n# A comment.\n")
    assert "Nothing to be done" in copied.ask(*FEATURES).stderr


@pytest.mark.parametrize("rule", ["proxy", "clips", "mfcc", "quality", "dataset"])
def test_a_version_bumped_runs_its_stage_and_after(
    finished: Workspace, project: Path, rule: str
) -> None:
    bump_version(project, rule)
    expected = {"mfcc", *from_stage("finished")} if rule == "mfcc" else from_stage(rule)
    assert set(replace(finished, project=project).planned(*FEATURES)) == expected


def test_a_version_bumped_is_run_once_and_with_its_own_library(
    workspace: Workspace, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bump_version(project, "mfcc")
    # As where another checkout is installed: its library is found first.
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "scripts"))
    library = project / "scripts/talkingface/job/log.py"
    library.write_text(library.read_text().replace("done in", "well done in"))
    copied = replace(workspace, project=project)
    done = copied.run(*FEATURES)
    assert "well done in" in (workspace.folder / "results/logs/mfcc/vlog.log").read_text()
    plan = f"to do: mfcc (2 {CHANGED}); then dataset (1), card (1), report (1)\n"
    assert plan in done.stdout
    assert copied.planned(*FEATURES) == {}


def test_what_failed_is_said_at_the_end_and_runs_again(workspace: Workspace, project: Path) -> None:
    bump_version(project, "mfcc")
    script = project / "scripts/mfcc.py"
    text = script.read_text()
    begin = r"(?m)^with logged\(.*\):\n"
    assert re.search(begin, text)
    script.write_text(re.sub(begin, r'\g<0>    raise RuntimeError("out of luck")\n', text))
    done = replace(workspace, project=project).run(*FEATURES, check=False)
    assert done.returncode != 0
    assert "videos with errors: 2; the newest:\n  results/logs/mfcc/" in done.stdout
    assert "/vlog.log: RuntimeError: out of luck\n" in done.stdout
    assert f"python {project}/scripts/status.py {workspace.folder}\n" in done.stdout

    done = workspace.run(*FEATURES)
    assert re.search(
        r"to do: mfcc \(2 [a-z ]+\); then dataset \(1\), card \(1\), report", done.stdout
    )
    assert workspace.planned(*FEATURES) == {}


def test_a_threshold_changed_leaves_the_other_clips_as_they_were(workspace: Workspace) -> None:
    workspace.list_videos(*rows(workspace, "vlog"))
    before, times = checksums(workspace, "clips"), times_of_logs(workspace)
    assert any(path.endswith(".mp4") for path in before)
    settings = workspace.folder / "settings.yaml"
    settings.write_text("features: [mfcc]\nsegments: {min_frames: 76}\n")
    done = workspace.run("--configfile", str(settings))
    last = r"dataset \(1\), card \(1\), preview \(1\), report \(1\)\n"
    assert re.search(rf"to do: segments \(1 {CHANGED}\); then clips \(1\), .*{last}", done.stdout)
    assert checksums(workspace, "clips") == before
    same = {rule for rule, time in times_of_logs(workspace).items() if time == times[rule]}
    assert same == set(ROAD[: ROAD.index("segments")])

    # No face is so tall: the clip goes. With the old threshold it is the old clip again.
    settings.write_text("features: [mfcc]\nsegments: {min_face_height: 4000}\n")
    workspace.run("--configfile", str(settings))
    assert not any(path.endswith(".mp4") for path in checksums(workspace, "clips"))
    workspace.run(*FEATURES)
    assert checksums(workspace, "clips") == before


def script(workspace: Workspace, name: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the project that is no rule, run on a workspace."""
    command = [sys.executable, str(ROOT / "scripts" / name), str(workspace.folder), *words]
    return subprocess.run(command, capture_output=True, text=True)


def rows(workspace: Workspace, *videos: str) -> list[str]:
    """The rows of some of the videos that it lists."""
    listed = (workspace.folder / "videos.csv").read_text().splitlines()
    return [row for video in videos for row in listed if row.startswith(f"{video},")]


def from_stage(first: str) -> set[str]:
    """A stage and all that follow it, where that is all that stands after it."""
    return set(WHOLE_ROAD[WHOLE_ROAD.index(first) :])


def bump_version(project: Path, rule: str) -> None:
    """Add 100 to the version of a rule."""
    (file,) = (f for f in project.glob("rules/*") if f"\nrule {rule}:\n" in f.read_text())
    head, name, body = file.read_text().partition(f"\nrule {rule}:\n")
    bumped = re.sub(r"(?m)^( +version=)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 100}", body, count=1)
    assert bumped != body
    file.write_text(head + name + bumped)


def checksums(workspace: Workspace, stage: str) -> dict[str, str]:
    files = (workspace.folder / "results" / stage).rglob("*")
    return {str(f): hashlib.md5(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def times_of_logs(workspace: Workspace) -> dict[str, int]:
    logs = workspace.folder / "results/logs"
    return {rule: (logs / rule / "vlog.log").stat().st_mtime_ns for rule in [*ROAD, *OF_CLIPS]}
