"""The example learns a mouth that opens with the sound, as a user runs it, and shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from helpers.paths import ROOT
from helpers.synthetic import decode_pictures, decode_sound
from talkingface.exports.delta_mel import delta_mel
from talkingface.media.audio import write_wav

torch = pytest.importorskip("torch")

EXAMPLE = ROOT / "examples/speech_to_landmarks"
PERIOD = 1764  # samples of a frame at 44.1 kHz
LOWER_LIP = [65, 66, 67]
MEAN_FACE = np.random.default_rng(0).uniform(0.3, 0.7, (68, 2)).astype(np.float32)


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(EXAMPLE / f"{script}.py"), *map(str, arguments)]
    # More threads than cores that are free wait for each other.
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout


def speaker(frames: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Syllables of noise, (1764 n,) int16 at 44.1 kHz, and how far the mouth is open, (n,)."""
    rng = np.random.default_rng(seed)
    knots = rng.uniform(0, 1, frames // 4 + 2) ** 2
    opening = np.interp(np.arange(frames) / 4, np.arange(len(knots)), knots)
    loudness = np.interp(np.arange(PERIOD * frames) / PERIOD, np.arange(frames), opening)
    sound = rng.normal(0, 1, PERIOD * frames) * (30 + 6000 * loudness)
    return sound.clip(-32768, 32767).astype(np.int16), opening


def faces(opening: np.ndarray) -> np.ndarray:
    """(n, 136): the lower lip goes down as the mouth opens, nothing else moves."""
    points = np.repeat(MEAN_FACE[None], len(opening), axis=0)
    points[:, LOWER_LIP, 1] += 0.05 * opening[:, None]
    return points.reshape(-1, 136)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """results/exports/landmarks_hdf5 with 12 clips to train and one held out, of 170 frames."""
    results = tmp_path_factory.mktemp("example") / "results"
    folder = results / "exports/landmarks_hdf5"
    folder.mkdir(parents=True)
    (results / "clips/talk").mkdir(parents=True)
    for side, seeds in (("train", range(12)), ("eval", [99])):
        features, landmarks, names, starts = [], [], [], []
        for seed in seeds:
            sound, opening = speaker(170, seed)
            rows = delta_mel(lambda start, stop, s=sound: s[start:stop], 170)
            for start in (0, 75, 95):
                features.append(rows[start : start + 75])
                landmarks.append(faces(opening)[start : start + 75])
                names.append(f"talk_{seed}")
                starts.append(start)
        with h5py.File(folder / f"{side}.h5", "w") as file:
            file["MelFeatures"] = np.array(features, np.float32)
            file["flmark"] = np.array(landmarks, np.float32)
            file["mean_face"] = MEAN_FACE
            file.create_dataset("clip_id", data=names, dtype=h5py.string_dtype())
            file["start_frame"] = starts
    write_wav(results / "clips/talk/talk_99.wav", clicks(170), 16_000)
    return folder


def clicks(frames: int) -> np.ndarray:
    sound = np.zeros(640 * frames, np.int16)
    sound[640 * 100] = 30_000
    return sound


@pytest.fixture(scope="module")
def trained(export: Path) -> tuple[Path, str]:
    """The weights, and what was printed."""
    weights = export / "face.pt"
    printed = run("train", export, "--out", weights, "--epochs", 40, "--units", 32, "--dropout", 0)
    return weights, printed


def test_it_is_better_than_the_mean_face_on_what_it_has_not_heard(trained) -> None:
    _, printed = trained
    assert "36 samples to train, 3 held out" in printed
    rows = {line[:26].strip(): line[26:].split() for line in printed.splitlines()}
    # The movement of three of 136 coordinates; the mouth has 40.
    moves = np.square(0.05 * speaker(170, 99)[1])
    windows = np.concatenate([moves[start : start + 75] for start in (0, 75, 95)]).mean()
    whole, mouth = map(float, rows["held out  mean face"])
    assert whole == pytest.approx(windows * 3 / 136, rel=0.05)
    assert mouth == pytest.approx(windows * 3 / 40, rel=0.05)
    assert float(rows["held out  ratio"][0]) < 0.5


def test_the_film_has_every_frame_and_all_of_the_sound(trained, export, tmp_path) -> None:
    film, picture = tmp_path / "face.mp4", tmp_path / "face.jpg"
    printed = run("render", export, trained[0], "--out", film, "--picture", picture)
    assert "talk_99: 170 frames from 0 on" in printed
    pictures = decode_pictures(film)
    assert [float(time) for time, _ in pictures] == pytest.approx(np.arange(170) / 25)
    assert pictures[0][1].shape == (480, 960, 3)
    sound, rate = decode_sound(film)
    assert rate == 16_000
    assert abs(np.abs(sound).argmax() - 64_000) < 32  # the click, at 4 s
    assert 0 <= len(sound) - 640 * 170 < 1024 + 1
    drawn = cv2.imread(str(picture))
    assert drawn.shape[1] == 1280
    assert (drawn < 200).any()


def test_a_seed_gives_the_same_network(export: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("train", export, "--out", tmp_path / f"{name}.pt", "--epochs", 1, "--units", 8)
    one, other = (torch.load(tmp_path / f"{n}.pt", weights_only=True)["weights"] for n in "ab")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_context_and_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    from model import delayed, with_context

    rows = torch.arange(1.0, 6)[None, :, None]
    seen = with_context(torch.cat([rows, 10 * rows], dim=2), 2)[0]
    assert seen[0].tolist() == [1, 10, 1, 10, 1, 10]
    assert seen[3].tolist() == [4, 40, 3, 30, 2, 20]
    assert delayed(rows, 2)[0, :, 0].tolist() == [1, 1, 1, 2, 3]
    assert torch.equal(delayed(rows, 0), rows)


def test_what_is_lacking_is_named(export: Path, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as error:
        run("train", tmp_path)
    assert f"{tmp_path}/train.h5 is not there" in error.value.stderr
