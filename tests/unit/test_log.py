from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import os, sys
from talkingface.log import logged
with logged(sys.argv[1]):
    print("from Python")
    os.write(2, b"from C\\n")
    if sys.argv[2] == "fail":
        raise ValueError("what went wrong")
"""


def run(log: Path, how: str) -> subprocess.CompletedProcess[str]:
    scripts = Path(__file__).parents[2] / "scripts"
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, str(log), how],
        env={"PYTHONPATH": str(scripts)},
        capture_output=True,
        text=True,
    )


def test_everything_printed_is_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    done = run(log, "work")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "from Python" in log.read_text() and "from C" in log.read_text()


def test_an_error_names_the_log_and_shows_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    done = run(log, "fail")
    assert done.returncode == 1
    assert str(log) in done.stderr
    assert "ValueError: what went wrong" in done.stderr
    assert "Traceback" in log.read_text()
