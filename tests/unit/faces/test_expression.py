"""Faces whose lids, lips and brows are moved by known amounts, as points and as pictures."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation

from helpers.settings import default_settings
from helpers.turned_head import TurnedHead, portrait
from talkingface.demo.portrait import MAX_GAP, Portrait
from talkingface.faces import expression
from talkingface.faces.expression import expression_table, make_expression
from talkingface.faces.face_model import CANONICAL, MIRROR
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.faces.mesh import FaceMesh
from talkingface.job.tables import read_table, write_table
from talkingface.media.clip_files import Clip
from talkingface.tables import EXPRESSION, EXPRESSION_FRAMES

# mediapipe's vertices, written down again: right eye, from the outer corner to the inner one.
UPPER = [33, 246, 161, 160, 159, 158, 157, 173, 133]
LOWER = [33, 7, 163, 144, 145, 153, 154, 155, 133]
BROW = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107]
LIPS_ABOVE = [191, 80, 81, 82, 13, 312, 311, 310, 415]
LIPS_BELOW = [95, 88, 178, 87, 14, 317, 402, 318, 324]
OUTER_EYES = 8.9  # cm


def face(right=0.28, left=0.28, lips=0.5, right_brow=0.0, left_brow=0.0):
    """The mean face with eyes open by a share of their width, lips and brows moved by cm."""
    points = CANONICAL.copy()
    for share, mirrored in ((right, False), (left, True)):
        upper, lower = (MIRROR[line] if mirrored else np.array(line) for line in (UPPER, LOWER))
        width = np.linalg.norm(points[upper[0]] - points[upper[-1]])
        points[upper[1:-1]] = points[lower[1:-1]] + [0, share * width, 0]
    points[LIPS_BELOW] = points[LIPS_ABOVE] - [0, lips, 0]
    points[BROW, 1] += right_brow
    points[MIRROR[BROW], 1] += left_brow
    return np.vstack([points, np.zeros((10, 3))])  # irises


def seen(points, angles=(0, 0, 0), scale=20.0, place=(300, 200)):
    """The face turned about x, y and z, as the mesh gives it: pixels, y down, z away."""
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    return (points @ turn.T * [1, -1, -1] * scale) + [*place, 7]


CLOSED = default_settings("expression")["closed"]


def table_of(meshes, present=None, closed=CLOSED):
    meshes = np.asarray(meshes)
    present = np.ones(len(meshes), bool) if present is None else present
    return pd.DataFrame(expression_table(meshes, present, closed))


def expression_summary(table):
    return expression.expression_summary(table.to_records(index=False))


VIEWS = [
    {},
    {"angles": (20, 0, 0)},
    {"angles": (-15, 40, 0)},
    {"angles": (5, -35, 60)},
    {"scale": 3.0, "place": (-50, 900)},
]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_what_was_moved_is_measured_from_anywhere(view):
    moved = face(right=0.1, left=0.3, lips=1.2, right_brow=0.4, left_brow=1.0)
    still, changed = table_of([seen(face(), **view), seen(moved, **view)]).to_dict("records")
    assert changed["eye_right"] == pytest.approx(0.1, abs=0.002)
    assert changed["eye_left"] == pytest.approx(0.3, abs=0.002)
    assert changed["mouth_open"] == pytest.approx(1.2 / OUTER_EYES, abs=0.002)
    for side, raised in (("right", 0.4), ("left", 1.0)):
        by = changed[f"brow_{side}"] - still[f"brow_{side}"]
        assert by == pytest.approx(raised / OUTER_EYES, abs=0.002)
    corners = np.linalg.norm(CANONICAL[61] - CANONICAL[291]) / OUTER_EYES
    assert still["mouth_width"] == changed["mouth_width"] == pytest.approx(corners, abs=0.002)


def test_a_mirror_swaps_left_and_right():
    points = face(right=0.1, left=0.3, right_brow=0.4)
    mirrored = points.copy()
    mirrored[:468] = points[MIRROR] * [-1, 1, 1]
    one, two = table_of([seen(points), seen(mirrored)]).to_dict("records")
    for name in ("eye", "blink", "brow"):
        assert one[f"{name}_left"] == two[f"{name}_right"]
        assert one[f"{name}_right"] == two[f"{name}_left"]
    assert one["mouth_open"] == two["mouth_open"]


@pytest.mark.parametrize(
    "openings, closed, expected",
    [
        ([0.28, 0.27, 0.10, 0.02, 0.2, 0.28], 0.5, [0, 0, 1, 1, 0, 0]),
        ([0.28, 0.27, 0.10, 0.02, 0.2, 0.28], 0.8, [0, 0, 1, 1, 1, 0]),
        ([0.16, 0.15, 0.10, 0.06, 0.15, 0.16], 0.5, [0, 0, 0, 1, 0, 0]),  # narrow eyes
        ([0.03, 0.05, 0.02], 0.5, [1, 1, 1]),  # a clip of closed eyes
        ([0.28, 0.25, 0.22], 0.5, [0, 0, 0]),
    ],
)
def test_closed_eyes(openings, closed, expected):
    table = table_of([seen(face(right=o)) for o in openings], closed=closed)
    assert table.blink_right.tolist() == expected
    assert table.blink_left.tolist() == [0] * len(openings)


def test_absent_frames_keep_their_rows(tmp_path):
    present = np.array([True, False, True])
    meshes = np.array([seen(face()), seen(face()), seen(face(0.01, 0.01))])
    meshes[1] = np.nan
    table = table_of(meshes, present)
    assert list(table) == EXPRESSION_FRAMES.names
    assert table.frame.tolist() == [0, 1, 2] and table.present.tolist() == [1, 0, 1]
    assert table.drop(columns=["frame", "present"]).isna().all(axis=1).tolist() == [
        False,
        True,
        False,
    ]
    assert table.blink_left[[0, 2]].tolist() == [0, 1]
    write_table(table.to_records(index=False), tmp_path / "clip.csv", EXPRESSION_FRAMES)
    assert (tmp_path / "clip.csv").read_text().splitlines()[2] == "1,0" + "," * 8


@pytest.mark.parametrize("frames", [0, 2])
def test_no_face_at_all(frames):
    table = table_of(np.full((frames, 478, 3), np.nan), np.zeros(frames, bool))
    assert len(table) == frames and list(table) == EXPRESSION_FRAMES.names
    summary = expression_summary(table)
    assert summary.pop("blinks") == 0 and np.isnan(list(summary.values())).all()


def test_summary():
    openings = np.full(250, 0.28)
    for start in (0, 40, 41, 100, 249):  # four blinks: two of these are one
        openings[start] = 0.02
    lips = np.linspace(0, 2, 250)
    meshes = [seen(face(o, o, lips=lip)) for o, lip in zip(openings, lips, strict=True)]
    meshes[60] = seen(face(right=0.01))  # a wink
    summary = expression_summary(table_of(meshes))
    assert ["clip_id", "n_frames", *summary] == EXPRESSION.names
    assert summary["blinks"] == 4 and summary["blinks_per_minute"] == 24
    assert summary["closed_share"] == 5 / 250
    assert summary["mouth_open_median"] == pytest.approx(1 / OUTER_EYES, abs=0.003)
    assert summary["mouth_open_range"] == pytest.approx(1.8 / OUTER_EYES, abs=0.003)
    assert summary["brow_range"] == pytest.approx(0, abs=0.002)


def test_the_files_of_a_video(tmp_path):
    clip = Clip("a_000000_000003_00", 3, 640, 480, tmp_path)
    meshes = np.stack([seen(face()), seen(face(0.01, 0.01)), seen(face()) * np.nan])
    points = meshes.astype(np.float32)
    write_landmarks(tmp_path / f"{clip.clip_id}.npz", Landmarks.of(points, points[:, :68, :2]))
    folder, manifest = tmp_path / "expression", tmp_path / "expression.csv"
    make_expression([clip], tmp_path, folder, manifest, **default_settings("expression"))
    table = read_table(folder / f"{clip.clip_id}.csv", EXPRESSION_FRAMES)
    assert table.present.tolist() == [1, 1, 0] and table.blink_left[:2].tolist() == [0, 1]
    (row,) = read_table(manifest, EXPRESSION)
    assert (row.clip_id, row.n_frames, row.blinks, row.closed_share) == (clip.clip_id, 3, 1, 0.5)


# From here on with pictures, through the real mesh.


def followed(pictures):
    with FaceMesh() as faces:
        for _ in range(3):
            faces.follow(pictures[0])
        return np.array([faces.follow(picture) for picture in pictures])


def portraits(steps):
    person = Portrait("ann", 2)
    for opening, blink in steps:
        sprite = person.sprite(opening, blink)[40:560, 180:720].astype(float)
        yield (sprite[..., :3] + 150 * (1 - sprite[..., 3:] / 255)).astype(np.uint8)


def test_a_portrait_opens_the_mouth():
    openings = np.linspace(0.1, 1, 7)
    points = followed(list(portraits((o, 0) for o in openings)))
    eyes = np.linalg.norm(points[0, 33, :2] - points[0, 263, :2])
    measured = table_of(points).mouth_open.to_numpy()
    known = 2 * MAX_GAP * openings / eyes
    assert np.corrcoef(measured, known)[0, 1] > 0.98
    assert np.polyfit(known, measured, 1)[0] == pytest.approx(1, abs=0.25)


def test_a_portrait_closes_its_eyes():
    blinks = [0, 0, 0, 1 / 3, 2 / 3, 1, 1, 2 / 3, 1 / 3, 0, 0, 0]
    table = table_of(followed(list(portraits((0.3, b) for b in blinks))))
    for side in ("left", "right"):
        by_step = [table[f"eye_{side}"][np.isclose(blinks, b)].mean() for b in (0, 1 / 3, 2 / 3, 1)]
        assert (np.diff(by_step) < 0).all()
        assert table[f"blink_{side}"][np.equal(blinks, 1)].any()
        assert (table[f"blink_{side}"][np.less(blinks, 0.5)] == 0).all()
    assert expression_summary(table)["blinks"] == 1


def test_a_turned_head_keeps_its_expression():
    picture = portrait()
    (points,) = followed([picture])
    head = TurnedHead(picture, points, focal=1.9 * picture.shape[1])
    turns = [(0, 0), (0, -20), (0, 20), (-12, 0), (12, 0)]
    pictures = [
        head.render(Rotation.from_euler("xy", turn, degrees=True).as_matrix()) for turn in turns
    ]
    table = table_of([followed([picture])[0] for picture in pictures])
    for name in ("eye_left", "eye_right", "mouth_width", "brow_left", "brow_right"):
        assert (table[name] / table[name][0]).to_numpy() == pytest.approx(1, abs=0.15), name
    assert not table[["blink_left", "blink_right"]].to_numpy().any()
