from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.paths import SAMPLES, SCRIPTS
from helpers.settings import default_settings
from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.speech import speak
from talkingface.faces import detection
from talkingface.faces.landmarks import load as load_landmarker
from talkingface.faces.tracks import track_faces
from talkingface.job.tables import empty_table, table_of_rows, write_table
from talkingface.media.audio import read_wav
from talkingface.models.table import ModelError
from talkingface.shots.proxy import encode_proxy, proxy_frames
from talkingface.sync.comparison import TrackSync, VideoFiles, face_boxes, rows_by_track
from talkingface.sync.motion import MotionSync
from talkingface.sync.sync import (
    BACKENDS,
    MAX_RESIDUAL,
    compare_tracks,
    make_sync,
    residual_offset,
)
from talkingface.tables import SCENES, SYNC, SYNC_FRAMES, TRACKS

HEADERS = [
    "track,offset,confidence,trusted,backend,distance,drift\n",
    "track,frame,score,local_score,openness\n",
]


def made(folder: Path, tracks: np.recarray, backend: str) -> list[str]:
    """The stage on a video of which there is nothing but the tracks: both tables' text."""
    write_table(tracks, folder / "tracks.csv", TRACKS)
    missing = folder / "missing"
    outputs = [folder / "sync.csv", folder / "sync.frames.csv"]
    settings = default_settings("sync") | {"backend": backend}
    video = VideoFiles(proxy=missing, scale=1.0, sound=missing, media=missing)
    make_sync(
        video, folder / "tracks.csv", *outputs, model=None, device="cpu", threads=1, **settings
    )
    return [path.read_text() for path in outputs]


def some_tracks() -> np.recarray:
    """Track 4 in frames 7 and 8, track 1 in frame 5; the latter stands first in the film."""
    rows = [(4, 0, 7, 1.5, 2, 3, 4, 0.9, 1), (4, 0, 8, 2.5, 2, 3, 4, 0.9, 1)]
    return table_of_rows(TRACKS, [*rows, (1, 0, 5, 9, 8, 7, 6, 0.8, 0)])


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_track_gives_two_tables_with_headers(backend: str, tmp_path: Path) -> None:
    """Whatever the backend; nothing is loaded or read."""
    assert made(tmp_path, empty_table(TRACKS), backend) == HEADERS


def test_none_judges_no_face(tmp_path: Path) -> None:
    assert made(tmp_path, some_tracks(), "none") == HEADERS


def test_an_unknown_backend_and_one_without_its_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'lips' is none of motion, syncnet, none"):
        made(tmp_path, some_tracks(), "lips")
    pytest.importorskip("torch")
    with pytest.raises(ModelError, match=r"syncnet needs its model; or set sync\.backend"):
        made(tmp_path, some_tracks(), "syncnet")


def test_rows_of_a_track() -> None:
    tracks = some_tracks()[[0, 2, 1]]
    by_track = rows_by_track(tracks)
    assert {number: list(rows.frame) for number, rows in by_track.items()} == {1: [5], 4: [7, 8]}
    assert list(by_track) == [1, 4] and all(type(number) is int for number in by_track)
    np.testing.assert_array_equal(face_boxes(by_track[4]), [[1.5, 2, 3, 4], [2.5, 2, 3, 4]])
    assert rows_by_track(empty_table(TRACKS)) == {}


class FixedSync:
    """A backend that says of track 4 what it was told, and nothing of others."""

    name = "fixed"
    trusted_confidence = 5.0
    trusted_offset = 2

    def __init__(self, offset: int, confidence: float) -> None:
        self.offset, self.confidence = offset, confidence

    def compare(self, video: VideoFiles, tracks: np.recarray) -> dict[int, TrackSync]:
        scores, local = np.array([0.12345, 2]), np.array([1, np.nan])
        sync = TrackSync(self.offset, self.confidence, scores, local, np.array([0.00004, 0.5]))
        return {4: sync}


NO_VIDEO = VideoFiles("", 1.0, "")


@pytest.mark.parametrize(
    ("offset", "confidence", "trusted"),
    [(2, 5.0, 1), (-2, 5.0, 1), (1, 9.0, 0), (-1, 9.0, 0), (15, 4.9999, 0)],
)
def test_an_offset_is_trusted_by_its_backends_own_limits(
    offset: int, confidence: float, trusted: int
) -> None:
    table, _ = compare_tracks(FixedSync(offset, confidence), NO_VIDEO, some_tracks())
    assert list(table.track) == [4] and list(table.backend) == ["fixed"]
    assert (table.offset[0], table.trusted[0]) == (offset, trusted)
    assert table.confidence[0] == round(confidence, 3)


def test_what_is_written_is_rounded_and_left_empty(tmp_path: Path) -> None:
    tables = compare_tracks(FixedSync(0, 1.00049), NO_VIDEO, some_tracks())
    for table, definition in zip(tables, (SYNC, SYNC_FRAMES), strict=True):
        write_table(table, tmp_path / "t.csv", definition)
        header, *rows = (tmp_path / "t.csv").read_text().splitlines()
        assert header == ",".join(definition.names)
        if definition is SYNC:
            assert rows == ["4,0,1.0,0,fixed,,"]
        else:
            assert rows == ["4,7,0.123,1.0,0.0", "4,8,2.0,,0.5"]


@pytest.mark.footage
@pytest.mark.parametrize("sample", ["FAzSK8PLmGI", "seated_woman"])
def test_the_samples_speak_in_step(sample: str, tmp_path: Path) -> None:
    media = SAMPLES / f"{sample}.mp4"
    video, sound = tmp_path / "v.mp4", tmp_path / "v.wav"
    proxy = encode_proxy(media, video, sound, long_side=640)
    with detection.load(threads=2) as detector:
        shots = table_of_rows(SCENES, [(0, 0, proxy.n_frames)])
        tracks = track_faces(
            proxy_frames(video),
            shots,
            detector.follow,
            scale=proxy.scale,
            **default_settings("tracks"),
        )
    table, frames = compare_tracks(
        MotionSync(max_offset=15, threads=2), VideoFiles(video, proxy.scale, sound), tracks
    )
    assert len(table) == 1
    assert abs(table.offset[0]) <= 1
    assert table.confidence[0] > 3
    # No correction for a frame.
    assert table.trusted[0] == 0
    assert np.isnan(table.distance).all() and np.isnan(table.drift).all()
    assert np.median(frames.local_score) > 1
    # The same from a clip's landmarks, its sound moved by known frames.
    with load_landmarker("mediapipe") as landmarker:
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
    with load_landmarker("mediapipe") as landmarker:
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
    code = "import sys, talkingface.sync.sync as s\n"
    code += (
        "s.load('none', model=None, device='', threads=1, max_offset=1, ends='', precision='')\n"
    )
    code += "print(sorted({'mediapipe', 'scipy', 'cv2', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"
