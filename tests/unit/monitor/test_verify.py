"""The command that finds damage and has it made again."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.finished_results import finish_dataset, finish_video, halve
from helpers.paths import SCRIPTS
from talkingface.monitor.check import Fault
from talkingface.monitor.missing import find_missing
from talkingface.monitor.verify import is_locked, put_away, verify
from talkingface.stages import FEATURES

CLIP = "b_000000_000004_00"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    for video in ("a", "b", "c"):
        finish_video(tmp_path / "results", video)
    finish_dataset(tmp_path / "results")
    return tmp_path


def command(workspace: Path, *words: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(SCRIPTS / "verify.py"), str(workspace), *words]
    return subprocess.run(script, capture_output=True, text=True)


def test_the_command_names_damage_and_has_it_made_again(workspace: Path) -> None:
    results = workspace / "results"
    done = command(workspace, "--record")
    assert (done.returncode, done.stderr) == (0, "")
    damaged = [f"parsing/b/{CLIP}/000002.png", "segments/c.csv", "dataset/clips.csv"]
    sizes = [(results / path).stat().st_size for path in damaged]
    for path in damaged:
        halve(results / path)
    (results / f"mfcc/b/{CLIP}.npy").unlink()
    lines = [
        f"{results}/mfcc/b/{CLIP}.npy: missing",
        *(
            f"{results}/{path}: {size // 2} bytes, {size} were written"
            for path, size in zip(damaged, sizes, strict=True)
        ),
    ]
    for words in ([], ["--decode"]):
        done = command(workspace, *words)
        assert done.returncode == 1
        assert sorted(done.stdout.splitlines()[:4]) == sorted(lines)
        assert done.stderr == "4 damaged or missing; with --remake the next run makes them again\n"
    assert all((results / path).exists() for path in damaged)
    done = command(workspace, "--remake")
    assert "4 damaged or missing, 3 deleted: run snakemake again to make them" in done.stderr
    assert not any((results / path).exists() for path in damaged)
    missing = find_missing(results, ["a", "b", "c"], FEATURES)
    assert missing.outputs == ["segments/c.csv"]
    assert missing.parts == {
        "parsing/b.csv": [damaged[0]],
        "mfcc/b.csv": [f"mfcc/b/{CLIP}.npy"],
    }


def test_videos_come_in_order_whatever_the_number_of_threads(workspace: Path) -> None:
    for video in ("a", "b", "c"):
        halve(workspace / f"results/scenes/{video}.csv")
    for threads in (1, 3):
        found = [f.path for c in verify(workspace / "results", threads=threads) for f in c.faults]
        assert found == ["scenes/a.csv", "scenes/b.csv", "scenes/c.csv"]


def test_only_what_is_ours_is_deleted(workspace: Path) -> None:
    results, outside = workspace / "results", workspace / "outside"
    outside.mkdir()
    (outside / "x").touch()
    (results / "link").symlink_to(outside)
    (results / "pose/a.csv").unlink()
    (results / "pose/a.csv").symlink_to(outside / "x")
    names = ["link/x", "pose/a.csv", "raw/a.media", "pose/b", "../outside/x", "scenes/a.csv"]
    assert put_away(results, [Fault(name, "damaged") for name in names]) == 1
    assert not (results / "scenes/a.csv").exists()
    assert (outside / "x").exists() and (results / "raw/a.media").is_symlink()


def test_not_beside_a_run(workspace: Path) -> None:
    assert not is_locked(workspace)
    (workspace / ".snakemake/locks").mkdir(parents=True)
    assert not is_locked(workspace)
    (workspace / ".snakemake/locks/0.input.lock").touch()
    halve(workspace / "results/scenes/a.csv")
    done = command(workspace, "--remake")
    assert done.returncode == 1 and "locked" in done.stderr
    assert (workspace / "results/scenes/a.csv").exists()
    assert "scenes/a.csv: " in command(workspace).stdout


def test_what_is_no_workspace(tmp_path: Path) -> None:
    done = command(tmp_path)
    assert done.returncode == 1 and "results: no such folder" in done.stderr
    (tmp_path / "results").mkdir()
    assert command(tmp_path).returncode == 0


def test_a_folder_that_went_is_told(workspace: Path) -> None:
    shutil.rmtree(workspace / "results/hubert/a")
    done = command(workspace)
    assert done.stdout.splitlines()[0] == f"{workspace}/results/hubert/a: missing"
