"""Tracks against scripted detections; the real detector on pasted faces and on footage."""

from __future__ import annotations

import logging
import time
from itertools import islice

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment

from helpers.pasted_faces import astronaut, background, iou, paste
from helpers.paths import SAMPLES, TALKERS
from helpers.settings import default_settings
from talkingface.faces import detection, tracks
from talkingface.job.tables import read_table, table_of_rows, write_table
from talkingface.media.video import bgr_frames
from talkingface.shots.proxy import encode_proxy, write_proxy
from talkingface.tables import SCENES, TRACKS


def track_faces(frames, scenes, detect, **settings):
    """As in the workflow, with its default settings; scenes: (scene, start_frame, end_frame)."""
    settings = default_settings("tracks") | settings
    found = tracks.track_faces(frames, table_of_rows(SCENES, scenes), detect, **settings)
    return pd.DataFrame(found)


def numbered(count):
    """Frames that carry their number, so that a scripted detector knows which one it sees."""
    for k in range(count):
        image = np.zeros((36, 64, 3), np.uint8)
        image[0, 0] = (k % 256, k // 256, 0)
        yield image


def scripted(faces):
    """A detector from ``faces(k) -> [(cx, cy, size[, score]), ...]``."""

    def run(images):
        out = []
        for image in images:
            k = int(image[0, 0, 0]) + 256 * int(image[0, 0, 1])
            rows = [(*face, 0.9)[:4] for face in faces(k)]
            out.append(np.array([(x - s / 2, y - s / 2, s, s, p) for x, y, s, p in rows]))
        return out

    return run


def follow(faces, count=100, scenes=None, **settings):
    scenes = scenes or [(0, 0, count)]
    return track_faces(numbered(count), scenes, scripted(faces), **settings)


def spans(table):
    return [
        (int(g.scene.iloc[0]), int(g.frame.min()), int(g.frame.max()) + 1)
        for _, g in table.groupby("track")
    ]


def centres(table, track):
    part = table[table.track == track]
    return (part.x + part.w / 2).to_numpy()


def test_nothing_gives_the_header(tmp_path):
    table = follow(lambda k: [])
    assert len(table) == 0 and list(table.columns) == TRACKS.names
    write_table(table.to_records(index=False), tmp_path / "tracks.csv", TRACKS)
    assert (tmp_path / "tracks.csv").read_text().strip() == ",".join(TRACKS.names)


def test_no_scenes_reads_no_frame():
    def frames():
        raise AssertionError("read")
        yield

    assert len(track_faces(frames(), [], scripted(lambda k: []))) == 0


@pytest.mark.parametrize("every", [1, 5, 7])
def test_linear_motion_is_followed_exactly(every):
    table = follow(lambda k: [(100 + 2 * k, 80 + 0.5 * k, 40)], every=every, scale=3.0)
    assert spans(table) == [(0, 0, 100)]
    k = np.arange(100)
    np.testing.assert_allclose(table.x + table.w / 2, 3 * (100 + 2 * k))
    np.testing.assert_allclose(table.y + table.h / 2, 3 * (80 + 0.5 * k))
    np.testing.assert_allclose(table.w, 120)
    assert (table.detected == 1).all() and (table.confidence == 0.9).all()


def test_sampled_frames_start_at_the_scene_and_include_its_last():
    assert tracks.sampled_frames(7, 20, 5) == [7, 12, 17, 19]
    assert tracks.sampled_frames(7, 8, 5) == [7]
    seen = []

    def detector(images):
        seen.extend(int(image[0, 0, 0]) for image in images)
        return [np.empty((0, 5))] * len(images)

    track_faces(numbered(40), [(0, 3, 14), (1, 14, 20)], detector)
    assert seen == [3, 8, 13, 14, 19]


def test_two_people_are_two_tracks():
    table = follow(lambda k: [(100, 100, 40), (160, 100, 40)])
    assert spans(table) == [(0, 0, 100), (0, 0, 100)]
    assert np.ptp(centres(table, 0)) == 0 and centres(table, 0)[0] == 100


@pytest.mark.parametrize("speed", [1.5, 3.0, 6.0])
def test_people_who_pass_do_not_swap(speed):
    # Same size and look; they meet at frame 50, and the order of detections is no help.
    def faces(k):
        pair = [(300 + speed * (k - 50), 100, 40), (300 - speed * (k - 50), 112, 40)]
        return pair if k % 2 else pair[::-1]

    table = follow(faces)
    assert spans(table) == [(0, 0, 100), (0, 0, 100)]
    for track, sign in ((0, 1), (1, -1)):
        path = 300 + sign * speed * (np.arange(100) - 50)
        np.testing.assert_allclose(centres(table, track), path, atol=1e-6)


def test_the_one_behind_is_hidden_while_they_pass():
    def faces(k):
        front = (300 + 3 * (k - 50), 100, 40)
        behind = (300 - 3 * (k - 50), 104, 36)
        return [front] if abs(k - 50) < 7 else [front, behind]

    table = follow(faces)
    assert spans(table) == [(0, 0, 100), (0, 0, 100)]
    assert centres(table, 0)[-1] == pytest.approx(447)
    assert centres(table, 1)[-1] == pytest.approx(153)


def test_looks_decide_where_motion_points_the_wrong_way():
    # Two near each other at 2 px a frame slow down while unseen: at frame 55 motion alone puts
    # each one on the other.
    def place(k):
        step = 2 * min(k, 40) + 0.8 * (min(max(k, 40), 55) - 40)
        return (200 + step, (40, 40, 200)), (400 - step, (200, 40, 40))

    def frames():
        for k in range(100):
            image = np.full((200, 600, 3), 90, np.uint8)
            for x, colour in place(k):
                cv2.rectangle(image, (round(x) - 8, 80), (round(x) + 8, 120), colour, -1)
            image[0, 0] = (k, 0, 0)
            yield image

    def faces(k):
        return [] if 40 < k < 55 else [(x, 100, 40) for x, _ in place(k)]

    table = track_faces(frames(), [(0, 0, 100)], scripted(faces))
    assert spans(table) == [(0, 0, 100), (0, 0, 100)]
    assert centres(table, 0)[-1] == pytest.approx(place(99)[0][0])
    assert centres(table, 1)[-1] == pytest.approx(place(99)[1][0])


@pytest.mark.parametrize("density", [0.1, 0.3, 0.6, 1.0])
def test_pairs_are_those_of_the_hungarian_algorithm(density):
    """Where none competes they are read off; either way they are scipy's."""
    rng = np.random.default_rng(7)
    for _ in range(500):
        shape = tuple(rng.integers(1, 6, 2))
        cost = np.where(rng.random(shape) < density, rng.uniform(0, 8, shape), np.inf)
        rows, columns = linear_sum_assignment(np.where(np.isfinite(cost), cost, 1e6))
        chosen = zip(rows.tolist(), columns.tolist(), strict=True)
        assert tracks._pairs(cost) == [pair for pair in chosen if np.isfinite(cost[pair])]


def test_a_short_absence_is_interpolated():
    table = follow(lambda k: [] if 41 <= k < 51 else [(100 + k, 100, 40)])
    assert spans(table) == [(0, 0, 100)]
    np.testing.assert_allclose(centres(table, 0), 100 + np.arange(100))
    missed = table.frame[table.detected == 0].tolist()
    assert missed == list(range(41, 55))  # samples 45 and 50 missed it: unsupported from 40 to 55


def test_a_face_that_turned_round_out_of_sight_is_the_same():
    """It leaves to the right at 0.12 of its size a frame and comes back to the left as fast."""
    table = follow(
        lambda k: [(1000 - 24 * abs(50 - k), 300, 200)] if abs(50 - k) > 9 else [], count=100
    )
    assert spans(table) == [(0, 0, 100)]


def test_a_long_absence_makes_two_tracks():
    table = follow(lambda k: [] if 31 <= k < 71 else [(100, 100, 40)])
    assert spans(table) == [(0, 0, 31), (0, 75, 100)]


@pytest.mark.parametrize(("gap", "count"), [(25, 1), (26, 2)])
def test_max_gap_is_between_detections(gap, count):
    table = follow(lambda k: [(100, 100, 40)] if k <= 10 or k >= 10 + gap else [], every=1)
    assert table.track.nunique() == count


def test_a_track_never_crosses_a_cut():
    table = follow(lambda k: [(100, 100, 40)], scenes=[(0, 0, 43), (1, 43, 100)])
    assert spans(table) == [(0, 0, 43), (1, 43, 100)]


def test_frames_outside_the_scenes_are_left_alone():
    table = follow(lambda k: [(100, 100, 40)], scenes=[(4, 10, 30), (9, 50, 60)])
    assert spans(table) == [(4, 10, 30), (9, 50, 60)]


def test_a_face_elsewhere_is_another_track():
    table = follow(lambda k: [(100, 100, 40) if k < 50 else (300, 100, 40)])
    assert spans(table) == [(0, 0, 46), (0, 50, 100)]


def test_a_person_starting_to_walk_is_kept():
    # 8 px a frame, 40 px a sample: a whole face width, IoU 0 between samples.
    table = follow(lambda k: [(100 + 8 * k, 100, 40)], count=60)
    assert spans(table) == [(0, 0, 60)]


def test_weak_detections_continue_a_track_but_start_none(caplog):
    caplog.set_level(logging.INFO)
    table = follow(lambda k: [(100, 100, 40, 0.9 if k == 0 else 0.55)], min_confidence=0.75)
    assert spans(table) == [(0, 0, 100)]
    assert table.confidence.iloc[0] == 0.9 and table.confidence.iloc[-1] == pytest.approx(0.55)
    table = follow(lambda k: [(100, 100, 40, 0.55)], min_confidence=0.75)
    assert len(table) == 0
    assert caplog.messages[-1] == "0 tracks in 1 scenes; left out: 1 below confidence 0.75"


def test_short_tracks_are_kept():
    assert spans(follow(lambda k: [(100, 100, 40)] if k == 20 else [])) == [(0, 20, 21)]


class ScriptedDetector:
    """Sees one face, at the same place in every frame."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def follow(self, images):
        return [np.array([[10.1234, 20, 30, 40, 0.91234]])] * len(images)


def test_the_table_of_a_video(film_path, tmp_path, monkeypatch):
    monkeypatch.setattr(detection, "load", lambda threads: ScriptedDetector())
    video, record = tmp_path / "proxy.mp4", tmp_path / "proxy.json"
    proxy = encode_proxy(film_path("25"), video, tmp_path / "proxy.wav", long_side=160)
    write_proxy(proxy, record)
    scenes = table_of_rows(SCENES, [(0, 0, 40), (1, 40, proxy.n_frames)])
    write_table(scenes, tmp_path / "scenes.csv", SCENES)
    tracks.make_tracks(
        video,
        record,
        tmp_path / "scenes.csv",
        tmp_path / "tracks.csv",
        # What this film shows where the face is said to be, is another picture in every frame.
        **default_settings("tracks") | {"max_change": None},
    )
    table = read_table(tmp_path / "tracks.csv", TRACKS)
    assert spans(pd.DataFrame(table)) == [(0, 0, 40), (1, 40, proxy.n_frames)]
    scale = proxy.size_at(0)[0] / 160
    assert scale > 1
    assert set(table.x) == {round(10.1234 * scale, 2)} and set(table.h) == {40 * scale}
    assert set(table.confidence) == {0.912}


def test_without_shots_no_detector_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(detection, "load", None)
    write_table(table_of_rows(SCENES, []), tmp_path / "scenes.csv", SCENES)
    tracks.make_tracks(
        tmp_path / "no.mp4",
        tmp_path / "no.json",
        tmp_path / "scenes.csv",
        tmp_path / "tracks.csv",
        **default_settings("tracks"),
    )
    assert (tmp_path / "tracks.csv").read_text() == ",".join(TRACKS.names) + "\n"


def test_frames_that_end_early_are_an_error():
    with pytest.raises(ValueError, match="end before"):
        track_faces(numbered(50), [(0, 0, 60)], scripted(lambda k: []))


@pytest.mark.parametrize(
    ("scenes", "settings"),
    [
        ([(0, 0, 0)], {}),
        ([(0, 0, 20), (1, 10, 30)], {}),
        ([(0, 0, 20)], {"every": 0}),
        ([(0, 0, 20)], {"scale": 0.0}),
    ],
)
def test_senseless_settings_are_an_error(scenes, settings):
    with pytest.raises(ValueError):
        track_faces(numbered(40), scenes, scripted(lambda k: []), **settings)


def test_a_failing_detector_is_heard():
    def broken(images):
        raise RuntimeError("no detector")

    with pytest.raises(RuntimeError, match="no detector"):
        track_faces(numbered(400), [(0, 0, 400)], broken)


def test_only_a_bounded_number_of_frames_is_alive():
    alive, most = set(), 0

    class Counted(np.ndarray):
        def __del__(self):
            alive.discard(id(self))

    def frames():
        nonlocal most
        for image in numbered(800):
            counted = image.view(Counted)
            alive.add(id(counted))
            most = max(most, len(alive))
            yield counted
            del counted

    def slow(images):  # slower than the frames come, so that only the bound holds them back
        time.sleep(0.01)
        return [np.empty((0, 5))] * len(images)

    track_faces(frames(), [(0, 0, 800)], slow, every=1)
    assert 16 <= most <= 80


# With the real detector.


def people(*lengths):
    """Frames of one flat-faced person after the other, at one place; the first pixel is a frame's
    number, as in `numbered`."""
    skins, walls = [(150, 180, 230), (40, 60, 90)], [(200, 90, 40), (60, 200, 120)]
    frames = []
    for k, length in enumerate(lengths):
        picture = np.full((120, 160, 3), walls[k % 2], np.uint8)
        cv2.ellipse(picture, (80, 60), (18, 24), 0, 0, 360, skins[k % 2], -1)
        cv2.circle(picture, (72 + 4 * (k % 2), 52 + 3 * (k % 2)), 4, (10, 10, 10), -1)
        cv2.rectangle(picture, (70, 70 - 24 * (k % 2)), (90, 74 - 24 * (k % 2)), (30, 30, 160), -1)
        frames += [picture.copy() for _ in range(length)]
    for number, picture in enumerate(frames):
        picture[0, 0] = (number % 256, number // 256, 0)
    return frames


def one_face(k):
    return [(80, 60, 44)]


def test_a_track_ends_where_its_face_becomes_anothers():
    """Whatever the shot says, and at the sample: every fifth frame, and the last."""
    frames = people(52, 58)
    table = track_faces(frames, [(0, 0, 110)], scripted(one_face))
    assert spans(table) == [(0, 0, 51), (0, 55, 110)]
    assert table.groupby("track").frame.count().tolist() == [51, 55]
    table = track_faces(frames, [(0, 0, 110)], scripted(one_face), max_change=None)
    assert spans(table) == [(0, 0, 110)]
    # Two shots, in the second of which it happens.
    table = track_faces(people(62, 58), [(0, 0, 30), (1, 30, 120)], scripted(one_face))
    assert spans(table) == [(0, 0, 30), (1, 30, 61), (1, 65, 120)]


def test_each_of_the_two_needs_a_certain_detection():
    faces = scripted(lambda k: [(80, 60, 44, 0.9 if k < 52 else 0.6)])
    assert spans(track_faces(people(52, 58), [(0, 0, 110)], faces)) == [(0, 0, 51)]


@pytest.mark.footage
@pytest.mark.parametrize("length", [1, 25])
def test_two_people_are_two_tracks_even_in_one_shot(length):
    """Real ones, one dissolving into the other at the same place."""
    one, other = (
        [cv2.resize(image, (360, 360)) for image in first_frames(TALKERS / name, 50 + length)]
        for name in ("german.mp4", "face_2.mp4")
    )
    shares = (np.arange(length) + 1) / (length + 1)
    between = [
        cv2.addWeighted(a, 1 - share, b, share, 0)
        for share, a, b in zip(shares, one[50:], other, strict=False)
    ]
    frames = one[:50] + between + other[length:]
    with detection.load(threads=1) as opened:
        table = track_faces(frames, [(0, 0, len(frames))], opened.follow)
    ends = table.groupby("track").frame.agg(["min", "max"])
    long = ends[ends["max"] - ends["min"] >= 20]
    assert len(long) == 2
    # A sample or two of five frames are where there is next to nothing of the other.
    assert 40 <= long["max"].iloc[0] <= 50 + length / 3
    assert 50 + length * 2 / 3 <= long["min"].iloc[1] + 1 <= 62 + length


def first_frames(path, count):
    return [image for _, image in islice(bgr_frames(path), count)]


@pytest.fixture(scope="module")
def detector():
    with detection.load(threads=2) as opened:
        yield opened.run


def moving(paths, count, size=(640, 360), name="coffee"):
    """Frames and, per path, truths (count, 4); a path: ``k -> (cx, cy, height, angle) or None``."""
    canvas = background(name, *size)
    frames, truths = [], [[] for _ in paths]
    for k in range(count):
        picture = canvas
        for path, truth in zip(paths, truths, strict=True):
            place = path(k)
            picture, box = paste(picture, astronaut(), *place) if place else (picture, None)
            truth.append(box)
        frames.append(picture)
    return frames, truths


def worst(table, track, truth):
    part = table[table.track == track]
    boxes = part[["x", "y", "w", "h"]].to_numpy()
    return min(
        iou(b, truth[f]) for f, b in zip(part.frame, boxes, strict=True) if truth[f] is not None
    )


def test_two_pasted_faces_move_and_are_followed(detector):
    paths = [lambda k: (100 + 3 * k, 100, 70, 0.2 * k), lambda k: (560 - 2 * k, 270, 45, -10)]
    frames, truths = moving(paths, 60)
    table = track_faces(frames, [(0, 0, 60)], detector)
    assert spans(table) == [(0, 0, 60), (0, 0, 60)]
    assert worst(table, 0, truths[0]) > 0.6 and worst(table, 1, truths[1]) > 0.6


def test_pasted_faces_cross_without_swapping(detector):
    paths = [lambda k: (180 + 5 * k, 150, 60, 0), lambda k: (480 - 5 * k, 200, 84, 0)]
    frames, truths = moving(paths, 60)
    table = track_faces(frames, [(0, 0, 60)], detector)
    assert spans(table) == [(0, 0, 60), (0, 0, 60)]
    for track in (0, 1):
        part = table[(table.track == track) & (table.frame == 59)][["x", "y", "w", "h"]]
        assert iou(part.to_numpy()[0], truths[track][59]) > 0.6


@pytest.mark.parametrize(("away", "count"), [(10, 1), (40, 2)])
def test_a_pasted_face_goes_and_returns(detector, away, count):
    frames, truths = moving([lambda k: None if 30 <= k < 30 + away else (320, 180, 80, 0)], 90)
    table = track_faces(frames, [(0, 0, 90)], detector)
    assert table.track.nunique() == count
    assert all(worst(table, track, truths[0]) > 0.6 for track in range(count))


def test_a_cut_between_pictures_splits(detector):
    one, _ = moving([lambda k: (320, 180, 80, 0)], 23)
    two, _ = moving([lambda k: (320, 180, 80, 0)], 23, name="rocket")
    table = track_faces(one + two, [(0, 0, 23), (1, 23, 46)], detector)
    assert spans(table) == [(0, 0, 23), (1, 23, 46)]


def test_faceless_pictures_have_no_tracks(detector):
    table = track_faces([background("rocket", 640, 360)] * 20, [(0, 0, 20)], detector)
    assert len(table) == 0 and list(table.columns) == TRACKS.names


def test_threads_do_not_change_the_table(detector):
    frames, _ = moving([lambda k: (100 + 3 * k, 100, 70, 0)], 40)
    with detection.load() as single:
        alone = track_faces(iter(frames), [(0, 0, 40)], single.run)
    assert alone.equals(track_faces(iter(frames), [(0, 0, 40)], detector))


@pytest.mark.footage
@pytest.mark.parametrize(
    ("name", "count", "size", "scale"),
    [("seated_woman", 250, (360, 640), 3.0), ("FAzSK8PLmGI", 150, (640, 360), 2.0)],
)
def test_one_person_is_one_track(detector, name, count, size, scale):
    path = SAMPLES / f"{name}.mp4"

    def frames():
        with av.open(str(path)) as media:
            for frame in media.decode(video=0):
                image = frame.to_ndarray(format="bgr24")
                yield cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    table = track_faces(frames(), [(0, 0, count)], detector, scale=scale)
    assert spans(table) == [(0, 0, count)]
    assert table.detected.mean() > 0.9
    assert table.h.min() > 150  # source pixels: both faces are about 200 to 270 px high
    assert table[["x", "y", "w", "h"]].diff().abs().max().max() < 20  # no box jumps in a frame
