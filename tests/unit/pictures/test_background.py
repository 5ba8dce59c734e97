"""A known picture behind a moving figure: the plate is the picture wherever it was ever seen."""

import tracemalloc

import cv2
import numpy as np
import pytest

from talkingface.job.tables import read_table
from talkingface.pictures.background import (
    KEPT,
    SEEN,
    fill_nearest,
    make_background,
    make_plate,
)
from talkingface.pictures.numbered import write_numbered
from talkingface.tables import BACKGROUND

SIZE = 120
MARGIN = 5


@pytest.fixture(scope="module")
def behind():
    rng = np.random.default_rng(0)
    small = rng.integers(30, 220, (12, 12, 3), np.uint8)
    return cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def figure(x, y, half=(18, 30)):
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.ellipse(mask, (x, y), half, 0, 0, 360, 17, -1)
    return mask


def swaying(count=40):
    """Labels of a figure that sways about, but always hides the middle."""
    return [figure(60 + round(12 * np.sin(k / 3)), 75 + round(5 * np.cos(k / 5)))
            for k in range(count)]  # fmt: skip


def film(behind, labels, noise=0.0, seed=1):
    rng = np.random.default_rng(seed)
    for mask in labels:
        frame = behind.astype(np.float32)
        frame[mask > 0] = (20, 40, 250)
        frame += rng.normal(0, noise, frame.shape) if noise else 0
        yield np.clip(frame, 0, 255).astype(np.uint8)


def free(mask, margin=MARGIN):
    """Pixels more than `margin` away from the figure, by brute force."""
    y, x = np.nonzero(mask)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    near = np.zeros(mask.shape, bool)
    for a, b in zip(y, x, strict=True):
        near |= (rows - a) ** 2 + (columns - b) ** 2 <= margin**2
    return ~near


def test_the_plate_is_the_picture_where_it_was_seen(behind):
    labels = swaying()
    plate = make_plate(film(behind, labels), labels, margin=MARGIN)
    seen = np.sum([free(mask) for mask in labels[::4]], axis=0) > 0
    assert 0.6 < seen.mean() < 0.99  # some of it never is
    assert np.array_equal(plate.image[plate.known], behind[plate.known])
    # cv2's distance is within a few hundredths of the true one
    assert plate.known[seen].mean() > 0.98
    assert plate.known_share == pytest.approx(plate.known.mean())
    assert plate.residual == 0


def test_never_seen_pixels_get_the_nearest_seen_colour(behind):
    labels = swaying()
    plate = make_plate(film(behind, labels), labels, margin=MARGIN)
    y, x = np.nonzero(plate.known)
    holes = np.argwhere(~plate.known)
    assert len(holes) > 100
    for a, b in holes[::50]:
        away = np.hypot(y - a, x - b)
        # cv2's distance map errs by up to a few percent: any about as near will do
        candidates = behind[y[away <= away.min() * 1.06 + 1], x[away <= away.min() * 1.06 + 1]]
        assert (candidates == plate.image[a, b]).all(axis=1).any()


def test_pixels_near_the_person_are_not_taken(behind):
    """The mask is too small by 4 pixels all around: the figure's rim must not show."""
    true = swaying()
    labels = [
        cv2.erode(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))) for mask in true
    ]
    good = make_plate(film(behind, true), labels, margin=MARGIN)
    assert np.array_equal(good.image[good.known], behind[good.known])
    poor = make_plate(film(behind, true), labels, margin=1)
    assert not np.array_equal(poor.image[poor.known], behind[poor.known])


def test_masks_that_fail_in_some_frames_do_no_harm(behind):
    true = swaying(60)
    labels = [np.zeros_like(mask) if k % 9 == 4 else mask for k, mask in enumerate(true)]
    plate = make_plate(film(behind, true), labels, margin=MARGIN)
    seen_often = np.sum([free(mask) for mask in true[::3]], axis=0) > 12
    assert np.abs(plate.image[seen_often].astype(int) - behind[seen_often]).max() == 0


def test_noise_is_averaged_and_measured(behind):
    labels = swaying(50)
    plate = make_plate(film(behind, labels, noise=4), labels, margin=MARGIN)
    often = np.mean([free(mask) for mask in labels[::5]], axis=0) == 1
    error = plate.image[often].astype(float) - behind[often]
    # the median of nine has 0.41 times the deviation of one
    assert error.std() < 2.2
    # mean absolute deviation of normal noise is 0.8 sigma, a little less from the median itself
    assert 2.4 < plate.residual < 3.4


