"""What libraries print is kept off the terminal."""

import os
import subprocess
import sys

import pytest

from talkingface.job.quiet import quiet_stderr


def test_only_what_is_written_inside_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    os.write(2, b"before ")
    with quiet_stderr():
        os.write(2, b"inside ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


def test_standard_error_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError), quiet_stderr():
        raise RuntimeError
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_without_standard_error() -> None:
    code = "import os; os.close(2)\nfrom talkingface.job.quiet import quiet_stderr\n"
    code += "with quiet_stderr(): print('done')"
    environment = os.environ | {"PYTHONPATH": "scripts"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.stdout == b"done\n"
