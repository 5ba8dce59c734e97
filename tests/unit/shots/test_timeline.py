"""Sizes that change, gaps and clocks that jump, in films whose every frame and beep is known."""

from fractions import Fraction
from itertools import pairwise
from time import process_time

import av
import numpy as np
import pytest
import soundfile

from helpers.synthetic import (
    Film,
    Sound,
    beep_starts,
    has_flash,
    make_film,
    pieces_film,
    read_number,
)
from talkingface.media.limits import MediaSettings
from talkingface.media.video import ShownFrame
from talkingface.shots.proxy import encode_proxy, proxy_frames
from talkingface.shots.timeline import Timeline


def copy_of(path, folder, long_side=320):
    proxy = encode_proxy(path, folder / "proxy.mp4", folder / "proxy.wav", long_side=long_side)
    assert proxy.status == "ok", proxy.reason
    images = list(proxy_frames(folder / "proxy.mp4"))
    samples, _ = soundfile.read(folder / "proxy.wav")
    assert len(images) == proxy.n_frames and len(samples) == 640 * proxy.n_frames
    return proxy, images, samples


def flash_starts(images):
    lit = [has_flash(image) for image in images]
    return [k / 25 for k in range(1, len(lit)) if lit[k] and not lit[k - 1]]


@pytest.mark.parametrize(
    "starts",
    [[0, 0], [10_000, 0], [0, 14], [100, 5000, 102], [1, 3.2, 1]],
    ids=["anew", "back", "12 s missing", "two seconds far off", "disorder and anew"],
)
def test_sound_and_picture_stay_together_where_the_clock_jumps(tmp_path, starts):
    proxy, images, samples = copy_of(pieces_film(tmp_path, starts), tmp_path)
    jumps = [b - a - 2 for a, b in pairwise(starts)]
    held = [max(0, round(jump * 25)) if jump <= 10 else 0 for jump in jumps]
    begins = np.cumsum([0, *(50 + frames for frames in held)])
    numbers = [read_number(image) for image in images]
    for begin in begins:
        assert numbers[begin : begin + 50] == list(range(50))
    truth = [float(begin / 25 + 1) for begin in begins]
    assert flash_starts(images) == pytest.approx(truth)
    assert beep_starts(samples, 16_000) == pytest.approx(truth, abs=0.003)
    jumped = [begin for begin, jump in zip(begins[1:], jumps, strict=True) if not 0 <= jump <= 10]
    assert [gap.start for gap in proxy.gaps if gap.reason == "clock_jump"] == jumped
    assert list(proxy.cuts) == jumped
    assert len(proxy.reading.clock) == 1 + len(jumped)


@pytest.mark.parametrize("silent", [0, 1])
def test_sound_stays_with_its_pictures_where_a_piece_has_none(tmp_path, silent):
    # Three recordings with the same timestamps: only their order in the file tells them apart.
    sounds = [None if i == silent else Sound(start=Fraction(1)) for i in range(3)]
    films = [
        Film(".ts", seconds=3, start=Fraction(1), flashes=(flash,), sound=sound)
        for flash, sound in zip((0.5, 1, 2), sounds, strict=True)
    ]
    parts = [make_film(tmp_path, film, f"piece{i}") for i, film in enumerate(films)]
    path = tmp_path / "pieces.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    _, images, samples = copy_of(path, tmp_path)
    truth = [0.5, 4, 8]
    assert flash_starts(images) == pytest.approx(truth, abs=0.03)
    del truth[silent]
    assert beep_starts(samples, 16_000) == pytest.approx(truth, abs=0.03)


def test_what_stands_still_is_a_gap(tmp_path):
    times = [*(Fraction(k, 25) for k in range(50)), *(Fraction(k, 25) for k in range(90, 150))]
    film = Film(times=(*times, Fraction(160, 25), Fraction(170, 25)), flashes=(), sound=Sound())
    proxy, images, _ = copy_of(make_film(tmp_path, film), tmp_path)
    assert [read_number(image) for image in images[45:95]] == [
        *range(45, 50), *[49] * 40, *range(50, 55),
    ]  # fmt: skip
    # A third of a second more or less for a picture is usual.
    (gap,) = proxy.gaps
    assert (gap.start, gap.end, gap.reason, gap.seconds) == (50, 90, "gap", 1.6)


