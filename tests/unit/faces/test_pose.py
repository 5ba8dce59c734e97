"""Heads turned, moved and cropped by known amounts; drawn as points, and as pictures."""

import itertools

import av
import cv2
import numpy as np
import pandas as pd
import pytest
import skimage.data
from scipy.spatial.transform import Rotation

from helpers.turned_head import TurnedHead, portrait
from talkingface.demo.portrait import Portrait
from talkingface.faces import pose
from talkingface.faces.face_model import CANONICAL, MIRROR
from talkingface.faces.landmark_files import Landmarks, write_landmarks
from talkingface.faces.mesh import FaceMesh
from talkingface.job.tables import read_table, table_of_columns, write_table
from talkingface.media.clip_files import Clip, clip_to_source
from talkingface.tables import CLIP_FRAMES, POSE, POSE_FRAMES

SIZE = (1280, 720)
FOCAL = 1.4
PIXELS = FOCAL * SIZE[0]
DISTANCE = 126.0  # cm: a face of 200 px
MIDDLE = np.array(SIZE) / 2


def turned(yaw, pitch, roll):
    """Axes x right, y up, z to the viewer; scipy's angles turn right-handed about them."""
    return Rotation.from_euler("ZYX", [roll, -yaw, pitch], degrees=True).as_matrix()


def sight(place):
    """The smallest rotation that takes straight ahead to the line of sight to a place.

    place as in `mesh_of`, the rotation in the axes of `turned`.
    """
    line = np.array(place) / np.linalg.norm(place) * [1, -1, -1]
    axis = np.cross([0, 0, -1], line)
    angle = np.arccos(-line[2])
    return Rotation.from_rotvec(axis / (np.linalg.norm(axis) or 1) * angle).as_matrix()


def mesh_of(rotation, place, noise=0.0, seed=0, face=CANONICAL):
    """What a perfect mesh sees of the mean face: (468, 3) source pixels.

    place: x right, y down, z away, cm, of the point between the eyes. z is given as the mesh gives
    it: along the line of sight, in pixels of the face's own scale, from a zero of its own.
    """
    places = face @ rotation.T * [1, -1, -1] + place
    pixels = places[:, :2] / places[:, 2:] * PIXELS + MIDDLE
    depth = (places - place) @ place / np.linalg.norm(place) * PIXELS / place[2]
    points = np.column_stack([pixels, depth - 20])
    return points + np.random.default_rng(seed).normal(0, noise, points.shape)


def solved(meshes, present=None, size=SIZE, focal=FOCAL):
    meshes = np.asarray(meshes)
    if present is None:
        present = np.ones(len(meshes), bool)
    return pose.solve_pose(meshes, present, size, focal)


def table_of(found):
    return pd.DataFrame(pose.pose_table(found))


def summary_of(table):
    return pose.pose_summary(table.to_records(index=False))


def boxes_of(crops):
    """A clip's table with these crops, (N, 4) x, y, w, h."""
    cells = dict.fromkeys(CLIP_FRAMES.names, np.zeros(len(crops)))
    names = ("crop_x", "crop_y", "crop_w", "crop_h")
    return table_of_columns(CLIP_FRAMES, cells | dict(zip(names, np.array(crops).T, strict=True)))


def degrees_between(a, b):
    return np.degrees(np.arccos(np.clip((np.trace(a @ b.T) - 1) / 2, -1, 1)))


GRID = list(itertools.product(range(-60, 61, 20), (-30, -15, 0, 15, 30), (-45, -20, 0, 20, 45)))


