"""Every measure has the value that the picture was made with."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import skimage.data

from helpers.drawn_hands import lay_hand
from talkingface.dataset import quality
from talkingface.dataset.quality import (
    HIDDEN,
    covered_share,
    make_quality,
    measure_clip,
    measure_face,
    sharpness,
    touches_border,
)
from talkingface.demo.speech import speak
from talkingface.faces.hands import HandFinder
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.faces.mesh import FaceMesh
from talkingface.job.tables import empty_table, table_of_columns, write_table
from talkingface.media.audio import write_wav
from talkingface.media.clip_files import Clip
from talkingface.tables import CLIP_FRAMES, QUALITY_FRAMES

# The columns that users have on disk.
COLUMNS = [
    "face_height", "present_share", "border_share", "brightness", "sharpness", "hand_share",
    "max_abs_yaw", "max_abs_pitch", "max_abs_roll", "yaw_range", "pitch_range", "roll_range",
    "residual_offset", "residual_certainty", "speech_quality",
]  # fmt: skip
FRAME_COLUMNS = ["frame", "present", "at_border", "brightness", "sharpness", "hand_overlap"]

# Upper forehead to chin and cheek to cheek of skimage's astronaut, see pasted_faces.
LOW, HIGH = np.array([178.1, 69.0]), np.array([273.1, 176.8])
TURN = np.linspace(0, 2 * np.pi, 468, endpoint=False)
CIRCLE = np.column_stack([np.cos(TURN), np.sin(TURN)])
OUTLINE = (LOW + HIGH) / 2 + CIRCLE * (HIGH - LOW) / 2
FULL = np.ones((120, 120), bool)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])


def blurred(picture: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture


def noisy(picture: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def square(x: float, y: float, side: float) -> np.ndarray:
    return np.array([(x, y), (x + side, y), (x + side, y + side), (x, y + side)])


# sharpness and brightness


@pytest.mark.parametrize("period, height", [(12, 20.0), (8, 40.0), (24, 60.0)])
def test_the_variance_of_a_wave(period: int, height: float) -> None:
    """The Laplacian of a sin(kx) is -a (2 - 2 cos k) sin(kx): its variance is half its square.
    The noise mask takes differences along x and y, and there are none along y."""
    wave = 128 + height * np.sin(2 * np.pi * np.arange(120) / period)
    expected = (height * (2 - 2 * np.cos(2 * np.pi / period))) ** 2 / 2
    inside = FULL.copy()
    inside[:, [0, -1]] = False  # beyond the rim the wave does not go on
    assert sharpness(np.tile(wave, (120, 1)).astype(np.float32), inside) == pytest.approx(
        expected, rel=0.03
    )


@pytest.mark.parametrize("value", [0, 1, 77, 255])
def test_a_picture_of_one_grey(value: int) -> None:
    frame = np.full((512, 512, 3), value, np.uint8)
    assert measure_face(frame, OUTLINE) == (pytest.approx(value), pytest.approx(0, abs=1e-3))


def test_brightness_is_luma() -> None:
    frame = np.empty((512, 512, 3), np.uint8)
    frame[:] = (200, 100, 50)  # BGR
    expected = 0.114 * 200 + 0.587 * 100 + 0.299 * 50
    assert measure_face(frame, OUTLINE)[0] == pytest.approx(expected, abs=0.6)


def test_brightness_is_that_of_the_face_alone() -> None:
    frame = np.full((512, 512, 3), 250, np.uint8)
    cv2.fillPoly(frame, [np.int32(OUTLINE)], (60, 60, 60))
    assert measure_face(frame, OUTLINE)[0] == pytest.approx(60, abs=1)


def test_sharpness_falls_with_every_blur(astronaut: np.ndarray) -> None:
    found = [measure_face(blurred(astronaut, s), OUTLINE)[1] for s in (0, 0.5, 1, 1.5, 2, 3, 5, 8)]
    assert all(b < a for a, b in pairwise(found))
    # A blur of 1.2 % of the face's length is about the default threshold, 20.
    at_threshold = measure_face(blurred(astronaut, 0.012 * 108), OUTLINE)[1]
    assert 15 < at_threshold < 40 < found[0]


@pytest.mark.parametrize("deviation", [5, 10, 20])
def test_noise_is_no_sharpness(astronaut: np.ndarray, deviation: float) -> None:
    large = cv2.resize(astronaut, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    for sigma in (0.0, 9.0):
        clean = measure_face(blurred(large, sigma), 3 * OUTLINE)[1]
        grainy = measure_face(noisy(blurred(large, sigma), deviation), 3 * OUTLINE)[1]
        assert grainy == pytest.approx(clean, rel=0.1, abs=15)
    # Pure noise, where a variance of 20 s^2 would be measured.
    pure = np.random.default_rng(0).normal(128, deviation, (120, 120)).astype(np.float32)
    assert sharpness(pure, FULL) < 0.1 * 20 * deviation**2


def test_light_is_no_sharpness(astronaut: np.ndarray) -> None:
    bright = measure_face(astronaut, OUTLINE)
    for share in (0.7, 0.4, 0.2):
        dim = measure_face((astronaut * share).astype(np.uint8), OUTLINE)
        assert dim[0] == pytest.approx(bright[0] * share, abs=1)
        assert dim[1] == pytest.approx(bright[1], rel=0.05)


def test_enlarging_is_no_blur_and_no_detail(astronaut: np.ndarray) -> None:
    as_is = measure_face(astronaut, OUTLINE)[1]
    for scale in (2, 3, 4.7):
        large = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        assert measure_face(large, scale * OUTLINE)[1] == pytest.approx(as_is, rel=0.15)


def test_a_small_face_enlarged_is_less_sharp(astronaut: np.ndarray) -> None:
    found = []
    for share in (1, 0.7, 0.5, 0.3):
        small = cv2.resize(astronaut, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
        again = cv2.resize(small, astronaut.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        found.append(measure_face(again, OUTLINE)[1])
    assert all(b < 0.85 * a for a, b in pairwise(found))


def test_a_sharp_background_does_not_help(astronaut: np.ndarray) -> None:
    face = np.zeros(astronaut.shape[:2], np.uint8)
    cv2.fillPoly(face, [np.int32(OUTLINE)], 1)
    soft = blurred(astronaut, 4)
    checks = (np.indices(face.shape).sum(axis=0) // 4 % 2 * 255).astype(np.uint8)[..., None]
    mixed = np.where(face[..., None] > 0, soft, checks).astype(np.uint8)
    expected = measure_face(soft, OUTLINE)[1]
    assert measure_face(mixed, OUTLINE)[1] == pytest.approx(expected, abs=2)


def test_a_face_that_leaves_the_frame(astronaut: np.ndarray) -> None:
    whole = measure_face(astronaut, OUTLINE)
    half = measure_face(np.ascontiguousarray(astronaut[:, 225:]), OUTLINE - (225, 0))
    assert half[0] == pytest.approx(whole[0], abs=15) and half[1] > 0.5 * whole[1]
    assert np.isnan(measure_face(astronaut, OUTLINE + 5000)).all()
    assert np.isnan(measure_face(astronaut, OUTLINE - (273, 0))).all()


# hands


@pytest.mark.parametrize(
    ("hands", "expected"),
    [
        ([], 0),
        ([square(200, 0, 50)], 0),
        ([square(0, 0, 100)], 1),
        ([square(-50, -50, 300)], 1),
        ([square(50, 50, 100)], 0.25),
        ([square(0, 0, 50), square(50, 50, 50)], 0.5),
        ([square(0, 0, 50), square(0, 0, 50)], 0.25),  # once, however many
        ([np.array([(0, 0), (100, 0), (0, 100)])], 0.5),
        # The hull: between spread fingers, too.
        ([np.array([(0, 0), (60, 50), (100, 0), (100, 100), (0, 100)])], 1),
    ],
)
def test_how_much_hands_cover(hands: list[np.ndarray], expected: float) -> None:
    for scale, shift in ((1, 0), (3.7, -120), (0.4, 33.3)):
        face = square(0, 0, 100) * scale + shift
        moved = [hand * scale + shift for hand in hands]
        assert covered_share(face, moved) == pytest.approx(expected, abs=0.02)


# places in the source picture

STILL = {"crop_x": 100.0, "crop_y": 50.0, "crop_w": 200.0, "crop_h": 200.0}


def border(box: tuple[float, ...], mesh: tuple[float, ...] | None, **crop: float) -> bool:
    """For one frame of a 400 x 300 source in a clip of 512 x 512; box and mesh x, y, w, h, in
    source pixels."""
    table = pd.DataFrame([dict(zip("xywh", box, strict=True)) | STILL | crop])
    points = np.full((1, 478, 3), np.nan, np.float32)
    if mesh is not None:
        x, y, w, h = mesh
        of_source = np.array([x, y]) + np.array([w, h]) * (1 + CIRCLE) / 2
        row = table.iloc[0]
        points[0, :468, :2] = (
            (of_source - row[["crop_x", "crop_y"]].to_numpy(float))
            / row[["crop_w", "crop_h"]].to_numpy(float)
            * 512
        )
    (touches,) = touches_border(table.to_records(index=False), points, (512, 512), (400, 300))
    return bool(touches)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((2, 2, 396, 296), False),
        ((0, 50, 80, 100), True),
        ((1, 50, 80, 100), True),
        ((150, 0.5, 80, 100), True),
        ((319.5, 50, 80, 100), True),
        ((150, 199.5, 80, 100), True),
        ((-30, 50, 80, 100), True),
        ((350, 50, 80, 100), True),
    ],
)
def test_boxes_at_the_border(box: tuple[float, ...], expected: bool) -> None:
    assert border(box, None) == expected
    # The mesh says the same, where the box is in the middle.
    assert border((150, 100, 80, 100), box) == expected
    assert border((150, 100, 80, 100), box, crop_x=-70.0, crop_w=300.0, crop_h=300.0) == expected


def test_a_moving_crop_is_followed() -> None:
    """The mesh stands still in the clip, while the crop leaves the source to the left."""
    lefts = np.array([100.0, 20.0, -38.0, -42.0])
    table = pd.DataFrame({**STILL, "crop_x": lefts, "x": 150, "y": 100, "w": 50, "h": 60})
    points = np.zeros((4, 478, 3), np.float32)
    points[:, :468, :2] = 256 + CIRCLE * 153.6  # from 40 source pixels in the crop on
    found = touches_border(table.to_records(index=False), points, (512, 512), (400, 300))
    assert found.tolist() == [False, False, False, True]


# whole clips


def clip_of(n: int, present: Any = True) -> dict[str, Any]:
    """`measure_clip`'s arguments for a face in n frames of 512 x 512, the source unscaled."""
    size = HIGH - LOW
    there = np.broadcast_to(np.asarray(present, bool), n)
    points = np.full((n, 478, 3), np.nan, np.float32)
    points[there, :468, :2] = OUTLINE
    angles = np.where(there[:, None], np.zeros((n, 3)), np.nan)
    still = {"x": LOW[0], "y": LOW[1], "w": size[0], "h": size[1], "crop_x": 0.0, "crop_y": 0.0}
    boxes = pd.DataFrame({**still, "crop_w": 512.0, "crop_h": 512.0}, index=range(n))
    return {
        "boxes": boxes.to_records(index=False),
        "points": points,
        "present": there,
        "angles": angles,
        "residual": (-2.0, 0.97649),
        "speech_quality": 3.218,
        "clip_size": (512, 512),
        "source_size": (512, 512),
        "find_hands": lambda frame, face: [],
        "every": 5,
    }


