"""Where every video stands, from results/ as a run leaves it."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import ROOT, SCRIPTS
from talkingface.monitor import status as status_module
from talkingface.monitor.status import describe_status, log_error, read_status
from talkingface.settings.videos import list_video_ids
from talkingface.stages import STAGES

LEDGER = "clip_id,video_id,verdict,stage,reason,n_frames\n"


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def log(path: Path, work: str, how: int = 0) -> None:
    """A log as a job writes it; with `how` 9 the job is killed in the middle."""
    code = "import os, sys\nfrom talkingface.job.log import logged\nwith logged(sys.argv[1]):\n"
    code += f"    {work}\n    if {how}: os.kill(os.getpid(), {how})\n"
    command = [sys.executable, "-c", code, str(path)]
    subprocess.run(command, env={"PYTHONPATH": str(SCRIPTS)}, capture_output=True)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Five videos: one finished, one gone, one failed in sync, one at work in proxy, one to come.

    A sixth was taken off the list.
    """
    results = tmp_path / "results"
    for name, seconds in {"done": 3600.0, "failed": 1800.0, "at_work": 0, "off": 7200.0}.items():
        probe = {"duration": seconds} if seconds else {"video": {"duration": 900.0}}
        record = {"video_id": name, "status": "ok", "probe": probe}
        write(results / f"videos/{name}.json", json.dumps(record))
    record = {"video_id": "gone", "status": "not_found", "probe": None}
    write(results / "videos/gone.json", json.dumps(record))
    for name in ("done", "failed", "gone", "off"):
        write(results / f"proxy/{name}.json", "{}")
        write(results / f"proxy/{name}.mp4")
    write(results / "sync/done.csv", "x\n")
    write(results / "sync/done.frames.csv", "x\n")
    write(results / "sync/.partial-failed.csv", "x\n")
    rows = [
        "done_1,done,kept,,,2500",
        "done_2,done,kept,,,500",
        "done_3,done,rejected,sync,not_speaking,250",
        "done_4,done,rejected,sync,not_speaking,500",
        ",done,rejected,tracks,no_face,",
    ]
    write(results / "segments/done.csv", LEDGER + "\n".join([*rows, ""]))
    write(results / "segments/gone.csv", f"{LEDGER},gone,rejected,download,not_found,\n")
    for name in ("done", "gone"):
        write(results / f"mfcc/{name}.csv", "clip_id,n_frames\n")
        (results / f"mfcc/{name}").mkdir()
    good = "INFO talkingface.log: done in 2.0 s\n"
    for stage, names in {
        "download": ["done", "failed", "at_work", "gone", "off"],
        "proxy": ["done", "failed", "gone", "off"],
        "sync": ["done"],
        "segments": ["done", "gone"],
        "mfcc": ["done", "gone"],
    }.items():
        for i, name in enumerate(names):
            write(results / f"logs/{stage}/{name}.log", good)
            write(results / f"benchmarks/{stage}/{name}.tsv", f"s\th:m:s\n{1 + 2 * i}.0\t0\n")
    log(results / "logs/proxy/at_work.log", "print('begun', flush=True)", how=9)
    log(results / "logs/sync/failed.log", "raise ValueError('what\\nwent wrong')")
    write(results / "logs/dataset.log", "Traceback (most recent call last):\n  x\nKeyError: 'a'\n")
    os.utime(results / "logs/dataset.log", (1, 1))
    return results


# Rules that make something of other things than one video.
NOT_OF_A_VIDEO = {"models", "retry_unavailable", "dataset", "card", "report"}
LISTED = ["done", "failed", "at_work", "gone", "to_come"]


def test_stages_are_counted_and_in_order(results: Path) -> None:
    status = read_status(results, LISTED)
    counts = [(s.name, s.finished, s.failed, s.begun) for s in status.stages]
    assert counts == [
        ("download", 4, 0, 0),
        ("proxy", 3, 0, 1),
        ("sync", 1, 1, 0),
        ("segments", 2, 0, 0),
        ("mfcc", 2, 0, 0),
    ]
    # Seconds of all that was made, also of what was taken off the list: 1, 3, 5, 7, 9 and so on.
    assert [s.seconds for s in status.stages] == [5, 4, 1, 2, 2]


def test_every_stage_is_known_in_the_order_of_the_rules() -> None:
    files = re.findall(r'^include: "(.+)"', (ROOT / "Snakefile").read_text(), re.MULTILINE)
    texts = [(ROOT / file).read_text() for file in files]
    rules = [name for text in texts for name in re.findall(r"^rule (\w+):", text, re.MULTILINE)]
    assert [rule for rule in rules if rule not in NOT_OF_A_VIDEO] == list(STAGES)