def test_few_pictures_a_second_are_one_gap(tmp_path):
    film = Film(times=tuple(Fraction(k) for k in range(8)), flashes=())
    proxy, _, _ = copy_of(make_film(tmp_path, film), tmp_path)
    (gap,) = proxy.gaps
    assert gap.start == 1 and gap.end >= 175


def test_a_tiny_file_cannot_ask_for_hours(tmp_path):
    film = Film(".mkv", times=tuple(Fraction(599 * k) for k in range(60)), flashes=(), sound=None)
    sound = Sound(start=Fraction(0), seconds=2)
    path = make_film(tmp_path, Film(**vars(film) | {"sound": sound}))
    files = (path, tmp_path / "proxy.mp4", tmp_path / "proxy.wav")
    proxy = encode_proxy(*files, long_side=320)
    assert proxy.n_frames < 60 * 11 * 25 and len(proxy.gaps) >= 59
    lengths = MediaSettings(max_duration=1.0), MediaSettings(max_duration=1e6, max_gaps=0.9)
    few = Film(times=tuple(Fraction(k) for k in range(4)), flashes=())
    for settings, limit in zip(lengths, (1.0, 0.9), strict=True):
        files = (make_film(tmp_path, few, "few"), *files[1:])
        proxy = encode_proxy(*files, long_side=320, settings=settings)
        assert (proxy.status, proxy.threshold) == ("too_demanding", limit)
        assert limit < proxy.value < limit + 2
        assert "media.max_" in proxy.reason
    assert encode_proxy(*files, long_side=320, settings=MediaSettings(None, None)).status == "ok"


@pytest.mark.parametrize("sizes", [((320, 180), (160, 90)), ((160, 90), (640, 360))])
def test_pictures_of_other_sizes_keep_their_shape_and_what_is_sharp(tmp_path, sizes):
    first, second = sizes
    path = pieces_film(tmp_path, [1, 3], size=second)
    if first != (320, 180):
        path = tmp_path / "pieces.ts"
        films = [
            Film(".ts", seconds=2, size=size, start=Fraction(start), flashes=(1,))
            for size, start in zip(sizes, (1, 3), strict=True)
        ]
        films = [Film(**vars(film) | {"sound": Sound(start=film.start)}) for film in films]
        parts = [make_film(tmp_path, film, f"f{i}") for i, film in enumerate(films)]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    proxy, images, _ = copy_of(path, tmp_path)
    assert [proxy.size_at(k) for k in (0, 49, 50, 99)] == [first, first, second, second]
    assert proxy.proxy_size == (320, 180) and list(proxy.cuts) == [50]
    for k, image in enumerate(images):
        picture = proxy.size_at(k)
        width, height = (round(side / proxy.scale_at(k)) for side in picture)
        assert (width, height) == (min(picture[0], 320), min(picture[1], 180))
        assert read_number(image[:height, :width]) == k % 50
        beside = image[:, width:].max(initial=0), image[height:].max(initial=0)
        assert max(beside) < 40


def test_a_size_that_always_changes_costs_no_more_each_time():
    frames = [av.VideoFrame(width, 180, "yuv420p") for width in (320, 640)]
    timeline = Timeline(320)
    begun = process_time()
    for k in range(20_000):
        timeline.add(ShownFrame(frames[k % 2], k, k + 1, timestamp=Fraction(k, 25)))
        assert timeline.proxy_size == (320, 180)
        assert process_time() - begun < 10
    assert len(timeline.pictures) == 20_000 and timeline.proxy_size == (320, 180)


def test_another_shape_of_pixels_is_another_shot(tmp_path):
    proxy, images, _ = copy_of(pieces_film(tmp_path, [1, 3], aspect=Fraction(4, 3)), tmp_path)
    assert proxy.n_frames == 100 and {image.shape for image in images} == {(180, 320, 3)}
    wide = pieces_film(tmp_path, [1, 3], size=(240, 180), aspect=Fraction(3, 4))
    proxy, _, _ = copy_of(wide, tmp_path)
    assert [proxy.size_at(k) for k in (49, 50)] == [(320, 180), (240, 180)]
    assert list(proxy.cuts) == [50]


def test_the_end_that_matroska_states_is_no_length(tmp_path):
    film = Film(".mkv", seconds=4, start=Fraction(5, 2), flashes=(1, 3), sound=Sound(seconds=6.5))
    proxy, images, samples = copy_of(make_film(tmp_path, film), tmp_path)
    assert proxy.n_frames == 100
    assert beep_starts(samples, 16_000) == pytest.approx(flash_starts(images), abs=0.003)
