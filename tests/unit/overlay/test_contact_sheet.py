from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from helpers.paths import SCRIPTS
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.media.audio import write_wav
from talkingface.media.writer import VideoWriter, frame_from_planes
from talkingface.overlay.contact_sheet import MARGIN, SIDE, WAVE_HEIGHT, contact_sheet


def make_clip(folder: Path, name: str, luma: int) -> dict[str, str]:
    """50 grey frames, loud in the second half, landmarks in the picture's middle."""
    half = np.full((64, 64), 128, np.uint8)
    with VideoWriter(folder / f"{name}.mp4", 128, 128, preset="superfast", crf=18) as writer:
        for _ in range(50):
            writer.write(frame_from_planes(np.full((128, 128), luma, np.uint8), half, half))
    sound = np.zeros(640 * 50, np.int16)
    sound[640 * 25 :] = 20000
    write_wav(folder / f"{name}.wav", sound, 16000)
    points = np.full((50, 68, 2), 64, np.float32)
    landmarks = Landmarks(np.zeros((50, 478, 3), np.float32), points, np.ones(50, bool))
    write_landmarks(folder / f"{name}.npz", landmarks)
    files = {"video": f"{name}.mp4", "audio": f"{name}.wav", "landmarks": f"{name}.npz"}
    return {"clip_id": name, "n_frames": "50", "width": "128", "height": "128", **files}


def test_a_row_a_clip_with_points_and_sound(tmp_path: Path) -> None:
    clips = [make_clip(tmp_path, "dark", 40), make_clip(tmp_path, "light", 200)]
    sheet = contact_sheet(tmp_path, clips, columns=4)
    row = SIDE + MARGIN + WAVE_HEIGHT + 2 * MARGIN
    assert sheet.shape == (2 * row, 4 * (SIDE + MARGIN), 3)
    assert sheet[10, 10].max() < 60 and sheet[row + 10, 10].min() > 180
    middle = SIDE // 2
    # The landmarks are green.
    blue, green, red = (int(v) for v in sheet[middle, middle])
    assert green > blue + 50 and green > red + 50
    # The sound is drawn in the second half only.
    wave = sheet[SIDE + MARGIN : row, :, 0] < 255
    left, right = np.array_split(wave[:, : 4 * (SIDE + MARGIN)].sum(axis=0), 2)
    assert left.max() == 1 and np.median(right) > 10


def test_no_clip_gives_an_empty_picture(tmp_path: Path) -> None:
    assert contact_sheet(tmp_path, []).min() == 255


def test_of_a_dataset_on_disk(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, "light", 200)
    (tmp_path / "dataset").mkdir()
    with open(tmp_path / "dataset" / "clips.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(clip))
        writer.writeheader()
        writer.writerow(clip)
    command = [sys.executable, str(SCRIPTS / "contact_sheet.py"), str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "sheet.png")], check=True)
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert np.array_equal(sheet, contact_sheet(tmp_path, [clip]))
