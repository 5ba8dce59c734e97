"""Bad videos end in the ledger, each with its own reason, and stop nobody else."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pandas as pd
import pytest

from helpers.file_server import file_server
from helpers.workspace import Workspace
from talkingface.demo.speech import ambience
from talkingface.media.video import shown_frames
from talkingface.media.writer import VideoWriter

# What each video's row in rejected.csv must say: stage, reason and a part of the detail.
EXPECTED = {
    "zero": ("download", "broken", "empty file"),
    "text": ("download", "broken", "not a media file"),
    "cut_end": ("download", "broken", "truncated"),
    "cut_front": ("proxy", "truncated", "could be decoded"),
    "no_audio": ("proxy", "no_audio", "no audio track"),
    "quiet": ("proxy", "silent", ""),
    "music": ("speech", "no_speech", ""),
    "no_face": ("tracks", "no_face", ""),
    "picture": ("download", "broken", "a still image"),
    "missing": ("download", "missing", "no such file"),
    "gone": ("download", "not_found", "404"),
    "short": ("tracks", "too_short", ""),
}


def cut(source: Path, target: Path, frames: int, sound: np.ndarray) -> None:
    """The first frames of a video with another sound at 16 kHz, index in front."""
    shown = list(shown_frames(source, [(0, frames)]))
    size = shown[0].display_size
    with VideoWriter(
        target, *size, sound=lambda a, b: sound[a:b], sound_rate=16000, preset="superfast", crf=18
    ) as writer:
        for item in shown:
            for _ in range(item.start, item.end):
                writer.write(item.frame)


@dataclass(frozen=True)
class Runs:
    """What runs said of a list that is done in two batches, and in which then `web` is tried
    again; `rejected` and `plan` are those after the batches, `again` is planned after the retry."""

    workspace: Workspace
    first: CompletedProcess[str]
    early: CompletedProcess[str]
    second: CompletedProcess[str]
    rejected: pd.DataFrame
    part: str
    plan: dict[str, set[str]]
    again: dict[str, set[str]]


@pytest.fixture(scope="module")
def runs(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    workspace = Workspace(tmp_path_factory.mktemp("bad_input"))
    folder = workspace.folder
    make_videos(demo_videos, folder)
    port = free_port()
    sources = {name: f"{name}.mp4" for name in EXPECTED}
    sources |= {"picture": "picture.png", "missing": "nowhere.mp4"}
    (folder / "mine.yaml").write_text(
        "features: [mfcc]\ndownload: {tries: 2, backoff: 0.1, private_addresses: true}\n"
    )
    settings = ("--configfile", str(folder / "mine.yaml"))
    with file_server(folder) as address:
        sources["gone"] = f"{address}/gone.mp4"
        good = ["good,good.mp4,,", f"web,http://127.0.0.1:{port}/talk.mp4,,"]
        workspace.list_videos(*good, *(f"{k},{v},," for k, v in sources.items()))
        first = workspace.run("--batch", "dataset=1/2", *settings)
        done = folder / "results/finished/good"
        done.rename(folder / "kept")
        early = workspace.ask("--batch", "dataset=2/2", *settings)
        (folder / "kept").rename(done)
        second = workspace.run("--batch", "dataset=2/2", *settings)
        part = workspace.ask("--summary", "--batch", "dataset=2/2", *settings).stdout
    rejected, plan = workspace.table("dataset/rejected.csv"), workspace.planned(*settings)
    workspace.run("retry_unavailable", *settings)
    again = workspace.planned(*settings)
    with file_server(folder, port):
        workspace.run(*settings)
    return Runs(workspace, first, early, second, rejected, part, plan, again)


def make_videos(demo_videos: Path, folder: Path) -> None:
    """A good video, twice, and the files of EXPECTED."""
    vlog = demo_videos / "vlog.mp4"
    shutil.copy(vlog, folder / "good.mp4")
    shutil.copy(vlog, folder / "talk.mp4")
    (folder / "zero.mp4").touch()
    (folder / "text.mp4").write_text("This is no video.\n" * 500)
    noise = np.random.default_rng(0).normal(0, 3000, (640 * 80, 1)).astype(np.int16)
    cut(vlog, folder / "cut_front.mp4", 80, noise)
    whole = (folder / "cut_front.mp4").read_bytes()
    (folder / "cut_front.mp4").write_bytes(whole[: len(whole) // 2])
    # The demonstration's index is at the end.
    whole = vlog.read_bytes()
    assert whole.index(b"moov") > len(whole) // 2
    (folder / "cut_end.mp4").write_bytes(whole[: len(whole) // 2])
    shutil.copy(demo_videos / "silent.mp4", folder / "no_audio.mp4")
    cut(vlog, folder / "quiet.mp4", 80, np.zeros_like(noise))
    music = (32767 * ambience(80 / 25, 16000)).astype(np.int16)[:, None]
    cut(vlog, folder / "music.mp4", 80, music)
    cut(vlog, folder / "short.mp4", 3, noise[: 3 * 640])
    shutil.copy(demo_videos / "landscape.mp4", folder / "no_face.mp4")
    cv2.imwrite(str(folder / "picture.png"), np.full((480, 640, 3), 90, np.uint8))


def free_port() -> int:
    """A port of this machine at which nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def workspace(runs: Runs) -> Workspace:
    """The workspace at the end of all runs."""
    return runs.workspace