def test_a_plain_clip() -> None:
    frames = [np.full((512, 512, 3), 10 * k, np.uint8) for k in range(12)]
    measures, table = measure_clip(frames, **clip_of(12))
    assert list(measures) == COLUMNS and list(table.dtype.names) == FRAME_COLUMNS
    assert table["frame"].tolist() == [0, 5, 10]
    assert table["brightness"].tolist() == [0, 50, 100]
    assert measures["brightness"] == 50
    assert (measures["residual_offset"], measures["residual_certainty"]) == (-2, 0.9765)
    assert measures["speech_quality"] == 3.22
    assert measures["face_height"] == pytest.approx(107.8)
    assert (measures["present_share"], measures["border_share"], measures["hand_share"]) == (
        1,
        0,
        0,
    )


def test_only_sampled_frames_are_searched_for_hands() -> None:
    """Three of the four sampled frames have a hand: one beside the face, one at the jaw, one over
    the quarter of it."""
    x, y = (LOW + HIGH) / 2
    beside, jaw, over = square(300, 300, 50), square(x - 40, HIGH[1] - 3, 80), square(x, y, 80)
    hands = {0: [beside], 7: [jaw], 21: [over]}
    frames = (np.full((512, 512, 3), k, np.uint8) for k in range(22))
    seen = []

    def find(frame: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
        seen.append(int(frame[0, 0, 0]))
        assert points.min(axis=0) == pytest.approx(LOW, abs=0.1)
        assert points.max(axis=0) == pytest.approx(HIGH, abs=0.1)
        return hands.get(seen[-1], [])

    measures, table = measure_clip(frames, **clip_of(22) | {"every": 7, "find_hands": find})
    assert seen == table["frame"].tolist() == [0, 7, 14, 21]
    overlaps = table["hand_overlap"].tolist()
    assert overlaps[0] == overlaps[2] == 0 < overlaps[1] < HIDDEN
    assert overlaps[3] == pytest.approx(0.25, abs=0.02)
    assert measures["hand_share"] == 0.25


def test_absent_frames() -> None:
    """A face hidden from the mesh still has its box, and a hand there counts. Here the box moves
    and the mesh stays."""
    present = np.array([True, False] * 5)
    where = []

    def find(frame: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
        where.append(points.mean(axis=0))
        return [square(*points.min(axis=0), 120)]

    clip = clip_of(10, present) | {"every": 1, "find_hands": find}
    clip["boxes"]["x"] += 10.0 * np.arange(10)
    clip["angles"][:, 0] = np.where(present, np.arange(10) - 3.0, np.nan)
    frames = (np.full((512, 512, 3), 80 if there else 200, np.uint8) for there in present)
    measures, table = measure_clip(frames, **clip)
    assert table["present"].tolist() == [1, 0] * 5
    light = np.stack([table["brightness"], table["sharpness"]])
    assert np.isnan(light).all(axis=0).tolist() == [False, True] * 5
    assert measures["present_share"] == 0.5 and measures["brightness"] == 80
    assert measures["hand_share"] == 1
    expected = np.tile((LOW + HIGH) / 2, (10, 1))
    expected[1::2, 0] += 10 * np.arange(1, 10, 2)
    assert np.allclose(where, expected, atol=0.1)
    seen = np.array([-3.0, -1, 1, 3, 5])
    assert measures["max_abs_yaw"] == pytest.approx(np.percentile(abs(seen), 95), abs=0.01)
    spread = np.percentile(seen, 95) - np.percentile(seen, 5)
    assert measures["yaw_range"] == pytest.approx(spread, abs=0.01)
    assert measures["max_abs_pitch"] == measures["roll_range"] == 0


def test_a_clip_without_a_face() -> None:
    frames = (np.zeros((512, 512, 3), np.uint8) for _ in range(6))
    measures, _ = measure_clip(frames, **clip_of(6, False))
    assert measures["present_share"] == measures["hand_share"] == 0
    nothing = {"brightness", "sharpness"} | {c for c in COLUMNS if c[-3:] in ("yaw", "tch", "oll")}
    nothing |= {c for c in COLUMNS if c.endswith("_range")}
    assert {name for name, value in measures.items() if np.isnan(value)} == nothing


def test_frames_are_let_go() -> None:
    alive: list[weakref.ref] = []

    def frames() -> Iterator[np.ndarray]:
        for k in range(30):
            frame = np.full((512, 512, 3), k, np.uint8)
            alive.append(weakref.ref(frame))
            assert sum(ref() is not None for ref in alive) <= 2
            yield frame

    measure_clip(frames(), **clip_of(30) | {"every": 1})
    assert len(alive) == 30


@pytest.mark.parametrize("part", ["boxes", "points", "present", "angles"])
def test_parts_of_other_lengths_are_refused(part: str) -> None:
    clip = clip_of(6)
    clip[part] = clip[part][:5]
    with pytest.raises(ValueError, match="5 .*6|6 .*5"):
        measure_clip([np.zeros((512, 512, 3), np.uint8)] * 6, **clip)


@pytest.mark.parametrize("n", [5, 7])
def test_other_frames_than_the_clips_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} frames in the clip, 6 in its csv"):
        measure_clip([np.zeros((512, 512, 3), np.uint8)] * n, **clip_of(6))


def test_a_hand_before_a_face(astronaut: np.ndarray) -> None:
    """Mesh and hands by the real models: frames 0, 2 and 4 of 6 with a hand over the mouth, frame
    5 with one beside the face."""
    over, _, _ = lay_hand(astronaut, (225, 150), 110)
    beside, _, _ = lay_hand(astronaut, (330, 250), 120)
    frames = [over, astronaut, over, astronaut, over, beside]
    clip = clip_of(6) | {"every": 1}
    with FaceMesh() as mesh, HandFinder() as finder:
        found = [mesh.follow(frame, (*LOW, *(HIGH - LOW))) for frame in frames]
        clip["points"] = np.stack(found)
        measures, table = measure_clip(frames, **clip | {"find_hands": finder.run})
    hidden = table["hand_overlap"] >= 0.1
    assert hidden.tolist() == [True, False, True, False, True, False]
    assert (table["hand_overlap"][[1, 3, 5]] == 0).all()
    assert measures["hand_share"] == 0.5


def test_what_is_left_of_an_offset_is_measured_where_the_clip_is_heard_to_speak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two clips, whose last two seconds are silent; each is heard from its own beginning."""
    n = 102
    voice = speak(3, 16000, seed=0).samples
    voice = voice[np.flatnonzero(abs(voice) > 0.05)[0] :][:32000]
    samples = np.zeros(640 * n, np.int16)
    samples[: len(voice)] = voice * 32767
    points = np.full((n, 478, 3), 7, np.float32)
    boxes = table_of_columns(CLIP_FRAMES, dict.fromkeys(CLIP_FRAMES.names, np.arange(n)))
    heard = []

    def residual(points: np.ndarray, sound: np.ndarray, speech: np.ndarray) -> tuple[float, float]:
        assert (points == 7).all() and (sound == samples).all()
        heard.append(speech)
        return len(heard), 0.5

    def measure(*parts: Any, **settings: Any) -> tuple[dict[str, float], np.recarray]:
        measures = dict.fromkeys(COLUMNS, 0.0)
        return measures | {"residual_offset": parts[5][0]}, empty_table(QUALITY_FRAMES)

    monkeypatch.setattr(quality, "residual_offset", residual)
    monkeypatch.setattr(quality, "measure_clip", measure)
    clips = [Clip(name, n, 64, 64, tmp_path) for name in ("a", "b")]
    for clip in clips:
        write_wav(tmp_path / f"{clip.clip_id}.wav", samples, 16000)
        write_table(boxes, tmp_path / f"{clip.clip_id}.csv", CLIP_FRAMES)
        found = Landmarks(points, points[:, :68, :2], np.ones(n, bool))
        write_landmarks(tmp_path / f"{clip.clip_id}.npz", found)
        np.save(tmp_path / f"{clip.clip_id}.npy", np.zeros((n, 3)))
    files = (tmp_path, tmp_path, tmp_path / "v", tmp_path / "v.csv")
    make_quality(clips, *files, source_size_at=lambda frame: (64, 64), every=5)
    assert pd.read_csv(tmp_path / "v.csv").residual_offset.tolist() == [1, 2]
    first, second = heard
    assert first.shape == (n,) and (first == second).all()
    assert np.mean(first[:50] >= 0.5) > 0.7 and np.mean(first[60:] >= 0.5) < 0.05


def test_without_clips_no_model_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "HandFinder", None)
    monkeypatch.setattr(quality, "SpeechJudge", None)
    make_quality(
        [],
        "",
        "",
        tmp_path / "v",
        tmp_path / "v.csv",
        source_size_at=lambda frame: (400, 300),
        every=5,
    )
    header = ["clip_id", "n_frames", *COLUMNS]
    assert (tmp_path / "v.csv").read_text() == ",".join(header) + "\n"
    assert list((tmp_path / "v").iterdir()) == []
