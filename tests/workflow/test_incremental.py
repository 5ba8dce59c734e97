"""Only what changed runs again."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .conftest import ROOT, Workspace

FEATURES = ("--config", "features=[mfcc]")
ROAD = ["download", "proxy", "scenes", "tracks", "sync", "segments", "clips"]
# Landmarks and pose are wanted by quality.
OF_CLIPS = ["mfcc", "landmarks", "pose", "quality"]
PER_VIDEO = {*ROAD, *OF_CLIPS, "finished"}
WHOLE_ROAD = [*ROAD, *OF_CLIPS, "finished", "dataset", "all"]


@pytest.fixture(scope="module")
def workspace(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on two videos: `vlog`, and `view` without a face."""
    workspace = Workspace(tmp_path_factory.mktemp("incremental"))
    for name, source in {"vlog": "vlog", "view": "landscape", "more": "landscape"}.items():
        shutil.copy(demo_videos / f"{source}.mp4", workspace.folder / f"{name}.mp4")
    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,")
    workspace.run(*FEATURES)
    return workspace


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of this project that a test may change."""
    folder = tmp_path / "project"
    for name in ("rules", "scripts", "schemas", "profiles", "envs"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder)
    return folder


def test_nothing_changed(workspace: Workspace) -> None:
    assert "Nothing to be done" in workspace.run(*FEATURES).stderr


def test_a_row_added_and_removed(workspace: Workspace) -> None:
    before = (workspace.folder / "results/dataset/clips.csv").read_bytes()
    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,", "more,more.mp4,,")
    plan = planned(workspace)
    assert set(plan) == PER_VIDEO | {"dataset", "all"}
    assert all(plan[rule] == {"more"} for rule in PER_VIDEO)
    done = workspace.run(*FEATURES)
    assert "to do: download (1 not there yet), proxy (1 not there yet), " in done.stdout
    assert set(workspace.table("dataset/rejected.csv").video_id) == {"view", "more"}
    # The clips that were there stay as they were, side and all.
    assert (workspace.folder / "results/dataset/clips.csv").read_bytes() == before

    workspace.list_videos("view,view.mp4,,")
    assert set(planned(workspace)) == {"dataset", "all"}
    done = workspace.run(*FEATURES)
    assert "to do: dataset (1 settings or version changed)\n" in done.stdout
    assert len(workspace.table("dataset/clips.csv")) == 0

    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,")
    assert set(planned(workspace)) == {"dataset", "all"}
    workspace.run(*FEATURES)
    assert (workspace.folder / "results/dataset/clips.csv").read_bytes() == before


def test_a_source_replaced(workspace: Workspace, demo_videos: Path) -> None:
    view = workspace.folder / "view.mp4"
    sha256 = workspace.json("videos/view.json")["provenance"]["sha256"]
    shutil.copy(demo_videos / "silent.mp4", view)
    plan = planned(workspace)
    assert all(plan[rule] == {"view"} for rule in PER_VIDEO)
    done = workspace.run(*FEATURES)
    assert "to do: download (1 newer input); then proxy (1), " in done.stdout
    assert workspace.json("videos/view.json")["provenance"]["sha256"] != sha256
    rejected = workspace.table("dataset/rejected.csv").set_index("video_id")
    assert rejected.reason["view"] == "no_audio"
    assert planned(workspace) == {}


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
    workspace: Workspace, setting: str, first: str
) -> None:
    # In a file: on the command line snakemake takes the numbers in {...} for text.
    settings = workspace.folder / "settings.yaml"
    settings.write_text(f"features: [mfcc]\n{setting}\n" if first != "mel" else setting)
    expected = {"mel", "finished", "dataset", "all"} if first == "mel" else from_stage(first)
    assert set(planned(workspace, "--configfile", str(settings))) == expected


def test_how_files_are_fetched_re_runs_nothing(workspace: Workspace) -> None:
    settings = workspace.folder / "settings.yaml"
    settings.write_text("features: [mfcc]\ndownload: {timeout: 5, tries: 9}\n")
    assert planned(workspace, "--configfile", str(settings)) == {}


def test_an_older_file_in_place_of_a_source(workspace: Workspace, demo_videos: Path) -> None:
    more = workspace.folder / "old.mp4"
    shutil.copy(demo_videos / "landscape.mp4", more)
    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,", "old,old.mp4,,")
    workspace.run(*FEATURES)
    shutil.copy(demo_videos / "silent.mp4", more)
    os.utime(more, (10**9, 10**9))
    assert planned(workspace)["download"] == {"old"}
    more.unlink()
    done = workspace.run(*FEATURES, check=False)
    assert done.returncode != 0
    assert "old.mp4" in done.stderr and "gone" in done.stderr
    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,")
    workspace.run(*FEATURES)


def test_what_was_deleted_is_made_again(workspace: Workspace) -> None:
    shutil.rmtree(workspace.folder / "results/clips/vlog")
    (workspace.folder / "results/clips/vlog.csv").unlink()
    plan = planned(workspace)
    assert set(plan) == from_stage("clips")
    assert all(plan[rule] == {"vlog"} for rule in PER_VIDEO & set(plan))
    done = workspace.run(*FEATURES)
    assert "to do: clips (1 not there yet)" in done.stdout
    assert len(workspace.table("dataset/clips.csv")) == 1
    assert planned(workspace) == {}


@pytest.mark.parametrize("table", ["mfcc", "segments", "videos"])
def test_a_table_deleted_is_made_again(workspace: Workspace, table: str) -> None:
    suffix = "json" if table == "videos" else "csv"
    path = workspace.folder / f"results/{table}/view.{suffix}"
    kept = path.rename(workspace.folder / "kept")
    rule = "download" if table == "videos" else table
    assert planned(workspace)[rule] == {"view"}
    kept.rename(path)
    assert planned(workspace) == {}


def test_touched_and_commented_code_re_runs_nothing(workspace: Workspace, project: Path) -> None:
    copied = replace(workspace, project=project)
    for file in [project / "Snakefile", *project.glob("rules/*"), *project.glob("scripts/**/*.py")]:
        with file.open("a") as stream:
            stream.write("\n# A comment.\n")
    assert "Nothing to be done" in copied.run(*FEATURES).stderr


@pytest.mark.parametrize("rule", ["proxy", "clips", "mfcc", "quality", "dataset"])
def test_a_version_bumped_runs_its_stage_and_after(
    workspace: Workspace, project: Path, rule: str
) -> None:
    bump_version(project, rule)
    expected = {"mfcc", "finished", "dataset", "all"} if rule == "mfcc" else from_stage(rule)
    assert set(planned(replace(workspace, project=project))) == expected


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
    assert "to do: mfcc (2 settings or version changed); then dataset (1)\n" in done.stdout
    assert planned(copied) == {}
    workspace.run(*FEATURES)


def test_what_failed_is_said_at_the_end_and_runs_again(workspace: Workspace, project: Path) -> None:
    bump_version(project, "mfcc")
    script = project / "scripts/mfcc.py"
    text = script.read_text()
    begin = "with logged(snakemake.log[0]):\n"
    assert begin in text
    script.write_text(text.replace(begin, f'{begin}    raise RuntimeError("out of luck")\n'))
    done = replace(workspace, project=project).run(*FEATURES, check=False)
    assert done.returncode != 0
    assert "videos with errors: 2; the newest:\n  results/logs/mfcc/" in done.stdout
    assert "/vlog.log: RuntimeError: out of luck\n" in done.stdout
    assert f"python {project}/scripts/status.py {workspace.folder}\n" in done.stdout

    done = workspace.run(*FEATURES)
    assert re.search(r"to do: mfcc \(2 [a-z ]+\); then dataset \(1\)\n", done.stdout)
    assert planned(workspace) == {}


def test_a_threshold_changed_leaves_the_other_clips_as_they_were(workspace: Workspace) -> None:
    before, times = checksums(workspace, "clips"), times_of_logs(workspace)
    assert any(path.endswith(".mp4") for path in before)
    settings = workspace.folder / "settings.yaml"
    settings.write_text("features: [mfcc]\nsegments: {min_frames: 76}\n")
    done = workspace.run("--configfile", str(settings))
    line = r"to do: segments \(2 settings or version changed\); then clips \(2\), .*dataset \(1\)\n"
    assert re.search(line, done.stdout)
    assert checksums(workspace, "clips") == before
    same = {rule for rule, time in times_of_logs(workspace).items() if time == times[rule]}
    assert same == set(ROAD[: ROAD.index("segments")])

    # No face is so tall: the clip goes. With the old threshold it is the old clip again.
    settings.write_text("features: [mfcc]\nsegments: {min_face_height: 4000}\n")
    workspace.run("--configfile", str(settings))
    assert not any(path.endswith(".mp4") for path in checksums(workspace, "clips"))
    workspace.run(*FEATURES)
    assert checksums(workspace, "clips") == before


def test_a_list_in_batches_is_the_list_at_once(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name in "abc":
        (tmp_path / f"{name}.mp4").write_text(f"no media, {name}")
    workspace.list_videos("a,a.mp4,,", "b,b.mp4,,", "c,c.mp4,,")
    first = workspace.run("--batch", "dataset=1/2", *FEATURES)
    assert "to do: download (2 not there yet), " in first.stdout and "dataset" not in first.stdout
    (tmp_path / "results/finished/a").rename(tmp_path / "a")
    early = workspace.run("--batch", "dataset=2/2", *FEATURES, check=False)
    assert early.returncode != 0 and "not all previous batches" in early.stderr
    (tmp_path / "a").rename(tmp_path / "results/finished/a")
    second = workspace.run("--batch", "dataset=2/2", *FEATURES)
    assert "to do: download (1 not there yet), " in second.stdout
    assert "dataset (1 not there yet)" in second.stdout
    assert set(workspace.table("dataset/rejected.csv").video_id) == {"a", "b", "c"}
    assert "Nothing to be done" in workspace.run(*FEATURES).stderr


def test_an_unreachable_video_is_tried_again(tmp_path: Path, demo_videos: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workspace = Workspace(tmp_path)
    workspace.list_videos(f"net,http://127.0.0.1:{port}/landscape.mp4,,")
    (tmp_path / "mine.yaml").write_text("features: [mfcc]\ndownload: {tries: 2, backoff: 0.1}\n")
    settings = ("--configfile", str(tmp_path / "mine.yaml"))
    workspace.run(*settings)
    rejected = workspace.table("dataset/rejected.csv")
    assert list(rejected.reason) == ["unavailable"]
    assert planned(workspace, *settings) == {}
    workspace.run("retry_unavailable", *settings)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(demo_videos)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    workspace.run(*settings)
    server.shutdown()
    assert list(workspace.table("dataset/rejected.csv").reason) == ["no_face"]


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


def planned(workspace: Workspace, *config: str) -> dict[str, set[str]]:
    """What a dry run would do: the videos of every rule."""
    done = workspace.run("--dry-run", *(config or FEATURES))
    output = done.stdout + done.stderr
    plan: dict[str, set[str]] = {}
    rule = ""
    for line in output.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in ("rule", "localrule"):
            rule = words[1].rstrip(":")
            plan.setdefault(rule, set())
        elif words[:1] == ["wildcards:"]:
            plan[rule].add(line.split("video=")[1].strip())
    return plan