def test_videos_hours_and_what_was_not_kept(results: Path) -> None:
    status = read_status(results, LISTED)
    assert status.videos == 5
    assert status.by_status == {"ok": 3, "not_found": 1}
    assert status.hours_in == pytest.approx((3600 + 1800 + 900) / 3600)
    assert status.clips == 2
    assert status.hours_kept == pytest.approx(3000 / 25 / 3600)
    assert [row[:3] for row in status.not_kept] == [
        ("sync", "not_speaking", 2),
        ("download", "not_found", 1),
        ("tracks", "no_face", 1),
    ]
    assert status.not_kept[0][3] == pytest.approx(750 / 25 / 3600)


def test_errors_are_those_that_logs_end_in(results: Path) -> None:
    status = read_status(results, LISTED)
    assert status.failed_videos == 1
    assert status.errors == [
        (results / "logs/sync/failed.log", "ValueError: what"),
        (results / "logs/dataset.log", "KeyError: 'a'"),
    ]


def test_without_a_list_all_that_is_known_counts(results: Path) -> None:
    assert read_status(results).videos == 5  # to_come is not known, off is
    assert read_status(results).hours_in == pytest.approx((3600 + 1800 + 900 + 7200) / 3600)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", ""),
        ("INFO a: b\n", ""),
        ("INFO talkingface.log: done in 1.0 s, 5 frames, 5.0 frames/s\nbye from C\n", None),
        (
            "Traceback (most recent call last):\n  a\nE: b\nINFO talkingface.log: done in 1 s\n",
            None,
        ),
        ("x" * 50_000 + "\nTraceback (most recent call last):\n  a\n    b\nE: b\n  c\n", "E: b"),
        (
            "Traceback (most recent call last):\n  a\nA: b\n\nDuring handling:\n\n"
            "Traceback (most recent call last):\n  a\nE: b\n",
            "E: b",
        ),
    ],
)
def test_how_a_log_ends(tmp_path: Path, text: str, error: str | None) -> None:
    write(tmp_path / "a.log", text)
    assert log_error(tmp_path / "a.log") == error
    assert log_error(tmp_path / "no.log") is None