@pytest.mark.parametrize("x, y", [(0, 0), (-38, 18), (35, -20)], ids=["middle", "edge", "corner"])
def test_known_angles_are_recovered(x, y):
    place = np.array([x, y, DISTANCE])
    expected = [sight(place) @ turned(*angles) for angles in GRID]
    meshes = [mesh_of(rotation, place, 0.5, seed) for seed, rotation in enumerate(expected)]
    found = solved(meshes)
    assert np.ptp(meshes[len(GRID) // 2][:, 0]) == pytest.approx(200, abs=20)
    assert np.abs(found.angles - GRID).max() < 1
    assert np.abs(found.translation / DISTANCE - place / DISTANCE).max() < 0.02
    assert max(map(degrees_between, found.rotation, expected)) < 1
    assert found.angles.dtype == np.float32 and found.translation.dtype == np.float32


def test_rotations_and_angles_are_inverse():
    angles = np.array(GRID, float)
    rotation = pose.rotation_of(angles)
    assert np.allclose(rotation, [turned(*a) for a in angles])
    assert np.allclose(pose.angles_of(rotation), angles)


@pytest.mark.parametrize(
    "angles, vertex, direction",
    [
        ((30, 0, 0), 4, (-1, 0)),  # yaw: the nose goes left in the picture, to the subject's right
        ((0, 30, 0), 4, (0, 1)),  # pitch: the nose goes down
        ((0, 0, 30), 10, (-1, 0)),  # roll: the forehead goes left, counter-clockwise
    ],
    ids=["yaw", "pitch", "roll"],
)
def test_what_positive_means(angles, vertex, direction):
    place = [0, 0, DISTANCE]
    straight, moved = (mesh_of(turned(*a), place) for a in ((0, 0, 0), angles))
    assert (moved - straight)[vertex, :2] @ direction > 10
    assert solved([moved]).angles[0] == pytest.approx(angles, abs=0.5)


@pytest.mark.parametrize("x, y", [(-40, 15), (30, 20), (0, 0)])
def test_angles_are_relative_to_the_line_of_sight_and_rotation_to_the_axis(x, y):
    """A head that is parallel to the picture, one that faces the camera, and one beside it."""
    place = np.array([x, y, DISTANCE])
    away = sight(place)
    rotations = [np.eye(3), away, away @ turned(20, -10, 15)]
    found = solved([mesh_of(rotation, place) for rotation in rotations])
    expected = np.degrees(np.arctan(np.hypot(x, y) / DISTANCE))
    assert found.angles[1] == pytest.approx([0, 0, 0], abs=0.3)
    assert found.angles[2] == pytest.approx([20, -10, 15], abs=0.3)
    seen = np.degrees(np.arccos(np.cos(np.radians(20)) * np.cos(np.radians(10))))
    assert table_of(found).view_angle.tolist() == pytest.approx([expected, 0, seen], abs=0.5)
    assert max(map(degrees_between, found.rotation, rotations)) < 0.5
    back = pose.sight_to_camera(found.translation) @ pose.rotation_of(found.angles)
    assert np.allclose(back, found.rotation, atol=1e-5)


def test_the_focal_length_hardly_matters_to_angles():
    """It is not known; a face in the corner is seen as it is all the same."""
    place = np.array([-35, -18, DISTANCE])
    mesh = mesh_of(sight(place) @ turned(15, 10, -8), place)
    for focal in (0.8, 3):
        assert solved([mesh], focal=focal).angles[0] == pytest.approx([15, 10, -8], abs=2)


YAWS = np.arange(-20, 21, 10)


@pytest.mark.parametrize("pitch", [-15, 0, 15])
@pytest.mark.parametrize("depth", [0.7, 1.3], ids=["flat", "deep"])
def test_yaw_does_not_leak_into_roll_whatever_the_depth(depth, pitch):
    """The network's depth is a guess; it may be too flat or too deep."""
    meshes = [mesh_of(turned(yaw, pitch, 5), (0, 0, DISTANCE)) for yaw in YAWS]
    found = solved([mesh * [1, 1, depth] for mesh in meshes]).angles
    assert found[:, 2] == pytest.approx(5, abs=0.1)
    assert found[:, 0] == pytest.approx(YAWS, abs=2.5)


def test_what_is_far_from_the_eyes_may_lean():
    """The network draws cheeks and forehead as a near camera would see them, whatever it sees.

    At 45 cm a line between the temples leans by 0.13 degrees for a degree of yaw, as it does on
    pictures of faces that are far away.
    """
    for yaw in YAWS:
        head = CANONICAL @ turned(yaw, 0, 0).T
        leaning = head[:, :2] / (1 - head[:, 2:] / 45)
        eyes = np.abs(CANONICAL[:, 1]) < 1
        seen = np.where(eyes[:, None], head[:, :2], leaning) * [13, -13] + MIDDLE
        mesh = np.column_stack([seen, -13 * head[:, 2]])
        assert abs(solved([mesh], focal=20).angles[0, 2]) < 0.3, yaw


def test_a_longer_nose_is_no_pitch():
    person = CANONICAL.copy()
    nose = (np.abs(CANONICAL[:, 0]) < 2.2) & (CANONICAL[:, 1] < -2) & (CANONICAL[:, 1] > -7)
    person[nose, 2] += 0.8
    assert nose[4]  # its tip
    meshes = [mesh_of(turned(0, p, 0), (0, 0, DISTANCE), face=person) for p in (-15, 0, 15)]
    assert solved(meshes).angles[:, 1] == pytest.approx([-15, 0, 15], abs=0.1)


def test_irises_share_in_the_eye_line():
    """Lids that were drawn askew count for half where irises are known."""
    mesh = mesh_of(np.eye(3), (0, 0, DISTANCE))
    irises = np.repeat([mesh[[33, 133]].mean(axis=0), mesh[[263, 362]].mean(axis=0)], 5, axis=0)
    lids = [33, 246, 161, 160, 159, 158, 157, 173, 133, 7, 163, 144, 145, 153, 154, 155]
    distance = irises[5, 0] - irises[0, 0]
    mesh[lids, 1] += distance * np.tan(np.radians(2))  # the right eye is lower: roll of 2 degrees
    alone, shared = (solved([m]).angles[0, 2] for m in (mesh, np.vstack([mesh, irises])))
    assert (alone, shared) == (pytest.approx(2, abs=0.1), pytest.approx(1, abs=0.1))


def test_a_still_head_that_talks_does_not_turn():
    """The lower jaw swings open by 20 degrees about the ears; lips and chin go with it."""
    jaw = np.clip((CANONICAL[2, 1] - CANONICAL[:, 1]) / 2, 0, 1)[:, None]
    hinge = np.array([0, -2, -6.0])
    swung = (CANONICAL - hinge) @ Rotation.from_euler("x", 20, degrees=True).as_matrix().T + hinge
    talking = CANONICAL + jaw * (swung - CANONICAL)
    assert np.linalg.norm(talking[152] - CANONICAL[152]) > 3
    place = (5, 3, DISTANCE)
    rest, moved = (mesh_of(turned(15, -10, 5), place, face=f) for f in (CANONICAL, talking))
    found = solved([rest, moved])
    assert np.abs(np.diff(found.angles, axis=0)).max() < 1e-3


def test_the_crop_does_not_matter():
    """One face in three crops, one of which reaches over the frame's edge."""
    place = (-40, -12, DISTANCE)
    seen = mesh_of(turned(20, 10, -15), place)
    crops = np.array([[0, 0, 1280, 720], [100, 60, 300, 300], [-80.5, -20.25, 500, 500]])
    sizes = [(640, 360), (512, 512), (256, 256)]
    for crop, size in zip(crops, sizes, strict=True):
        scale = size[0] / crop[2]
        clip = (seen - [*crop[:2], 0]) * scale
        source = clip_to_source(clip[None], boxes_of(crop[None]), size)
        assert np.allclose(source[0], seen)
    everywhere = np.repeat(seen[None], 3, axis=0) - np.c_[crops[:, :2], np.zeros(3)][:, None]
    back = clip_to_source(everywhere / 2, boxes_of(crops), (1, 1))
    assert back.shape == (3, 468, 3) and np.allclose(
        back[2, :, 0], everywhere[2, :, 0] * 250 - 80.5
    )


def test_heads_axes():
    """Any pose, size and place gives the same face; irises are carried along."""
    face = np.vstack([CANONICAL, np.tile([[3.0, 0, 0]], (10, 1))])
    place = np.array([10, 5, 4000])  # far away: no perspective
    meshes = [
        mesh_of(turned(*a), place * s, face=face) for a, s in (((40, 20, 30), 1), ((-20, 5, 8), 2))
    ]
    found = pose.to_head(np.array(meshes))
    assert found.shape == (2, 478, 3)
    assert np.abs(found - face).max() < 0.05


def test_absent_frames_keep_their_rows():
    present = np.array([True, True, False, True])
    meshes = np.array([mesh_of(turned(10, k, 0), (0, 0, DISTANCE)) for k in range(4)])
    meshes[2] = np.nan
    found = solved(meshes, present)
    for values in (found.angles, found.translation, found.rotation):
        assert (np.isnan(values.reshape(4, -1)).all(axis=1) == ~present).all()
    table = table_of(found)
    assert list(table) == POSE_FRAMES.names and table.frame.tolist() == [0, 1, 2, 3]
    assert table.present.tolist() == [1, 1, 0, 1]
    assert table.angular_speed.isna().tolist() == [True, False, True, True]
    assert table.speed.isna().tolist() == [True, False, True, True]


def test_speeds():
    width = np.ptp(CANONICAL[:, 0])
    meshes = [
        # 2 degrees about a skew axis and a tenth of a face width to the right, every frame
        mesh_of(
            Rotation.from_rotvec(np.radians(2 * k) * np.array([0.6, 0.64, 0.48])).as_matrix(),
            (0.1 * width * k, 0, DISTANCE),
        )
        for k in range(6)
    ]
    table = table_of(solved(meshes))
    assert table.angular_speed[1:].to_numpy() == pytest.approx(50, abs=2.5)
    assert table.speed[1:].to_numpy() == pytest.approx(2.5, abs=0.1)


def test_summary():
    yaw = np.linspace(-10, 30, 101)
    yaw[50] = 80  # one wrong frame
    meshes = [mesh_of(turned(y, 5, -8), (0, 0, DISTANCE)) for y in yaw]
    values = summary_of(table_of(solved(meshes)))
    assert {"clip_id", "n_frames", *values} == set(POSE.names)
    expected = {
        "median_yaw": 10, "median_pitch": 5, "median_roll": -8,
        "yaw_range": 36, "pitch_range": 0, "roll_range": 0,
        "max_abs_yaw": 28, "max_abs_pitch": 5, "max_abs_roll": 8,
    }  # fmt: skip
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, abs=1), name


@pytest.mark.parametrize("frames", [0, 3])
def test_no_face_at_all(frames):
    found = solved(np.full((frames, 478, 3), np.nan), np.zeros(frames, bool))
    assert found.angles.shape == (frames, 3) and np.isnan(found.angles).all()
    table = table_of(found)
    assert len(table) == frames and list(table) == POSE_FRAMES.names
    assert np.isnan(list(summary_of(table).values())).all()


def test_one_frame_has_no_speed():
    values = summary_of(table_of(solved([mesh_of(turned(10, 5, 0), (0, 0, DISTANCE))])))
    assert values["median_yaw"] == pytest.approx(10, abs=0.5) and values["yaw_range"] == 0
    assert np.isnan([values["angular_speed"], values["speed"]]).all()


def test_the_files_of_a_video(tmp_path):
    """The clip shows half of the source at its size: the pose is that of the source."""
    seen = mesh_of(turned(20, 10, -15), (-20, -8, DISTANCE))
    crop = [0, 0, SIZE[0] / 2, SIZE[1]]
    in_clip = np.stack([seen, np.full_like(seen, np.nan)]).astype(np.float32)
    folders = [tmp_path / name for name in ("clips", "landmarks")]
    for folder in folders:
        folder.mkdir()
    clip = Clip("a_000000_000002_00", 2, SIZE[0] // 2, SIZE[1], folders[0])
    write_table(boxes_of([crop, crop]), folders[0] / f"{clip.clip_id}.csv", CLIP_FRAMES)
    write_landmarks(folders[1] / f"{clip.clip_id}.npz", Landmarks.of(in_clip, in_clip[:, :68, :2]))
    pose.make_pose(
        [clip],
        folders[1],
        tmp_path / "pose",
        tmp_path / "pose.csv",
        source_size_at=lambda frame: SIZE,
        focal=FOCAL,
    )
    angles = np.load(tmp_path / "pose" / f"{clip.clip_id}.npy")
    assert angles.shape == (2, 3) and angles.dtype == np.float32 and np.isnan(angles[1]).all()
    expected = Rotation.from_matrix(sight((-20, -8, DISTANCE)).T @ turned(20, 10, -15))
    roll, yaw, pitch = expected.as_euler("ZYX", degrees=True)
    assert angles[0] == pytest.approx([-yaw, pitch, roll], abs=0.5)
    table = read_table(tmp_path / "pose" / f"{clip.clip_id}.csv", POSE_FRAMES)
    assert table.yaw[0] == round(float(angles[0, 0]), 2) and table.present.tolist() == [1, 0]
    (row,) = read_table(tmp_path / "pose.csv", POSE)
    assert (row.clip_id, row.n_frames, row.median_yaw) == (clip.clip_id, 2, table.yaw[0])


# From here on with pictures, through the real mesh.


@pytest.fixture(scope="module")
def faces():
    with FaceMesh() as mesh:
        yield mesh


def followed(faces, pictures):
    faces.reset()
    for _ in range(3):
        faces.follow(pictures[0])
    return np.array([faces.follow(picture) for picture in pictures])


def angles_in(faces, pictures, focal=FOCAL):
    size = pictures[0].shape[1::-1]
    return solved(followed(faces, pictures), size=size, focal=focal)


@pytest.fixture(scope="module")
def head(faces):
    picture = portrait()
    (points,) = followed(faces, [picture])
    return TurnedHead(picture, points, focal=1.9 * picture.shape[1])


def test_a_mirrored_picture(faces):
    picture = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    picture = cv2.warpAffine(picture, cv2.getRotationMatrix2D((225, 130), 12, 1), (512, 512))
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    (straight,), (flipped,) = (angles_in(faces, [p]).angles for p in (picture, mirrored))
    assert flipped == pytest.approx(straight * [-1, 1, -1], abs=2.5)
    assert straight[2] > 7  # so the sign can be told
    points = followed(faces, [picture])[0, :468]
    reflected = (points * [-1, 1, 1] + [512, 0, 0])[MIRROR]
    (exact,) = solved([reflected], size=(512, 512)).angles
    assert exact == pytest.approx(straight * [-1, 1, -1], abs=0.1)


@pytest.mark.parametrize("degrees", [-40, 25])
def test_a_picture_turned_about_its_middle(faces, degrees):
    picture = portrait(1.5)
    side = picture.shape[0]
    centre = (side / 2 - 0.5, side / 2 - 0.5)
    turn = cv2.getRotationMatrix2D(centre, degrees, 1)  # counter-clockwise, says OpenCV
    rolled = cv2.warpAffine(picture, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    (before,), (after,) = (angles_in(faces, [p]).angles for p in (picture, rolled))
    assert after - before == pytest.approx([0, 0, degrees], abs=3)


@pytest.mark.parametrize("angles", [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0)], ids=str)
def test_a_rendered_turn(faces, head, angles):
    """Pictures of a head that turns by 30 degrees and moves aside on its way."""
    steps = np.array(angles) * np.arange(0, 31, 10)[:, None]
    pictures = [
        head.render(turned(*step), (560, 420), (1.2 * k, -0.5 * k, 0))
        for k, step in enumerate(steps * 1.0)
    ]
    found = angles_in(faces, pictures, focal=head.focal / 560).rotation
    for step, rotation in zip(steps, found, strict=True):
        reached = rotation @ found[0].T
        limit = {0: 0.1, 10: 3, 20: 8, 30: 8}[np.abs(step).max()]
        assert degrees_between(reached, turned(*step)) < limit, step
        # The right way, and most of it.
        assert pose.angles_of(reached[None])[0] @ angles >= 0.7 * np.abs(step).max() - 0.1


def test_a_face_aside_is_seen_from_the_side_but_not_turned(faces, head):
    """Pictures of one head, moved sideways: its line of sight turns by 20 degrees."""
    pictures = [
        head.render(np.eye(3), (880, 480), (x, 0, 0))
        for x in head.focal * np.tan(np.radians([-10, 10]))
    ]
    found = solved(followed(faces, pictures), size=(880, 480), focal=head.focal / 880)
    assert degrees_between(*found.rotation) < 3.5
    assert found.angles[0, 0] - found.angles[1, 0] == pytest.approx(20, abs=4)


def test_yaw_does_not_leak_into_roll_on_pictures(faces):
    """A head far away, turned by rendering. The eye line leans with the pitch it had."""
    picture = portrait()
    (points,) = followed(faces, [picture])
    head = TurnedHead(picture, points, focal=20 * picture.shape[1])
    pictures = [head.render(turned(yaw, 0, 0)) for yaw in YAWS]
    found = angles_in(faces, pictures, focal=20).angles
    turns = np.array([turned(yaw, 0, 0) for yaw in YAWS]) @ pose.rotation_of(found[2:3])
    expected = Rotation.from_matrix(turns).as_euler("ZYX", degrees=True)[:, 0]
    assert found[:, 2] == pytest.approx(expected, abs=0.6)


def test_a_still_face_in_a_real_video(faces, tmp_path):
    rng = np.random.default_rng(0)
    picture = portrait(1.6)
    path = tmp_path / "still.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "23"})
        stream.width, stream.height = picture.shape[1::-1]
        stream.pix_fmt = "yuv420p"
        for _ in range(50):
            noisy = np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, format="bgr24")))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="bgr24") for f in container.decode(video=0)]
    found = angles_in(faces, frames)
    assert (found.angles.std(axis=0) < 0.5).all()
    assert table_of(found).angular_speed.mean() < 15


def test_a_portrait_that_talks_does_not_turn(faces):
    talking = Portrait("ann", 2)
    pictures = []
    for opening in np.linspace(0, 1, 6):
        sprite = talking.sprite(opening)[40:560, 180:720].astype(float)
        pictures.append((sprite[..., :3] + 150 * (1 - sprite[..., 3:] / 255)).astype(np.uint8))
    angles = angles_in(faces, pictures).angles
    assert np.ptp(angles, axis=0).max() < 2.5
