"""A face that leaves the frame for ten frames and comes back: no product loses its step."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pandas as pd
import pytest

from helpers.demo_parts import demo_video, draw, shortened
from helpers.tables import read_frame
from helpers.workspace import Workspace
from talkingface.demo.face import Face
from talkingface.faces.landmark_files import read_landmarks, read_text
from talkingface.media.audio import read_wav
from talkingface.media.video import bgr_frames

from .conftest import FEATURES

FRAMES = 150
# From frame 44 to 85 the person walks out of the picture, 1280 pixels wide, and back: x of the
# middle of the face, which has 115 pixels to both sides of it.
STEPS = np.clip(np.arange(FRAMES) - 44.5, 0, 40)
PATH = 1000 + 470 * np.sin(np.pi * STEPS / 40) ** 2
ABSENT = range(60, 70)
THERE = [*range(50), *range(80, FRAMES)]


@pytest.fixture(scope="module")
def face() -> Face:
    """A speaker on that path."""
    film = demo_video("vlog")
    path = [(frame / 25, x, 330.0) for frame, x in enumerate(PATH)]
    return replace(film.shots[0].faces[0], centre=np.array(path), height=220.0)


@pytest.fixture(scope="module")
def run(face: Face, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("absent"))
    film = replace(demo_video("vlog"), rate=Fraction(25), size=(1280, 720))
    film = shortened(film, [0], FRAMES)
    # In the blurred skin colours of the shot's own place the mesh takes some patches for a face.
    film = replace(film, shots=(replace(film.shots[0], faces=(face,), place="wall"),))
    draw(film, workspace.folder / "a.mp4")
    workspace.list_videos("a,a.mp4,,")
    settings = workspace.folder / "mine.yaml"
    settings.write_text("quality: {min_present_share: 0.8, max_border_share: 0.5}\n")
    workspace.run("--configfile", str(settings), "--config", FEATURES)
    return workspace


@pytest.fixture(scope="module")
def clip(run: Workspace) -> pd.Series:
    clips = run.table("dataset/clips.csv")
    assert len(clips) == 1
    assert (clips.start_frame[0], clips.n_frames[0]) == (0, FRAMES)
    return clips.iloc[0]


def picture(run: Workspace, folder: str, frame: int) -> np.ndarray:
    path = run.folder / "results" / folder / f"{frame + 1:06d}.png"
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def test_landmarks_pose_and_expression_say_when(run: Workspace, clip: pd.Series) -> None:
    results = run.folder / "results"
    found = read_landmarks(results / clip.landmarks)
    text = read_text(results / clip.landmarks68)[0]
    angles = np.load(results / clip.pose)
    pose = read_frame(results / clip.pose.replace(".npy", ".csv"))
    expression = read_frame(results / clip.expression)
    for product in (found.points, found.present, text, angles, pose, expression):
        assert len(product) == FRAMES
    assert not found.present[ABSENT].any() and found.present[THERE].all()
    for product in (found.points, text, angles):
        numbers = np.isfinite(product.reshape(FRAMES, -1))
        np.testing.assert_array_equal(numbers.all(axis=1), found.present)
        np.testing.assert_array_equal(numbers.any(axis=1), found.present)
    for table in (pose, expression):
        assert (table.frame == range(FRAMES)).all()
        assert (table.present == found.present).all()


def test_what_is_seen_after_the_absence_is_where_the_face_is(
    run: Workspace, clip: pd.Series, face: Face
) -> None:
    """A product that lost a frame would have the face of another moment."""
    points = read_landmarks(run.folder / "results" / clip.landmarks).points
    scale = clip.width / clip.crop_w
    for frame in (*range(45, 50), *range(80, 85)):
        x, _, width, _ = face.box(frame / 25)
        assert abs(x + width / 2 - PATH[frame]) < 40  # the sway
        seen = points[frame, :468, 0]
        middle = clip.crop_x + (seen.min() + seen.max()) / 2 / scale
        # The face moves by 15 to 37 pixels a frame here.
        assert abs(middle - x - width / 2) < 12, frame


def test_pictures_are_numbered_through(run: Workspace, clip: pd.Series) -> None:
    numbered = [f"{k:06d}.png" for k in range(1, FRAMES + 1)]
    for folder in (clip.frames, clip.parsing, clip.torso, clip.depth):
        names = sorted(file.name for file in (run.folder / "results" / folder).iterdir())
        assert names == numbered
    for frame in ABSENT:
        assert not picture(run, clip.parsing, frame).any()
        assert not picture(run, clip.depth, frame).any()
        assert not picture(run, clip.torso, frame)[..., 3].any()
    for frame in THERE[::10]:
        assert {1, 10, 12, 13} <= set(np.unique(picture(run, clip.parsing, frame)))
        assert picture(run, clip.depth, frame).any()


def test_films_and_sound_last_as_long(run: Workspace, clip: pd.Series) -> None:
    results = run.folder / "results"
    for film in (clip.video, clip.overlay):
        assert sum(1 for _ in bgr_frames(results / film)) == FRAMES
    assert len(read_wav(results / clip.audio)) == 640 * FRAMES
    assert len(read_frame(results / clip.boxes)) == FRAMES
    assert len(np.load(results / clip.mfcc)) == len(np.load(results / clip.mel)) == 4 * FRAMES


def test_the_plate_shows_what_was_behind(run: Workspace, clip: pd.Series) -> None:
    """The place behind the speaker is seen while nobody is there."""
    plate = cv2.imread(str(run.folder / "results" / clip.background))
    empty = picture(run, clip.frames, ABSENT[5])
    assert np.abs(plate.astype(int) - empty).mean() < 4


def test_the_absence_is_measured(clip: pd.Series) -> None:
    assert (FRAMES - 35) / FRAMES < clip.present_share <= (FRAMES - 10) / FRAMES
