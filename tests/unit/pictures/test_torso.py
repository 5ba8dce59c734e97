"""A drawn person: what is neck and cloth stays, what is head goes, and the neck is carried on."""

import cv2
import numpy as np
import pytest

from talkingface.job.tables import read_table
from talkingface.pictures.numbered import write_numbered
from talkingface.pictures.parsing.labels import BACKGROUND, CLOTH, HAIR, NECK, NECK_L, SKIN
from talkingface.pictures.torso import cut_torso, cut_torsos, make_torso
from talkingface.tables import TORSO

SIZE = 200
BLUE, RED, BROWN, GREEN, GREY = (200, 80, 0), (30, 30, 220), (20, 40, 60), (60, 160, 60), (99,) * 3
CHIN, SHOULDERS = 120, 150  # rows
FACE_TOP = 40
HEIGHT = CHIN - FACE_TOP + 1
REACH = 0.15


@pytest.fixture
def person():
    """Frame and labels. The face's lower edge is flat: rows up to CHIN are face."""
    labels = np.zeros((SIZE, SIZE), np.uint8)
    labels[SHOULDERS:, 30:170] = CLOTH
    labels[CHIN + 1 : SHOULDERS, 80:120] = NECK
    labels[20 : CHIN + 1, 55:145] = HAIR
    labels[FACE_TOP : CHIN + 1, 70:130] = SKIN
    colours = {BACKGROUND: BLUE, SKIN: RED, HAIR: BROWN, NECK: GREEN, CLOTH: GREY}
    frame = np.zeros((SIZE, SIZE, 3), np.uint8)
    for label, colour in colours.items():
        frame[labels == label] = colour
    return frame, labels


def test_the_torso_is_kept_and_the_rest_goes(person):
    frame, labels = person
    cut = cut_torso(frame, labels, reach=0)
    torso = np.isin(labels, (NECK, CLOTH))
    assert cut.shape == (SIZE, SIZE, 4) and cut.dtype == np.uint8
    assert np.array_equal(cut[..., 3] == 255, torso) and set(np.unique(cut[..., 3])) == {0, 255}
    assert np.array_equal(cut[torso, :3], frame[torso])
    assert not cut[~torso].any()


def test_the_neck_is_carried_on_under_the_head(person):
    frame, labels = person
    cut = cut_torso(frame, labels, reach=0.2)
    reach = int(0.2 * HEIGHT)
    added = (cut[..., 3] == 255) & ~np.isin(labels, (NECK, CLOTH))
    rows, columns = np.nonzero(added)
    assert (rows.min(), rows.max()) == (CHIN - reach + 1, CHIN)
    assert (columns.min(), columns.max()) == (80, 119)
    assert added[CHIN - reach + 1 : CHIN + 1, 80:120].all()
    assert np.abs(cut[added, :3].astype(int) - GREEN).max() <= 1


def test_the_edges_mixed_colours_are_not_carried_on(person):
    """Blurred, the neck's upper rows hold red of the face; in the torso they are neck."""
    frame, labels = person
    blurred = cv2.GaussianBlur(frame, (0, 0), 1.0)
    assert np.abs(blurred[CHIN + 1, 85:115].astype(int) - GREEN).max() > 30
    cut = cut_torso(blurred, labels, reach=0.2)
    assert np.abs(cut[CHIN - 10 : CHIN + 2, 85:115, :3].astype(int) - GREEN).max() < 8
    # well below the edge nothing is touched
    assert np.array_equal(cut[CHIN + 8 :, 80:120, :3], blurred[CHIN + 8 :, 80:120])


def test_hair_beside_the_face_and_background_are_not_filled(person):
    frame, labels = person
    cut = cut_torso(frame, labels, reach=0.3)
    assert not cut[: SHOULDERS - 1, 30:70, 3].any()  # background lies between hair and shoulder
    assert not cut[: SHOULDERS - 1, 130:, 3].any()
    # hair that hangs down to the shoulder: cloth is carried on, but less than the neck
    labels[CHIN + 1 : SHOULDERS, 56:70] = HAIR
    frame[CHIN + 1 : SHOULDERS, 56:70] = BROWN
    cut = cut_torso(frame, labels, reach=0.3)
    height = (cut[:SHOULDERS, 60, 3] == 255).sum()
    assert 0 < height < 0.08 * HEIGHT
    assert np.abs(cut[SHOULDERS - 2, 60, :3].astype(int) - 99).max() <= 1


