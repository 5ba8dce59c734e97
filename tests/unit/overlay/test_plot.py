"""The cursor stands at its frame, and curves where their values are."""

import numpy as np
import pytest

from talkingface.overlay import plot
from talkingface.overlay.plot import LABELS, PAGE, Curve, Lane, Timeline

WIDTH = LABELS + 500
RED = (0, 0, 255)


def strip(timeline, k):
    image = np.zeros((timeline.height, timeline.width, 3), np.uint8)
    timeline.draw(image, k)
    return image


def cursor(image):
    """Columns that are the cursor's from top to bottom of the first lane, but for its dots."""
    lane = image[:40, LABELS:]
    (columns,) = np.where((lane == plot.CURSOR).all(axis=2).mean(axis=0) > 0.6)
    return columns


def red(image):
    return (image[..., 2] > 150) & (image[..., :2].max(axis=2) < 110)


@pytest.mark.parametrize("count", [1, 100, PAGE, PAGE + 1, 3 * PAGE])
def test_the_cursor_goes_through_every_page(count):
    timeline = Timeline([Lane([Curve("", np.full(count, np.nan), RED)], 0, 1)], count, WIDTH)
    pages = -(-count // PAGE)
    length = -(-count // pages)
    for k in {0, count // 2, count - 1, min(count - 1, length), min(count - 1, length - 1)}:
        (column,) = cursor(strip(timeline, k))
        assert abs(column - 500 * (k % length + 0.5) / length) <= 1


def test_a_curve_is_at_its_value_at_its_frame():
    values = np.zeros(100)
    values[40:60] = 1.0
    timeline = Timeline([Lane([Curve("", values, RED)], 0, 1)], 100, WIDTH)
    image = red(strip(timeline, 0))[: timeline.lanes[0].height, LABELS:]
    height = timeline.lanes[0].height
    for k, high in [(20, False), (50, True), (80, False)]:
        (rows,) = np.where(image[:, int((k + 0.5) * 5)])
        assert len(rows) and (rows.max() < height / 4 if high else rows.min() > 3 * height / 4)


def test_where_there_is_no_value_there_is_no_line():
    values = np.ones(100)
    values[40:60] = np.nan
    timeline = Timeline([Lane([Curve("", values, RED)], 0, 2)], 100, WIDTH)
    seen = red(strip(timeline, 50))[: timeline.lanes[0].height, LABELS:].any(axis=0)
    assert seen[: 40 * 5 - 3].mean() > 0.9 and seen[60 * 5 + 3 :].mean() > 0.9
    assert not seen[40 * 5 + 3 : 60 * 5 - 3].any()


def test_a_single_frame_between_gaps_does_no_harm():
    values = np.full(10, np.nan)
    values[3] = 0.5
    timeline = Timeline([Lane([Curve("a", values, RED)], 0, 1)], 10, WIDTH)
    assert red(strip(timeline, 3))[: timeline.lanes[0].height, LABELS:].any()


def test_the_value_at_the_cursor_is_written():
    """The same number gives the same picture of it, another one another."""
    values = np.array([0.25, 0.75, 0.25, np.nan])
    timeline = Timeline([Lane([Curve("lips", values, RED)], 0, 1)], 4, WIDTH)
    numbers = [strip(timeline, k)[:, 60:LABELS].copy() for k in range(4)]
    assert np.array_equal(numbers[0], numbers[2])
    assert (numbers[0] != numbers[1]).any() and (numbers[0] != numbers[3]).any()


def test_only_text():
    timeline = Timeline([Lane([Curve("dB", np.full(9, 0.5), RED, drawn=False)], 0, 1)], 9, WIDTH)
    image = strip(timeline, 4)
    assert not red(image)[:, LABELS:].any() and red(image)[:, :LABELS].any()


def test_spans_and_guides():
    spans = np.zeros(100, bool)
    spans[30:50] = True
    lane = Lane([Curve("", np.full(100, np.nan), RED)], -1, 1, spans=spans, guides=[0])
    image = strip(Timeline([lane], 100, WIDTH), 99)[: lane.height, LABELS:]
    shaded = (image[3] == plot.SPAN).all(axis=1)
    assert shaded[150:250].mean() > 0.95 and not shaded[:150].any() and not shaded[250:].any()
    dotted = (image[: lane.height] == plot.GUIDE).all(axis=2).sum(axis=1)
    assert dotted.argmax() in (lane.height // 2, lane.height // 2 - 1) and dotted.max() >= 90


def test_the_waveform_is_where_the_sound_is():
    samples = np.zeros(100 * 640, np.int16)
    samples[40 * 640 : 60 * 640 : 2], samples[40 * 640 + 1 : 60 * 640 : 2] = 8000, -8000
    lane = Lane([], 0, 1, sound=lambda start, stop: samples[start:stop], peak=8000)
    image = strip(Timeline([lane], 100, WIDTH), 0)[: lane.height, LABELS:]
    tall = (image == plot.WAVE).all(axis=2).sum(axis=0)
    # Seconds are marked through the waveform's ground, not through itself.
    assert (tall[201:299] > 0.8 * lane.height).all()
    assert (tall[2:199] <= 2).all() and (tall[301:] <= 2).all()


def test_a_long_clip_is_read_page_by_page():
    asked = []

    def sound(start, stop):
        asked.append((start, stop))
        return np.zeros(stop - start, np.int16)

    count = 2 * PAGE + 100
    timeline = Timeline([Lane([], 0, 1, sound=sound)], count, WIDTH)
    for k in range(0, count, 10):
        strip(timeline, k)
    length = -(-count // 3)
    assert asked == [(s * 640, min(s + length, count) * 640) for s in range(0, count, length)]