def test_a_moving_camera_shows_in_the_residual(behind):
    labels = swaying(50)
    frames = [np.roll(frame, k, axis=1) for k, frame in enumerate(film(behind, labels))]
    masks = [np.roll(mask, k, axis=1) for k, mask in enumerate(labels)]
    assert make_plate(frames, masks, margin=MARGIN).residual > 15


def test_kept_frames_are_spread_over_the_clip():
    """The light changes from dark to bright: the plate is neither the first frame nor the last."""
    frames = [np.full((8, 8, 3), k, np.uint8) for k in range(0, 200)]
    plate = make_plate(frames, [np.zeros((8, 8), np.uint8)] * 200, margin=MARGIN)
    assert (plate.image > 60).all() and (plate.image < 140).all()


def test_one_or_two_sightings_are_not_believed(behind):
    hidden = figure(60, 60, (30, 40))
    for sightings in (SEEN - 1, SEEN):
        labels = [hidden] * 20 + [np.zeros_like(hidden)] * sightings
        plate = make_plate(film(behind, labels), labels, margin=MARGIN)
        assert plate.known[60, 60] == (sightings == SEEN)


def test_no_margin(behind):
    labels = swaying()
    plate = make_plate(film(behind, labels), labels, margin=0)
    visible = np.sum([mask == 0 for mask in labels], axis=0) >= SEEN
    assert np.array_equal(plate.known, visible)
    assert np.array_equal(plate.image[visible], behind[visible])


def test_short_clips(behind):
    plate = make_plate([behind], [figure(60, 60)], margin=MARGIN)
    assert plate.known[0, 0] and not plate.known[60, 60]
    assert np.isnan(plate.residual)
    hidden = make_plate([behind], [np.ones((SIZE, SIZE), np.uint8)], margin=MARGIN)
    assert hidden.known_share == 0 and not hidden.image.any() and np.isnan(hidden.residual)


def test_memory_does_not_grow_with_the_clip(behind):
    def peak(count):
        labels = swaying(20)
        tracemalloc.start()
        make_plate(film(behind, (labels[k % 20] for k in range(count))),
                   (labels[k % 20] for k in range(count)), margin=MARGIN)  # fmt: skip
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(120) < 1.05 * peak(KEPT + 3)


def test_bad_input(behind):
    label = figure(60, 60)
    with pytest.raises(ValueError, match="no frames"):
        make_plate([], [], margin=MARGIN)
    with pytest.raises(ValueError):
        make_plate([behind, behind], [label], margin=MARGIN)
    with pytest.raises(ValueError, match="frame 2"):
        make_plate([behind, behind], [label, label[1:]], margin=MARGIN)
    with pytest.raises(ValueError, match="margin"):
        make_plate([behind], [label], margin=-1)


def test_fill_nearest():
    image = np.zeros((1, 7, 3), np.uint8)
    image[0, 1], image[0, 6] = 10, 60
    known = np.array([[False, True, False, False, False, False, True]])
    filled = fill_nearest(image, known)[0, :, 0]
    assert filled.tolist() == [10, 10, 10, 10, 60, 60, 60]


def test_the_stage_makes_a_plate_of_every_clip(two_clips, tmp_path):
    """Somebody stands on the left in all frames; of three greys the median is the middle one."""
    label = np.zeros((16, 32), np.uint8)
    label[:, :4] = 17
    for clip in two_clips:
        write_numbered([label] * clip.n_frames, tmp_path / "parsing" / clip.clip_id)
    folder, manifest = tmp_path / "background/v", tmp_path / "background/v.csv"
    make_background(two_clips, tmp_path / "parsing", folder, manifest, margin=4)
    assert sorted(path.name for path in folder.iterdir()) == ["long.png", "short.png"]
    middle = list(two_clips[1].frames())[1]
    assert (cv2.imread(str(folder / "short.png"))[:, 8:] == middle[:, 8:]).all()
    table = read_table(manifest, BACKGROUND)
    assert table["clip_id"].tolist() == ["long", "short"]
    assert table["known_share"].tolist() == [0.75, 0.75]  # more than 4 pixels away: 24 of 32
    assert table["residual"][1] == pytest.approx(20 / 3, abs=1.5)  # 10, 0 and 10 levels off
