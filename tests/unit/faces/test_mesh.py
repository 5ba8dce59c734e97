"""The mesh follows a face that we moved ourselves, and says so when there is none."""

import threading

import cv2
import numpy as np
import pytest
import skimage.data

from talkingface.faces import mesh
from talkingface.job.quiet import quiet_stderr

FACE = (177.0, 82.0, 92.0, 98.0)  # brow to chin of skimage's astronaut, read off the picture


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])


@pytest.fixture(scope="module")
def faces():
    with mesh.FaceMesh() as tracker:
        yield tracker


@pytest.fixture(scope="module")
def truth(astronaut, faces):
    faces.reset()
    return faces.follow(astronaut)


def similarity(scale, degrees, centre, target):
    """2 x 3 matrix in continuous coordinates: centre goes to target."""
    angle = np.radians(degrees)
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([linear, np.array(target) - linear @ np.array(centre)])


def warped(picture, matrix, size):
    whole = matrix.copy()  # opencv has pixel centres at whole numbers
    whole[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(picture, whole, size, flags=cv2.INTER_AREA)


def error(found, expected):
    """Mean distance as a share of the distance of the outer eye corners."""
    unit = np.linalg.norm(expected[33, :2] - expected[263, :2])
    return np.linalg.norm(found[:, :2] - expected[:, :2], axis=1).mean() / unit


def test_the_points_lie_on_the_face(truth):
    # read off the picture, enlarged: pupils, nose tip, mouth corners, chin
    places = {468: (203, 101), 473: (247, 103), 4: (224, 125), 61: (203, 140), 291: (245, 139)}
    for vertex, place in {**places, 152: (225, 178)}.items():
        assert np.linalg.norm(truth[vertex, :2] - place) < 4, vertex
    assert truth.shape == (478, 3) and truth.dtype == np.float32
    assert truth[4, 2] < truth[234, 2] and truth[4, 2] < truth[454, 2]  # the nose is nearer


def test_agrees_with_mediapipes_own_face_mesh(astronaut, truth):
    with quiet_stderr():
        from mediapipe.python.solutions.face_mesh import FaceMesh

        with FaceMesh(static_image_mode=False, refine_landmarks=True) as official:
            rgb = cv2.cvtColor(astronaut, cv2.COLOR_BGR2RGB)
            for _ in range(3):  # its first region comes from a detector, later ones from points
                found = official.process(rgb).multi_face_landmarks[0].landmark
    size = astronaut.shape[0]
    theirs = np.array([(p.x, p.y, p.z) for p in found]) * size
    assert error(truth, theirs) < 0.012
    assert np.abs(truth[:, 2] - theirs[:, 2]).mean() < 1.0


@pytest.mark.parametrize(
    "scale, degrees", [(0.5, 0), (1, -40), (1.7, 15), (3, 30), (0.8, 60), (1, 85)]
)
def test_a_similarity_transform_is_recovered(astronaut, faces, truth, scale, degrees):
    size = (640, 480)
    matrix = similarity(scale, degrees, truth[:468, :2].mean(axis=0), (320, 240))
    expected = truth[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    low, high = expected.min(axis=0), expected.max(axis=0)
    faces.reset()
    found = faces.follow(warped(astronaut, matrix, size), (*low, *(high - low)))
    assert error(found, expected) < 0.02
    # z has the scale of x and y
    assert np.ptp(found[:, 2]) == pytest.approx(scale * np.ptp(truth[:, 2]), rel=0.1)


def test_a_poor_box_does_not_move_the_points(astronaut, faces, truth):
    rng = np.random.default_rng(0)
    x, y, w, h = FACE
    for _ in range(20):
        k, (dx, dy) = rng.uniform(0.6, 1.6), rng.uniform(-0.2, 0.2, 2)
        faces.reset()
        box = (x + w / 2 - k * w / 2 + dx * w, y + h / 2 - k * h / 2 + dy * h, k * w, k * h)
        assert error(faces.follow(astronaut, box), truth) < 0.025


def test_a_face_over_the_edge_is_found(astronaut, faces, truth):
    left = int(truth[:468, 0].min() + 0.15 * np.ptp(truth[:468, 0]))
    cut = np.ascontiguousarray(astronaut[:, left:])
    faces.reset()
    found = faces.follow(cut, (FACE[0] - left, *FACE[1:]))
    assert error(found, truth - [left, 0, 0]) < 0.05


def test_absent_while_the_face_is_out_of_the_frame(astronaut, faces, truth):
    """The portrait wanders out to the left, stays away, and comes back."""
    shifts = [0, -60, -120, -180, -240, -300, -360, -400, -400, -300, -180, -120, -60, 0]
    grey = np.full_like(astronaut, 110)
    frames = []
    for shift in shifts:
        frame = grey.copy()
        frame[:, : 512 + shift] = astronaut[:, -shift:]
        frames.append(frame)
    found = [points for _, points in faces.follow_clip(iter(frames))]
    for shift, points in zip(shifts, found, strict=True):
        inside = (truth[:468, 0] + shift > 0).mean()
        if inside > 0.9:
            assert error(points, truth + np.array([shift, 0, 0])) < 0.03, shift
        if inside < 0.4:
            assert np.isnan(points).all(), shift


def test_two_people_the_box_decides(astronaut, faces, truth):
    pair = np.concatenate([astronaut, astronaut], axis=1)
    for offset in (512, 0, 512):  # without reset: the box changes to the other one
        found = faces.follow(pair, (FACE[0] + offset, *FACE[1:]))
        assert error(found, truth + np.array([offset, 0, 0])) < 0.02
    # a box on the jacket is not answered with a face elsewhere
    assert faces.follow(pair, (80, 350, 100, 100)) is None


def test_no_face(faces):
    faces.reset()
    assert faces.follow(np.full((200, 300, 3), 127, np.uint8)) is None
    assert faces.follow(np.ascontiguousarray(skimage.data.coffee()[..., ::-1])) is None
    assert faces.follow(np.ascontiguousarray(skimage.data.rocket()[..., ::-1])) is None


def test_a_clip_begins_anew(astronaut, faces, truth):
    """What was followed before is forgotten: without a box, the largest face counts."""
    pair = np.full((512, 1024, 3), 110, np.uint8)
    pair[:, :512] = astronaut
    pair[:256, 512:768] = cv2.resize(astronaut, (256, 256), interpolation=cv2.INTER_AREA)
    small = faces.follow(pair, (512 + FACE[0] / 2, *np.array(FACE[1:]) / 2))
    assert error(small, truth / 2 + np.array([512, 0, 0])) < 0.03
    ((frame, points),) = faces.follow_clip([pair])
    assert frame is pair and error(points, truth) < 0.02


def test_boxes_must_be_as_many_as_frames(astronaut, faces):
    with pytest.raises(ValueError):
        list(faces.follow_clip([astronaut, astronaut], [FACE]))


def test_frames_are_taken_one_at_a_time(astronaut, faces):
    taken = []

    def frames():
        for k in range(3):
            taken.append(k)
            yield astronaut

    for k, _ in enumerate(faces.follow_clip(frames())):
        assert taken == list(range(k + 1))


def test_an_instance_in_each_of_two_threads(astronaut, truth):
    answers = {}

    def work(name):
        with mesh.FaceMesh() as tracker:
            answers[name] = [tracker.follow(astronaut, FACE) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(error(p, truth) < 0.02 for name in (0, 1) for p in answers[name])


def test_quiet_and_closed(astronaut, capfd):
    with mesh.FaceMesh(refine=False) as tracker:
        assert tracker.follow(astronaut).shape == (468, 3)
    tracker.close()  # a second time does no harm
    with pytest.raises(ValueError, match="closed"):
        tracker.follow(astronaut)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("more", [{}, {"visibility": 0.5}], ids=["as encoded", "field by field"])
def test_positions_are_the_fields_of_the_landmarks(more):
    from mediapipe.framework.formats.landmark_pb2 import NormalizedLandmarkList

    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    values[1] = 0  # protobuf may leave out what is zero
    landmarks = NormalizedLandmarkList()
    for x, y, z in values:
        landmarks.landmark.add(x=x, y=y, z=z, **more)
    np.testing.assert_array_equal(mesh._positions(landmarks), values)
