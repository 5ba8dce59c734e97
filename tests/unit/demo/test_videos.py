"""The demo videos show and sound like what their truth says, measured by other people's tools."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import mediapipe as mp
import numpy as np
import pytest
from scenedetect import ContentDetector, detect

from talkingface.demo import videos as demo
from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.portrait import LOOKS
from talkingface.demo.speech import OPENING_RATE, Voice, speak

Demo = tuple[Path, dict[str, Any]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "inner"
    return folder, demo.make_demo(folder)


def decoded(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    with av.open(str(path)) as box:
        for frame in box.decode(video=0):
            assert frame.time is not None
            yield frame.time, frame.to_ndarray(format="bgr24")


def placed_sound(path: Path) -> tuple[np.ndarray, int]:
    """The samples where their timestamps put them, (channels, n), before 0 dropped."""
    with av.open(str(path)) as box:
        frames = list(box.decode(audio=0))
    rate = frames[0].sample_rate
    starts = [round(float(f.pts * f.time_base) * rate) for f in frames]
    out = np.zeros((len(frames[0].layout.channels), starts[-1] + frames[-1].samples))
    for start, frame in zip(starts, frames, strict=True):
        part = frame.to_ndarray()[:, max(0, -start) :]
        out[:, max(0, start) : max(0, start) + part.shape[1]] = part
    return out, rate


@functools.cache
def mesh() -> Any:
    return mp.solutions.face_mesh.FaceMesh(static_image_mode=False, refine_landmarks=True)


def marks(image: np.ndarray, box: Any) -> np.ndarray | None:
    """The mesh, (478, 2) in frame pixels, of the face whose box is known."""
    x, y, w, h = box
    scale = 320 / (2 * h)
    shift = 160 - scale * np.array([x + w / 2, y + h / 2])
    matrix = np.column_stack([np.eye(2) * scale, shift])
    crop = cv2.warpAffine(image, matrix, (320, 320))
    found = mesh().process(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    if not found:
        return None
    points = np.array([(p.x, p.y) for p in found[0].landmark]) * 320
    return (points - shift) / scale


def lips(points: np.ndarray) -> float:
    """Gap of the inner lips relative to the height of the upper face."""
    return float(np.linalg.norm(points[13] - points[14]) / np.linalg.norm(points[10] - points[2]))


def detections(image: np.ndarray) -> int:
    found = finder().process(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).detections
    return len(found or [])


@functools.cache
def finder() -> Any:
    return mp.solutions.face_detection.FaceDetection(
        model_selection=1, min_detection_confidence=0.5
    )


def lag(sound: np.ndarray, picture: np.ndarray, reach: int = 10) -> int:
    """Frames by which `sound` is early: the shift of best correlation."""
    n = len(sound)
    scores = {}
    for shift in range(-reach, reach + 1):
        a, b = (sound[: n - shift], picture[shift:]) if shift >= 0 else (sound[-shift:], picture)
        scores[shift] = np.corrcoef(a, b[: len(a)])[0, 1]
    return max(scores, key=lambda shift: scores[shift])


def energy(sound: np.ndarray, rate: int, count: int) -> np.ndarray:
    """Root mean square of the 40 ms around each of `count` grid instants."""
    half = rate // 50
    padded = np.pad(sound, (half, half + count * 2 * half))
    return np.array([padded[2 * half * k :][: 2 * half].std() for k in range(count)])


# --- speech ---


def test_speech_is_repeatable_and_its_opening_does_not_depend_on_the_rate() -> None:
    one, again, other = (speak(3, rate, seed=5) for rate in (16000, 16000, 44100))
    assert np.array_equal(one.samples, again.samples)
    assert np.array_equal(one.opening, other.opening)
    assert len(one.samples) == 48000 and len(other.samples) == 132300
    assert np.abs(one.samples).max() <= 1
    assert not np.array_equal(one.opening, speak(3, 16000, seed=6).opening)


@pytest.mark.parametrize("pitch", [110.0, 210.0])
def test_speech_has_pitch_syllables_and_pauses(pitch: float) -> None:
    speech = speak(12, 16000, Voice(pitch=pitch, pace=4.0), seed=1)
    opening = speech.opening
    at = np.clip((np.arange(len(speech.samples)) * OPENING_RATE) // 16000, 0, len(opening) - 1)
    loud = energy(speech.samples, 16000, 300)
    assert np.corrcoef(loud, opening[:: OPENING_RATE // 25][:300])[0, 1] > 0.8
    assert (opening < 0.01).mean() > 0.1  # closed in the pauses, which are all but silent
    assert speech.samples[opening[at] < 0.001].std() < 0.1 * speech.samples.std()
    peaks = (opening[1:-1] > opening[:-2]) & (opening[1:-1] >= opening[2:]) & (opening[1:-1] > 0.1)
    spoken = (opening > 0.01).mean() * 12
    assert 3 <= peaks.sum() / spoken <= 5.5
    # The strongest repetition of the open vowels is the pitch, give or take its melody.
    start = int(np.argmax(opening)) * 16000 // OPENING_RATE
    part = speech.samples[start - 600 : start + 600]
    repeat = np.correlate(part, part, "full")[1200:]
    period = 60 + int(np.argmax(repeat[60:260])) + 1
    assert 16000 / period == pytest.approx(pitch, rel=0.2)


# --- the portrait ---


@pytest.mark.parametrize("look", LOOKS)
def test_mesh_sees_the_driven_mouth_where_the_box_says(look: str) -> None:
    opening = speak(3, 16000, seed=2).opening
    face = Face(look, opening, centre=(330.0, 200.0), height=180.0, seed=3)
    times = np.arange(70) / 25
    seen = []
    for time, image in zip(times, portrait_frames([face], times, (640, 480)), strict=True):
        points = marks(image, face.box(time))
        assert points is not None
        seen.append(lips(points))
        corners = points[[234, 454, 105, 334, 152]]
        x, y, w, h = face.box(time)
        found = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
        assert np.abs(found - (x, y, x + w, y + h)).max() < 0.08 * h
    wanted = [face.opening_at(time) for time in times]
    assert np.corrcoef(seen, wanted)[0, 1] > 0.95
    assert lag(np.array(wanted), np.array(seen)) == 0


def test_portrait_frames_follow_a_path_and_hold_two_faces() -> None:
    path = np.array([[0.0, 160, 200], [1.0, 360, 240]])
    walking = Face("ann", 0.3, centre=path, height=120.0, motion=0.0)
    standing = Face("ben", 0.0, centre=(800.0, 220.0), height=120.0, motion=0.0)
    first, last = portrait_frames([walking, standing], [0.0, 1.0], (960, 540))
    assert first.shape == (540, 960, 3) and first.dtype == np.uint8
    assert detections(first) == detections(last) == 2
    assert np.subtract(walking.box(1), walking.box(0)) == pytest.approx([200, 40, 0, 0])
    for image, time in ((first, 0.0), (last, 1.0)):
        points = marks(image, walking.box(time))
        assert points is not None
        x, y, w, h = walking.box(time)
        assert points[[234, 454], 0].mean() == pytest.approx(x + w / 2, abs=6)
    assert np.array_equal(first[:, 700:], last[:, 700:])  # who stands does not change


def test_eyes_close_and_open() -> None:
    face = Face("ann", 0.0, centre=(240.0, 200.0), height=180.0, motion=0.0, seed=0)
    times = [0.0, 1.2]
    assert [face.blink_at(t) for t in times] == [0.0, 1.0]
    gaps = []
    for image in portrait_frames([face], times, (480, 480)):
        points = marks(image, face.box(0))
        assert points is not None
        gaps.append(np.linalg.norm(points[159] - points[145]))
    assert gaps[1] < 0.6 * gaps[0]


# --- the videos ---


def test_the_tables_describe_the_files(made: Demo) -> None:
    folder, truth = made
    assert json.loads((folder / "truth.json").read_text()) == truth
    with (folder / "videos.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["video_id"] for row in rows] == list(truth)
    assert list(rows[0]) == ["video_id", "source", "identity", "split"]
    assert all((folder / row["source"]).is_file() for row in rows)
    assert 55 < sum(video["duration"] for video in truth.values()) < 80


def test_video_and_sound_start_at_zero_and_last_as_said(made: Demo) -> None:
    folder, truth = made
    for video in truth.values():
        with av.open(str(folder / video["file"])) as box:
            stream = box.streams.video[0]
            assert stream.average_rate == Fraction(*video["fps_fraction"])
            assert (stream.width, stream.height) == (video["width"], video["height"])
            times = [frame.time for frame in box.decode(video=0)]
            sounds = [
                (s.rate, s.channels, float(s.start_time * s.time_base)) for s in box.streams.audio
            ]
        assert len(times) == video["frames"] and times[0] == 0
        wanted = np.arange(video["frames"]) / video["fps"]
        assert np.allclose(times, wanted, rtol=0, atol=1e-6)
        audio = video["audio"]
        assert sounds == ([(audio["rate"], audio["channels"], 0.0)] if audio else [])


def test_decoded_sound_lies_on_the_samples_it_was_made_from(made: Demo) -> None:
    folder, _ = made
    for video in demo.demo_videos():
        wanted = video.sound()
        if wanted is None:
            continue
        got, rate = placed_sound(folder / video.file)
        assert rate == video.audio_rate and len(got) == len(wanted)
        n = wanted.shape[1]
        size = 1 << (2 * n).bit_length()
        for a, b in zip(got, wanted, strict=True):
            product = np.fft.rfft(a[:n], size) * np.conj(np.fft.rfft(b, size))
            shift = int(np.argmax(np.fft.irfft(product, size)))
            shift -= size * (shift > size // 2)
            assert abs(shift) <= 0.002 * rate
            assert a[:n].std() == pytest.approx(b.std(), rel=0.05)


def test_content_detector_finds_exactly_the_cuts(made: Demo) -> None:
    folder, truth = made
    for video in truth.values():
        scenes = detect(str(folder / video["file"]), ContentDetector())
        found = [scene[0].seconds for scene in scenes[1:]]
        assert found == pytest.approx([shot["start"] for shot in video["shots"][1:]], abs=0.001)


def test_faces_mouths_and_offsets_are_as_the_truth_says(made: Demo) -> None:
    folder, truth = made
    kinds = set()
    for name, video in truth.items():
        source = list(decoded(folder / video["file"]))
        starts = np.array([time for time, _ in source])
        grid = [
            source[np.searchsorted(starts, k / 25 + 0.002, "right") - 1][1]
            for k in range(video["shots"][-1]["end_frame"])
        ]
        sound = None
        if video["audio"]:
            samples, rate = placed_sound(folder / video["file"])
            sound = energy(samples[0], rate, len(grid))
        for shot in video["shots"]:
            span = slice(shot["start_frame"], shot["end_frame"])
            images = grid[span]
            assert {detections(image) for image in images[::15]} == {len(shot["faces"])}
            for face in shot["faces"]:
                points = [marks(im, bx) for im, bx in zip(images, face["boxes"], strict=True)]
                assert all(p is not None for p in points)
                mouth = np.array([lips(p) for p in points if p is not None])
                kinds.add((len(shot["faces"]), face["speaking"], shot["offset"]))
                if not face["speaking"]:
                    assert mouth.max() < 0.06
                    if sound is not None:
                        assert abs(np.corrcoef(mouth, sound[span])[0, 1]) < 0.4
                    continue
                assert np.corrcoef(mouth, face["opening"])[0, 1] > 0.9
                assert lag(np.array(face["opening"]), mouth) == 0
                if sound is not None:
                    early = lag(sound[span], mouth)
                    assert abs(early - shot["offset"]) <= (0 if video["fps"] == 25 else 1), name
    assert kinds == {(1, True, 0), (1, True, 4), (2, True, 0), (2, False, 0)}


def test_the_small_face_is_small(made: Demo) -> None:
    heights = [shot["faces"][0]["box"][3] for shot in made[1]["lecture"]["shots"]]
    assert 60 < heights[0] < 80 and heights[1] > 150


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    video = next(v for v in demo.demo_videos() if v.video_id == "vlog")
    sound = video.sound()
    assert sound is not None
    frames = [image for _, image in zip(range(30), video.frames(), strict=False)]
    for name in ("a.mp4", "b.mp4"):
        demo.write_video(tmp_path / name, iter(frames), video.rate, sound[:, :44144], 44100)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