def test_the_table_as_the_command_prints_it(results: Path) -> None:
    write(results.parent / "videos.csv", "video_id,source\n" + "".join(f"{v},x\n" for v in LISTED))
    assert list_video_ids(results.parent / "videos.csv") == LISTED
    command = [sys.executable, str(SCRIPTS / "status.py"), str(results.parent)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = shown.splitlines()
    assert lines[0] == "5 videos; 3 are here, 1.8 h; segments kept: 2, 2.0 min"
    assert lines[1] == "not to be had: 1 not_found"
    proxy = next(line for line in lines if line.startswith("proxy"))
    assert proxy.split() == ["proxy", "3", "2", "0", "1", "4.0", "s", "0.2", "min", "0.1", "min"]
    assert "       2 by sync: not_speaking, 0.5 min" in lines
    assert f"  {results}/logs/sync/failed.log: ValueError: what" in lines
    assert shown.strip() == describe_status(read_status(results, LISTED))


def test_the_dataset_there_is_comes_with_what_its_gates_rejected(results: Path) -> None:
    side = {"clips": 1, "hours": 0.5, "videos": 1, "identities": 1, "groups": 1}
    reasons = [
        ("quality", "blurred", 3), ("sync", "not_speaking", 2), ("decisions", "by hand", 1),
    ]  # fmt: skip
    summary = {
        "videos": {"count": 2, "by_status": {"ok": 2}},
        "hours_in": 3.0,
        "candidates": 7,
        "kept": {"clips": 2, "hours": 1.0},
        "rejected": [{"stage": a, "reason": b, "count": c, "hours": 0.1} for a, b, c in reasons],
        "train": side,
        "eval": side,
    }
    assert "last made" not in describe_status(read_status(results, LISTED))
    write(results / "dataset/summary.json", json.dumps(summary))
    shown = describe_status(read_status(results, LISTED))
    line = "the dataset when it was last made: 2 videos, 3.0 h; kept 2 clips, 1.0 h"
    assert f"{line} (train 1, eval 1)\n      3 not kept by quality: blurred\n" in shown
    assert "\n      1 not kept by decisions: by hand\n" in f"{shown}\n"
    assert shown.count("not_speaking") == 1


def test_files_of_a_run_that_goes_on_may_vanish(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the listing of a folder and the reading of its files a job may begin anew."""
    listing = status_module._stems

    def stems_and_then_nothing(folder: Path, suffix: str) -> set[str]:
        found = listing(folder, suffix)
        for stem in found:
            (folder / f"{stem}{suffix}").unlink()
        return found

    monkeypatch.setattr(status_module, "_stems", stems_and_then_nothing)
    status = read_status(results, LISTED)
    assert (status.by_status, status.clips, status.failed_videos) == ({}, 0, 0)
    assert describe_status(status)


WHOLE = {"videos": {}, "hours_in": 1, "kept": {}, "rejected": [], "train": {}, "eval": {}}


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[1]", b"x,y\n1\n", b"null"])
def test_files_may_be_half_written(results: Path, content: bytes) -> None:
    for name in ("videos/done.json", "segments/done.csv", "dataset/summary.json"):
        write(results / name)
        (results / name).write_bytes(content)
    for path in (results / "benchmarks").rglob("*.tsv"):
        path.write_bytes(content)
    status = read_status(results, LISTED)
    assert status.by_status == {"ok": 2, "not_found": 1}
    assert (status.clips, status.dataset) == (0, None)
    assert [row[:3] for row in status.not_kept] == [("download", "not_found", 1)]
    assert {stage.seconds for stage in status.stages} <= {None, 1.0}
    assert describe_status(status)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"video_id": "done", "status": "o',
        b"\xff\xfe\x00",
        b"[1]",
        b"[" * 5000,
        b"null",
        b'{"status": 1}',
        b'{"status": {}, "probe": 3}',
        b"<html>",
    ],
)
def test_damaged_files_are_named_and_counted(results: Path, content: bytes) -> None:
    whole = read_status(results, LISTED)
    assert whole.damaged == () and "\ndamaged: " not in describe_status(whole)
    for name in ("videos/done.json", "segments/done.csv", "dataset/summary.json"):
        (results / name).parent.mkdir(exist_ok=True)
        (results / name).write_bytes(content)
    status = read_status(results, LISTED)
    assert [str(path.relative_to(results)) for path in status.damaged] == [
        "videos/done.json", "segments/done.csv", "dataset/summary.json"
    ]  # fmt: skip
    shown = describe_status(status)
    assert "\ndamaged: 3; see python scripts/verify.py:\n" in shown
    assert f"\n  {results}/videos/done.json" in shown


@pytest.mark.parametrize("duration", ["1e999", "NaN", '"x"', "[]", "{}", "null", "1" + "0" * 400])
def test_no_duration_stops_it(results: Path, duration: str) -> None:
    write(results / "videos/done.json", '{"status": "ok", "probe": {"duration": %s}}' % duration)
    assert describe_status(read_status(results, LISTED))


def test_a_ledger_counts_as_far_as_it_is_whole(results: Path) -> None:
    ledger = (results / "segments/done.csv").read_text()
    for end, damaged in (("done_4,done,rej", 1), ("x,y,kept,,,inf", 1), ('e,f,kept,,"a\nb",25', 0)):
        write(results / "segments/done.csv", f"{ledger}{end}\n")
        status = read_status(results, LISTED)
        assert (status.clips, len(status.damaged)) == (2 + (not damaged), damaged)
    write(results / "segments/done.csv", ledger[:-1])
    assert len(read_status(results, LISTED).damaged) == 1


def test_whatever_is_in_the_files_there_is_a_status(results: Path) -> None:
    chance = random.Random(0)
    write(results / "dataset/summary.json", json.dumps(WHOLE))
    files = sorted(path for path in results.rglob("*") if path.is_file())
    for _ in range(60):
        path = chance.choice(files)
        content = bytearray(path.read_bytes()) or bytearray(b"x")
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.randrange(len(content) + 1)])
        assert describe_status(read_status(results, LISTED))


def test_what_another_version_wrote_is_not_told(results: Path) -> None:
    write(results / "dataset/summary.json", json.dumps(WHOLE))
    write(results / "videos/done.json", json.dumps({"status": "ok", "probe": {"duration": "?"}}))
    ledger = (results / "segments/done.csv").read_text()
    write(results / "segments/done.csv", ledger + "done_5,done,rejected\n,,,,,many\n")
    status = read_status(results, LISTED)
    assert (status.dataset, status.by_status["ok"], status.clips) == (None, 3, 2)
    assert [row[:3] for row in status.not_kept][0] == ("sync", "not_speaking", 2)
    assert describe_status(status)


def test_a_folder_where_a_file_should_be(results: Path) -> None:
    for name in ("videos/at_work.json", "logs/sync/failed.log", "segments/gone.csv"):
        (results / name).unlink()
        (results / name).mkdir()
    assert describe_status(read_status(results, LISTED))


def test_a_list_that_cannot_be_read_is_said(results: Path) -> None:
    (results.parent / "videos.csv").write_bytes(b"video_id,source\n\xff\xfe,x\n")
    command = [sys.executable, str(SCRIPTS / "status.py"), str(results.parent)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "videos.csv: cannot be read" in done.stderr


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    status = read_status(tmp_path / "results", ["a"])
    assert (status.videos, status.stages, status.errors) == (1, [], [])
    assert describe_status(status).startswith("1 videos; 0 are here, 0.0 min")
    command = [sys.executable, str(SCRIPTS / "status.py"), str(tmp_path / "elsewhere")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and "elsewhere/results: no such folder" in done.stderr
