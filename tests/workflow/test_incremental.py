"""Only what changed runs again."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .conftest import Workspace

FEATURES = ("--config", "features=[mfcc]")
ROAD = ["download", "proxy", "scenes", "tracks", "sync", "segments", "clips"]
# Landmarks and pose are wanted by quality.
OF_CLIPS = ["mfcc", "landmarks", "pose", "quality"]
PER_VIDEO = {*ROAD, *OF_CLIPS}


@pytest.fixture(scope="module")
def workspace(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on two videos: `vlog`, and `view` without a face."""
    workspace = Workspace(tmp_path_factory.mktemp("incremental"))
    for name, source in {"vlog": "vlog", "view": "landscape", "more": "landscape"}.items():
        shutil.copy(demo_videos / f"{source}.mp4", workspace.folder / f"{name}.mp4")
    workspace.list_videos("vlog,vlog.mp4,,", "view,view.mp4,,")
    workspace.run(*FEATURES)
    return workspace


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
    workspace.run(*FEATURES)
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
    order = [*ROAD, *OF_CLIPS, "dataset", "all"]
    # In a file: on the command line snakemake takes the numbers in {...} for text.
    settings = workspace.folder / "settings.yaml"
    settings.write_text(f"features: [mfcc]\n{setting}\n" if first != "mel" else setting)
    expected = {"mel", "dataset", "all"} if first == "mel" else set(order[order.index(first) :])
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
    assert plan["clips"] == {"vlog"} and "proxy" not in plan
    workspace.run(*FEATURES)
    assert len(workspace.table("dataset/clips.csv")) == 1


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
