"""Whether it is the file or this machine that fails."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest

from helpers.paths import SCRIPTS
from helpers.synthetic import Film, make_film
from talkingface.media import errors
from talkingface.media.errors import (
    refuse_errors_of_machine,
    refuse_short_memory,
    refuse_to_blame,
)
from talkingface.media.probe import probe
from talkingface.shots.proxy import encode_proxy

# Makes the copy of a video in child processes, each with so many MB more of address space than it
# has at the start, and prints what became of each.
UNDER_LIMITS = """
import os, resource, sys
from pathlib import Path
from talkingface.media.probe import probe
from talkingface.shots import encoding
from talkingface.shots.proxy import encode_proxy

path, folder, *limits = sys.argv[1:]
for limit in map(int, limits):
    end, start = os.pipe()
    if os.fork() == 0:
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (limit << 20),) * 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        said = b"failed"
        try:
            probe(Path(path))
            files = f"{folder}/{limit}.mp4", f"{folder}/{limit}.wav"
            proxy = encode_proxy(path, *files, long_side=640, threads=2)
            said = f"{proxy.status} {proxy.n_frames}".encode()
        finally:
            os.write(start, said)
            os._exit(0)
    os.close(start)
    print(limit, os.read(end, 100).decode() or "died", flush=True)
    os.close(end)
    os.wait()
"""


def run(code: str, *args: object) -> str:
    command = [sys.executable, "-c", code, *map(str, args)]
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_want_of_memory_is_no_damage(tmp_path: Path, codec: str) -> None:
    """All of a good file, or an error: neither fewer frames, nor that it be broken."""
    path = make_film(tmp_path, Film(size=(640, 360), seconds=2, flashes=(), codec=codec))
    limits = [8, 24, 40, 64, 96, 128, 160, 192, 224, 256, 320, 2000]
    lines = run(UNDER_LIMITS, path, tmp_path, *limits).splitlines()
    said = {int(line.split(" ", 1)[0]): line.split(" ", 1)[1] for line in lines}
    assert said.keys() == set(limits)
    assert set(said.values()) <= {"ok 50", "failed", "died"}
    assert said[8] != "ok 50" and said[2000] == "ok 50"


def test_want_of_file_descriptors_is_no_damage(tmp_path: Path) -> None:
    path = make_film(tmp_path, Film(size=(64, 48), seconds=1, flashes=()))
    code = """
import resource, sys
from talkingface.media.probe import probe
from talkingface.media.video import bgr_frames
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
for read in (probe, lambda path: next(bgr_frames(path))):
    try:
        read(sys.argv[1])
    except OSError as error:
        print(type(error).__name__, error.errno)
"""
    assert run(code, path).splitlines() == [f"OSError {errno.EMFILE}"] * 2


@pytest.mark.parametrize("code", [errno.ENOMEM, errno.EMFILE, errno.ENOSPC])
def test_errors_of_the_machine_are_no_longer_libav_s(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(errors.resource, "getrlimit", lambda _: (1 << 40, 1 << 40))
    error = av.error.classes[code](code, os.strerror(code))
    with pytest.raises((OSError, MemoryError)) as raised:
        refuse_errors_of_machine(error)
    assert not isinstance(raised.value, av.FFmpegError)


def test_where_memory_is_not_limited_a_file_asks_for_absurdly_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """libav refuses more than 2 GB at once, as damaged files ask for, with the same error."""
    unlimited = errors.resource.RLIM_INFINITY
    monkeypatch.setattr(errors.resource, "getrlimit", lambda _: (unlimited, unlimited))
    refuse_errors_of_machine(av.error.classes[errno.ENOMEM](errno.ENOMEM, "x"))
    refuse_short_memory()


def test_errors_of_the_file_are_left() -> None:
    for code in (errno.EINVAL, errno.EIO, av.error.ErrorType.INVALIDDATA):
        refuse_errors_of_machine(av.error.classes[code](code, "x"))


def test_a_file_that_cannot_be_read_is_not_damaged(tmp_path: Path) -> None:
    """Reading this one gives EIO, as a failing disk does."""
    with pytest.raises(OSError, match="Input/output error"):
        refuse_to_blame("/proc/self/mem")
    refuse_to_blame(make_film(tmp_path, Film(size=(64, 48), seconds=1, flashes=())))


def test_without_a_limit_nothing_is_short_and_damage_is_damage(tmp_path: Path) -> None:
    refuse_short_memory()
    film = Film(size=(320, 180), seconds=3, flashes=(), options={"g": "25"})
    path = make_film(tmp_path, film)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    content = bytearray(path.read_bytes())
    for packet in packets[30:40]:
        content[packet.pos + 4 : packet.pos + packet.size] = bytes(packet.size - 4)
    path.write_bytes(content)
    assert probe(path).video.n_frames == 75
    proxy = encode_proxy(path, tmp_path / "v.mp4", tmp_path / "v.wav", long_side=64)
    assert (proxy.status, proxy.n_frames) == ("ok", 75)