@pytest.mark.parametrize("video", EXPECTED)
def test_each_has_its_own_reason(workspace: Workspace, video: str) -> None:
    rejected = workspace.table("dataset/rejected.csv")
    rows = rejected[rejected.video_id == video]
    # What is there of a file that is cut off is judged as any other.
    assert len(rows) == (2 if video == "cut_front" else 1)
    stage, reason, detail = EXPECTED[video]
    row = rows.set_index("reason").loc[reason]
    assert row.stage == stage
    assert detail in row.detail
    assert len(workspace.table(f"clips/{video}.csv")) == 0


def test_the_dataset_holds_exactly_the_survivors(workspace: Workspace) -> None:
    clips = workspace.table("dataset/clips.csv")
    assert list(clips.video_id) == ["good", "web"]
    # Downloaded or linked, it is the same file.
    assert clips.n_frames.nunique() == 1
    summary = workspace.json("dataset/summary.json")
    assert summary["videos"]["count"] == 2 + len(EXPECTED)
    assert summary["kept"]["clips"] == 2


def test_a_download_is_recorded(workspace: Workspace, demo_videos: Path) -> None:
    record = workspace.json("videos/web.json")
    assert record["provenance"]["kind"] == "url"
    content = (demo_videos / "vlog.mp4").read_bytes()
    assert record["provenance"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert (workspace.folder / "results/raw/web.media").read_bytes() == content
    assert (workspace.folder / "results/raw/good.media").is_symlink()


def test_a_list_in_batches_is_the_list_at_once(runs: Runs) -> None:
    first, early, second = runs.first, runs.early, runs.second
    assert "to do: download (7 not there yet), " in first.stdout and "dataset" not in first.stdout
    assert early.returncode != 0 and "not all previous batches" in early.stderr
    assert "to do: download (7 not there yet), " in second.stdout
    assert "dataset (1 not there yet)" in second.stdout
    assert set(runs.rejected.video_id) == {"web", *EXPECTED}
    # The last part plans nothing of the videos before, whose previews the report shows as well.
    for stage in ("segments", "clips", "preview"):
        assert len(re.findall(rf"^results/{stage}/\w+\.csv", runs.part, re.MULTILINE)) == 7
    # A run of the whole list names these previews, too: the page alone is made once more.
    assert runs.plan == {"report": set(), "all": set()}


def test_an_unreachable_video_is_tried_again(runs: Runs) -> None:
    rejected = runs.rejected.set_index("video_id")
    assert rejected.reason["web"] == "unavailable"
    assert list(rejected.reason).count("unavailable") == 1
    assert runs.again["download"] == runs.again["finished"] == {"web"}
    assert "web" not in set(runs.workspace.table("dataset/rejected.csv").video_id)


@pytest.mark.parametrize("video_id", ["../x", "a b", ";rm", "", "a/b", "ä"])
def test_unsafe_names_are_refused_before_anything_runs(tmp_path: Path, video_id: str) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("fine,a.mp4,,", f"{video_id},b.mp4,,")
    done = workspace.ask()
    assert done.returncode != 0
    assert "videos.csv" in done.stderr
    assert "line 3" in done.stderr
    assert "video_id" in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("one,a.mp4,,", "two,b.mp4,,", "one,c.mp4,,")
    done = workspace.ask()
    assert done.returncode != 0
    assert "line 4" in done.stderr and "line 2" in done.stderr and "'one'" in done.stderr


def test_unknown_settings_are_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("one,a.mp4,,")
    (tmp_path / "mine.yaml").write_text("clips: {sise: 256}\n")
    done = workspace.ask("--configfile", "mine.yaml")
    assert done.returncode != 0
    assert "clips.sise" in done.stderr and "size" in done.stderr
    assert not (tmp_path / "results").exists()


def test_settings_that_are_a_program_are_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("one,a.mp4,,")
    (tmp_path / "mine.yaml").write_text("__use_yte__: true\nvideos: ?'videos' + '.csv'\n")
    done = workspace.ask("--configfile", "mine.yaml")
    assert done.returncode != 0
    assert "mine.yaml, line 1: __use_yte__" in done.stderr and "Traceback" not in done.stderr
    done = workspace.ask("--config", "split=nan")
    assert done.returncode != 0
    assert "split: nan is no finite number" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "results").exists()


def test_contrary_splits_are_refused(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.list_videos("one,a.mp4,ann,train", "two,b.mp4,ann,eval")
    done = workspace.ask()
    assert done.returncode != 0
    assert "'one'" in done.stderr and "'two'" in done.stderr
    assert not (tmp_path / "results").exists()
