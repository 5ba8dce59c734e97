from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.paths import SAMPLES, SCRIPTS
from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.speech import speak
from talkingface.faces import detection
from talkingface.faces.landmarks import Landmarker
from talkingface.faces.tracks import COLUMNS as TRACK_COLUMNS
from talkingface.faces.tracks import track_faces
from talkingface.media.audio import read_wav
from talkingface.shots.proxy import make_proxy, proxy_frames
from talkingface.sync.sync import (
    COLUMNS,
    FRAME_COLUMNS,
    MAX_RESIDUAL,
    residual_offset,
    sync_motion,
    unjudged,
)


def test_no_track_gives_two_tables_with_headers(tmp_path: Path) -> None:
    tracks = pd.DataFrame(columns=TRACK_COLUMNS)
    table, frames = sync_motion([], tracks, tmp_path / "none.wav", scale=1.0)
    assert list(table) == COLUMNS and len(table) == 0
    assert list(frames) == FRAME_COLUMNS and len(frames) == 0
    assert [list(t) for t in unjudged()] == [COLUMNS, FRAME_COLUMNS]


@pytest.mark.parametrize("sample", ["FAzSK8PLmGI", "seated_woman"])
def test_the_samples_speak_in_step(sample: str, tmp_path: Path) -> None:
    media = SAMPLES / f"{sample}.mp4"
    if not media.exists():
        pytest.skip("shared samples are not here")
    video, sound = tmp_path / "v.mp4", tmp_path / "v.wav"
    proxy = make_proxy(media, video, sound)
    with detection.load(threads=2) as detector:
        shots = [(0, 0, proxy.n_frames)]
        tracks = track_faces(proxy_frames(video), shots, detector.follow, scale=proxy.scale)
    table, frames = sync_motion(proxy_frames(video), tracks, sound, scale=proxy.scale)
    assert len(table) == 1
    assert abs(table.offset[0]) <= 1
    assert table.confidence[0] > 3
    # No correction for a frame.
    assert table.trusted[0] == 0
    assert table[["distance", "drift"]].isna().all(axis=None)
    assert np.median(frames.local_score) > 1
    # The same from a clip's landmarks, its sound moved by known frames.
    with Landmarker() as landmarker:
        points = landmarker.run(proxy_frames(video)).points
    for offset in (-6, 0, 7):
        found, _ = residual_offset(points, early(read_wav(sound)[: 640 * len(points)], offset))
        assert abs(found - offset) <= 1
    assert list(frames.frame) == list(range(proxy.n_frames))


def early(sound: np.ndarray, frames: int) -> np.ndarray:
    """The sound that many frames earlier, with silence where there is none."""
    samples = 640 * abs(frames)
    silence = np.zeros(samples, np.int16)
    if frames < 0:
        return np.concatenate([silence, sound[: len(sound) - samples]])
    return np.concatenate([sound[samples:], silence])


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Landmarks and sound of a drawn face that speaks for 6 s, in step."""
    count = 150
    speech = speak(count / 25, 16000, seed=3)
    face = Face(opening=speech.opening, centre=(200.0, 200.0), height=180.0)
    with Landmarker() as landmarker:
        found = landmarker.run(portrait_frames([face], np.arange(count) / 25, size=(400, 400)))
    assert found.present.mean() > 0.95
    return found.points, np.clip(speech.samples * 20000, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("offset", [-12, -5, 0, 1, 4, 9])
def test_an_offset_that_is_left_is_measured(
    drawn: tuple[np.ndarray, np.ndarray], offset: int
) -> None:
    points, sound = drawn
    found, confidence = residual_offset(points, early(sound, offset))
    assert abs(found - offset) <= 1
    assert confidence > 6
    # Moved by what was found, as `clips` does it, nothing is left.
    corrected, _ = residual_offset(points, early(early(sound, offset), -int(found)))
    assert abs(corrected) <= 1


def test_nothing_is_said_of_clips_without_a_face_or_too_short(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    points, sound = drawn
    for faces, samples in ((np.full_like(points, np.nan), sound), (points[:49], sound[: 640 * 49])):
        assert np.isnan(residual_offset(faces, samples)).all()
    with pytest.raises(ValueError, match="96000.* samples for a clip of 149 frames"):
        residual_offset(points[:149], sound)
    # Half a face is enough, and silence gives an offset of no confidence.
    half = points.copy()
    half[1::2] = np.nan
    found, confidence = residual_offset(half, sound)
    assert abs(found) <= 1 and confidence > 6
    found, confidence = residual_offset(points, np.zeros_like(sound))
    assert abs(found) <= MAX_RESIDUAL and confidence < 3


def test_other_backends_load_nothing_of_motion() -> None:
    """mediapipe, scipy and torch are not imported with the module."""
    code = "import sys, talkingface.sync.sync as s; s.unjudged()\n"
    code += "print(sorted({'mediapipe', 'scipy', 'cv2', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"
