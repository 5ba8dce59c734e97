"""Whether a file holds what it has to."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from helpers.finished_results import HEIGHT, N_FRAMES, WIDTH, film, finish_video, halve, one_file
from talkingface.media.audio import write_wav
from talkingface.monitor.content import Expected, content_fault
from talkingface.stages import STAGES

CLIP = "v_000000_000004_00"
PATTERNS = [pattern for stage in STAGES.values() for pattern in stage.clip_files]
TABLES = ["scenes/{video}.csv", "clips/{video}.csv", "quality/{video}.csv"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("content") / "results"
    finish_video(results, "v")
    return results


def file(results: Path, pattern: str) -> Path:
    return results / one_file(pattern).format(video="v", clip=CLIP)


def copied(whole: Path, pattern: str, folder: Path) -> Path:
    target = folder / file(whole, pattern).name
    target.write_bytes(file(whole, pattern).read_bytes())
    return target


def expected(pattern: str) -> Expected:
    return Expected(pattern, N_FRAMES, (WIDTH, HEIGHT))


@pytest.mark.parametrize("pattern", PATTERNS + TABLES)
def test_whole_files_are_whole(whole: Path, pattern: str) -> None:
    for full in (False, True):
        assert content_fault(file(whole, pattern), expected(pattern), full=full) == ""


@pytest.mark.parametrize("pattern", PATTERNS + TABLES)
@pytest.mark.parametrize("full", [False, True])
def test_halved_files_are_found(whole: Path, tmp_path: Path, pattern: str, full: bool) -> None:
    path = copied(whole, pattern, tmp_path)
    halve(path)
    assert content_fault(path, expected(pattern), full=full)


@pytest.mark.parametrize("pattern", PATTERNS + TABLES)
@pytest.mark.parametrize("content", [b"", b"<html>\n<p>not here", bytes(4096), b"\xff" * 100])
def test_foreign_files_are_found(whole: Path, tmp_path: Path, pattern: str, content: bytes) -> None:
    path = copied(whole, pattern, tmp_path)
    path.write_bytes(content)
    for full in (False, True):
        assert content_fault(path, expected(pattern), full=full)


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if one_file(p).endswith((".mp4", ".png"))])
def test_wrong_bits_inside_pictures_and_films_are_found_by_decoding(
    whole: Path, tmp_path: Path, pattern: str
) -> None:
    path = copied(whole, pattern, tmp_path)
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat" if path.suffix == ".mp4" else b"IDAT") + 4
    # All of a film's pictures, or a byte of a picture's.
    end = len(content) - 700 if path.suffix == ".mp4" else begin + 1
    content[begin:end] = bytes(byte ^ 0x55 for byte in content[begin:end])
    path.write_bytes(content)
    assert content_fault(path, expected(pattern), full=True)


def test_of_a_film_all_frames_are_counted(tmp_path: Path) -> None:
    film(tmp_path / "a.mp4", 3)
    own = expected("clips/{video}/{clip}.mp4")
    assert content_fault(tmp_path / "a.mp4", own, full=False) == ""
    assert content_fault(tmp_path / "a.mp4", own, full=True) == "3 of 4 frames can be decoded"
    other = replace(own, n_frames=3, size=(64, 16))
    assert "frame 1 has 32 x 16" in content_fault(tmp_path / "a.mp4", other, full=True)
    # Some show the clip in another size.
    for pattern in ("overlay/{video}/{clip}.mp4", "latentsync/{video}/{clip}.mp4"):
        own_size = replace(other, pattern=pattern)
        assert content_fault(tmp_path / "a.mp4", own_size, full=True) == ""
    proxy = replace(other, pattern="proxy/{video}.mp4")
    assert "frame 1 has 32 x 16" in content_fault(tmp_path / "a.mp4", proxy, full=True)


def test_lengths_and_kinds_are_those_of_the_register(tmp_path: Path) -> None:
    def fault(array: np.ndarray, pattern: str) -> str:
        np.save(tmp_path / "a.npy", array)
        return content_fault(tmp_path / "a.npy", expected(pattern), full=False)

    pose, mel = "pose/{video}/{clip}.npy", "mel/{video}/{clip}.npy"
    assert fault(np.zeros((4, 3), np.float32), pose) == ""
    assert "(5, 3), not (N, 3)" in fault(np.zeros((5, 3), np.float32), pose)
    assert "float64, not float32" in fault(np.zeros((4, 3)), pose)
    assert fault(np.zeros((16, 39), np.float32), "mfcc/{video}/{clip}.npy") == ""
    assert fault(np.zeros((15, 39), np.float32), "mfcc/{video}/{clip}.npy")
    # Wav2Lip's rows are others, and how many bands there are is a setting.
    assert fault(np.zeros((13, 80), np.float32), mel) == ""
    assert fault(np.zeros((16, 40), np.float32), mel) == ""
    assert fault(np.zeros(16, np.float32), mel)
    assert fault(np.zeros((25, 8, 1024), np.float16), "hubert/{video}/{clip}.npy") == ""
    assert fault(np.zeros((25, 9, 1024), np.float16), "hubert/{video}/{clip}.npy")
    # A file of one frame, in a folder with one of each.
    assert fault(np.zeros((478, 3), np.float32), "aniportrait/{video}/{clip}") == ""
    assert fault(np.zeros((468, 3), np.float32), "aniportrait/{video}/{clip}")
    write_wav(tmp_path / "a.wav", np.zeros(640 * 3, np.int16), 16_000)
    assert content_fault(tmp_path / "a.wav", expected("clips/{video}/{clip}.wav"), full=False)


def test_pictures_of_another_kind_are_found(tmp_path: Path) -> None:
    path = tmp_path / "000001.png"
    for pattern, shape, dtype, right in (
        ("frames/{video}/{clip}", (HEIGHT, WIDTH, 3), np.uint8, True),
        ("torso/{video}/{clip}", (HEIGHT, WIDTH, 3), np.uint8, False),
        ("depth/{video}/{clip}", (HEIGHT, WIDTH), np.uint8, False),
        ("parsing/{video}/{clip}", (WIDTH, HEIGHT), np.uint8, False),
    ):
        cv2.imwrite(str(path), np.zeros(shape, dtype))
        assert (content_fault(path, expected(pattern), full=True) == "") == right, pattern


def test_tables_of_which_nothing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_text('a,b\n1,"x\ny"\n')
    assert content_fault(path, Expected(), full=False) == ""
    path.write_text("a,b\n1,2\n3")
    assert content_fault(path, Expected(), full=False) == "line 3: 1 cells, but 2 columns"


def test_no_damage_is_too_odd_to_be_told(whole: Path, tmp_path: Path) -> None:
    chance = random.Random(0)
    for pattern in PATTERNS + TABLES:
        path = copied(whole, pattern, tmp_path)
        content = path.read_bytes()
        for _ in range(12):
            wrong = bytearray(content)
            # The beginning is where a file says what it is.
            for place in (chance.randrange(min(150, len(wrong))), chance.randrange(len(wrong))):
                wrong[place] = chance.randrange(256)
            path.write_bytes(wrong)
            assert isinstance(content_fault(path, expected(pattern), full=True), str)
