from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from helpers.paths import SCRIPTS

SCRIPT = """
import os, resource, sys
from talkingface.job.log import logged
with logged(sys.argv[1]):
    print("from Python")
    os.write(2, b"from C\\n")
    if sys.argv[2] == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
        print("more than there is room for", flush=True)
    if sys.argv[2] == "fail":
        raise ValueError("what went wrong")
"""


def run(log: Path, how: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(log), how],
        env={"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )


def test_everything_printed_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    done = run(log, "work")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "from Python" in log.read_text() and "from C" in log.read_text()


def test_the_last_line_is_the_time(tmp_path: Path) -> None:
    run(tmp_path / "a.log", "work")
    assert re.fullmatch(r".*: done in 0\.\d s", last_line(tmp_path / "a.log"))


def last_line(log: Path) -> str:
    return log.read_text().splitlines()[-1]


def test_an_error_names_the_log_and_shows_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    done = run(log, "fail")
    assert done.returncode == 1
    assert str(log) in done.stderr
    assert "ValueError: what went wrong" in done.stderr
    assert "Traceback" in log.read_text()


def test_an_error_is_shown_when_the_log_cannot_be_written(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    done = run(log, "full")
    assert done.returncode != 0
    assert str(log) in done.stderr
    assert "OSError: [Errno 27] File too large" in done.stderr
    assert len(log.read_bytes()) == 20
