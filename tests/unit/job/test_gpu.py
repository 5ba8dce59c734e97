from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from select import select

import pytest

from helpers.paths import SCRIPTS
from talkingface.job.gpu import reserve, visible_gpus

# What `nvidia-smi -L` prints on a machine with two cards, one of them divided.
LISTING = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-3fa2ac63-2c3a-4b26-9a3b-4f2c7a1d0b11)
  MIG 1g.5gb      Device  0: (UUID: MIG-7f0d8a2e-64dd-5d80-8f1c-4a6b6a5f1a10)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b2d6a6c8-98ad-4dd2-8d52-7a7f9c1f6c22)
"""
# A job: prints its GPU and when it had it.
JOB = """
import os, sys, time
from talkingface.job.gpu import reserve
with reserve(1, {folder!r}) as gpu:
    assert os.environ["CUDA_VISIBLE_DEVICES"] == gpu
    start = time.monotonic()
    print(gpu, start, flush=True)
    {work}
    print(time.monotonic(), flush=True)
"""


def start(folder: Path, work: str, gpus: str | None) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "CUDA_VISIBLE_DEVICES"}
    environment["PYTHONPATH"] = str(SCRIPTS)
    if gpus is not None:
        environment["CUDA_VISIBLE_DEVICES"] = gpus
    code = JOB.format(folder=str(folder), work=work)
    return subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
    )


def had(job: subprocess.Popen[str]) -> tuple[str, float, float]:
    """The GPU a finished job had, from when to when."""
    output, _ = job.communicate(timeout=30)
    assert job.returncode == 0
    gpu, start, end = output.split()
    return gpu, float(start), float(end)


def took(job: subprocess.Popen[str]) -> str:
    """The GPU a job has got; waits until it has."""
    assert job.stdout
    if not select([job.stdout], [], [], 10)[0]:
        job.kill()
        pytest.fail("it still waits for a GPU")
    return job.stdout.readline().split()[0]


def test_no_two_jobs_have_the_same_gpu(tmp_path: Path) -> None:
    jobs = [start(tmp_path, "time.sleep(0.3)", "2,GPU-b2d6a6c8") for _ in range(6)]
    spans = sorted(had(job) for job in jobs)
    assert {gpu for gpu, _, _ in spans} == {"2", "GPU-b2d6a6c8"}
    for (gpu, _, end), (next_gpu, begin, _) in pairwise(spans):
        assert gpu != next_gpu or end <= begin


def test_jobs_have_their_gpus_at_the_same_time(tmp_path: Path) -> None:
    jobs = [start(tmp_path, "time.sleep(30)", "0,1") for _ in range(2)]
    assert {took(job) for job in jobs} == {"0", "1"}
    for job in jobs:
        job.kill()
        job.wait()


def test_a_killed_job_gives_its_gpu_back(tmp_path: Path) -> None:
    # Also where a program that it started lives on.
    first = start(tmp_path, "os.system('sleep 60 & echo $!'); time.sleep(60)", "0,0")
    assert took(first) == "0"
    assert first.stdout
    child = int(first.stdout.readline())
    second = start(tmp_path, "pass", "0,0")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(1.5)
    first.kill()
    first.wait()
    assert had(second)[0] == "0"
    os.kill(child, signal.SIGKILL)


def test_a_gpu_that_was_given_is_not_asked_for_again(tmp_path: Path) -> None:
    jobs = [start(tmp_path, "time.sleep(30)", "0") for _ in range(2)]
    assert [took(job) for job in jobs] == ["0", "0"]
    for job in jobs:
        job.kill()
        job.wait()


def test_all_gpus_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTING}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert visible_gpus() == ["0", "1"]
    with reserve(1, tmp_path) as gpu:
        assert gpu == "0"
        assert had(start(tmp_path, "pass", None))[0] == "1"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_machine_without_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with reserve(1, tmp_path) as gpu:
        assert gpu is None
        assert "CUDA_VISIBLE_DEVICES" not in os.environ


@pytest.mark.parametrize(
    ("given", "names"),
    [("", []), ("-1", []), ("3", ["3"]), ("1, 0", ["1", "0"]), ("2,-1,0", ["2"])],
)
def test_what_the_variable_lists(
    given: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert visible_gpus() == names


def test_a_job_that_wants_none_sees_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with reserve(0, tmp_path) as gpu:
        assert gpu is None
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_the_lock_of_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o1777)  # as /tmp is
        with reserve(1, folder) as mine:
            assert mine == "0"
            assert as_nobody(folder) == "1"
        assert as_nobody(folder) == "0"


def as_nobody(folder: Path) -> str:
    """The GPU that the user nobody gets."""
    child = os.fork()
    if child == 0:
        os.setuid(65534)
        os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"
        with reserve(1, folder) as gpu:
            os._exit(int(gpu or 9))
    return str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


@pytest.mark.parametrize("wanted", [2, -1])
def test_other_numbers_are_refused(wanted: int) -> None:
    with pytest.raises(ValueError, match="0 or 1"), reserve(wanted):
        pass