def test_colours_of_cloth_and_neck_do_not_mix(person):
    """A white collar meets the face beside the neck."""
    frame, labels = person
    labels[CHIN + 1 : SHOULDERS, 70:80] = CLOTH
    frame[CHIN + 1 : SHOULDERS, 70:80] = 250
    cut = cut_torso(frame, labels, reach=0.2)
    assert np.abs(cut[CHIN - 10 : CHIN + 1, 80:120, :3].astype(int) - GREEN).max() <= 1
    assert cut[CHIN - 1, 71:79, :3].min() > 240


def test_a_necklace_is_torso(person):
    frame, labels = person
    labels[140:143, 80:120] = NECK_L
    assert (cut_torso(frame, labels, reach=REACH)[140:143, 80:120, 3] == 255).all()


def test_without_a_face_nothing_is_carried_on(person):
    frame, labels = person
    labels[labels > 0] = CLOTH
    cut = cut_torso(frame, labels, reach=REACH)
    assert np.array_equal(cut[..., 3] == 255, labels > 0)
    assert not cut_torso(frame, np.zeros_like(labels), reach=REACH).any()


def test_a_chin_at_the_lower_edge(person):
    """Hardly any neck to take colours from."""
    frame, labels = person
    for rows in (0, 1, 2):
        part = np.s_[: CHIN + 1 + rows]
        cut = cut_torso(frame[part], labels[part], reach=0.2)
        assert cut.shape == (CHIN + 1 + rows, SIZE, 4)
        if rows:
            added = (cut[..., 3] == 255) & (labels[part] == SKIN)
            assert added.any() and np.abs(cut[added, :3].astype(int) - GREEN).max() <= 1


def test_the_input_is_not_changed(person):
    frame, labels = person
    before = frame.copy(), labels.copy()
    cut_torso(frame, labels, reach=REACH)
    assert np.array_equal(frame, before[0]) and np.array_equal(labels, before[1])


def test_one_torso_a_frame(person):
    frame, labels = person
    moved = [np.roll(frame, 5 * k, axis=1) for k in range(4)]
    masks = [np.roll(labels, 5 * k, axis=1) for k in range(4)]
    torsos = list(cut_torsos(moved, masks, reach=REACH))
    assert len(torsos) == 4
    for k, torso in enumerate(torsos):
        assert np.array_equal(np.roll(torso, -5 * k, axis=1)[..., 3], torsos[0][..., 3])
    with pytest.raises(ValueError):
        list(cut_torsos(moved, masks[:3], reach=REACH))


def test_the_stage_cuts_every_frame_of_every_clip(two_clips, tmp_path):
    """In frame k the lowest k rows are neck, and the 4 above it face: half of them is filled."""
    for clip in two_clips:
        labels = np.zeros((clip.n_frames, clip.height, clip.width), np.uint8)
        for k in range(clip.n_frames):
            labels[k, clip.height - k - 4 : clip.height - k] = SKIN
            labels[k, clip.height - k :] = NECK
        write_numbered(labels, tmp_path / "parsing" / clip.clip_id)
    folder, manifest = tmp_path / "torso/v", tmp_path / "torso/v.csv"
    make_torso(two_clips, tmp_path / "parsing", folder, manifest, reach=0.5, threads=2)
    for clip in two_clips:
        for k, frame in enumerate(clip.frames()):
            path = folder / clip.clip_id / f"{k + 1:06d}.png"
            torso = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            rows = k + 2 if k else 0  # without a neck there is nothing to carry on
            opaque = np.arange(clip.height)[:, None] >= clip.height - rows
            assert ((torso[..., 3] == 255) == opaque).all()
            colours = torso[clip.height - rows :, :, :3].astype(int)
            assert np.abs(colours - frame[clip.height - rows :]).max(initial=0) <= 1
    assert read_table(manifest, TORSO).tolist() == [("long", 10), ("short", 3)]
