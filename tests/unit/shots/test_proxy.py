from fractions import Fraction

import numpy as np
import pytest
import soundfile

from helpers.synthetic import (
    FILMS,
    MATRICES,
    PATCH,
    Film,
    beep_starts,
    make_film,
    patch_film,
    read_number,
    shown_at,
)
from talkingface.media.reading import Reading, Section
from talkingface.shots.encoding import shrink
from talkingface.shots.proxy import (
    Proxy,
    encode_proxy,
    forget_demanding,
    make_proxy,
    proxy_frames,
    read_proxy,
    write_nothing,
    write_proxy,
)
from talkingface.shots.timeline import Gap, Picture, fitted_size


def proxy_of(path, folder, long_side=640):
    return encode_proxy(path, folder / "proxy.mp4", folder / "proxy.wav", long_side=long_side)


@pytest.mark.parametrize("name", FILMS)
def test_frame_k_of_the_copy_is_grid_frame_k(film_path, tmp_path, name):
    film = FILMS[name]
    proxy = proxy_of(film_path(name), tmp_path, long_side=160)
    assert (proxy.status, proxy.reason, proxy.size_at(0)) == ("ok", None, film.size)
    assert max(proxy.proxy_size) == 160
    images = list(proxy_frames(tmp_path / "proxy.mp4"))
    assert [read_number(image) for image in images] == [
        shown_at(film, k) for k in range(proxy.n_frames)
    ]
    assert {image.shape for image in images} == {(*proxy.proxy_size[::-1], 3)}
    samples, rate = soundfile.read(tmp_path / "proxy.wav")
    assert (rate, samples.shape) == (16_000, (640 * proxy.n_frames,))
    truth = [float(t) for t in film.flash_times if name != "short-sound" or t < 3.8]
    assert beep_starts(samples, 16_000) == pytest.approx(truth, abs=0.003)


@pytest.mark.parametrize(
    ("size", "long_side", "expected"),
    [
        ((1920, 1080), 640, (640, 360)),
        ((1080, 1920), 640, (360, 640)),
        ((320, 180), 640, (320, 180)),
        ((321, 241), 640, (320, 240)),
        ((1280, 3), 640, (640, 2)),
    ],
)
def test_sizes(size, long_side, expected):
    assert fitted_size(*size, long_side) == expected


SIZES = (Picture(0, 320, 180, 320, 180), Picture(50, 1920, 1080, 640, 360))


def test_size_and_scale_are_those_of_the_picture_then():
    proxy = Proxy("ok", None, 100, SIZES, (640, 360))
    assert [proxy.size_at(k) for k in (0, 49, 50, 99)] == [(320, 180)] * 2 + [(1920, 1080)] * 2
    assert [proxy.scale_at(k) for k in (0, 49, 50, 99)] == [1, 1, 3, 3]
    assert Proxy("broken").scale_at(0) == 1 and Proxy("broken").size_at(0) == (0, 0)


def test_a_record_is_read_as_it_was_written(tmp_path):
    known = Proxy(
        "ok", None, 100, SIZES, (640, 360), (50,), (Gap(60, 90, "gap", 1.2, 0.5, "still"),),
        Reading(1, 2, True, (Section(Fraction(1, 4), Fraction(5), Fraction(-1, 4)),)),
    )  # fmt: skip
    demanding = Proxy("too_demanding", "too large", value=9e9, threshold=1e8)
    for proxy in (known, demanding, Proxy("broken", "no frame")):
        write_proxy(proxy, tmp_path / "proxy.json")
        assert read_proxy(tmp_path / "proxy.json") == proxy


def test_the_copy_of_a_video_and_its_record(film_path, tmp_path):
    paths = [tmp_path / name for name in ("proxy.mp4", "proxy.wav", "proxy.json")]
    (tmp_path / "media.json").write_text('{"status": "ok"}')
    make_proxy(film_path("25"), tmp_path / "media.json", *paths, long_side=160)
    proxy = read_proxy(paths[2])
    assert proxy.status == "ok" and proxy.n_frames > 0 and max(proxy.proxy_size) == 160
    assert len(list(proxy_frames(paths[0]))) == proxy.n_frames
    assert soundfile.info(paths[1]).frames == 640 * proxy.n_frames


def test_a_video_that_could_not_be_had_has_an_empty_copy(tmp_path):
    paths = [tmp_path / name for name in ("proxy.mp4", "proxy.wav", "proxy.json")]
    (tmp_path / "media").write_bytes(b"")
    (tmp_path / "media.json").write_text('{"status": "unavailable"}')
    make_proxy(tmp_path / "media", tmp_path / "media.json", *paths, long_side=640)
    check_nothing(read_proxy(paths[2]), "no_media", tmp_path)


def test_what_claimed_too_much_is_tried_again(tmp_path):
    for name, status in (("a", "too_demanding"), ("b", "broken"), ("c", "ok")):
        write_proxy(Proxy(status), tmp_path / f"{name}.json")
        (tmp_path / f"{name}.csv").touch()
    records, ledgers = ([tmp_path / f"{n}.{end}" for n in "abcd"] for end in ("json", "csv"))
    assert forget_demanding(records, ledgers) == ["a"]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["b.csv", "b.json", "c.csv", "c.json"]


def check_nothing(proxy, status, folder):
    assert proxy.status == status and proxy.reason and proxy.n_frames == 0
    assert (folder / "proxy.mp4").read_bytes() == (folder / "proxy.wav").read_bytes() == b""
    assert list(proxy_frames(folder / "proxy.mp4")) == []


def test_without_sound(tmp_path):
    path = make_film(tmp_path, Film(seconds=1, flashes=(), sound=None))
    check_nothing(proxy_of(path, tmp_path), "no_audio", tmp_path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_file_cut_off_is_used_as_far_as_it_goes(tmp_path, suffix):
    movflags = "faststart" if suffix == ".mp4" else ""
    path = make_film(tmp_path, Film(suffix=suffix, movflags=movflags))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    proxy = proxy_of(path, tmp_path)
    images = [read_number(image) for image in proxy_frames(tmp_path / "proxy.mp4")]
    assert proxy.status == "ok" and 30 < proxy.n_frames < 120
    assert images == list(range(proxy.n_frames))
    (gap,) = proxy.gaps
    assert (gap.start, gap.end, gap.reason) == (proxy.n_frames, proxy.n_frames, "truncated")
    assert gap.seconds == pytest.approx(6 - proxy.n_frames / 25, abs=0.05) and gap.threshold == 1
    assert "s of 6.0 s could be decoded" in gap.detail


def test_broken_files(tmp_path):
    path = make_film(tmp_path, Film(seconds=1, flashes=()))
    whole = path.read_bytes()
    start, stop = whole.index(b"mdat") + 4, whole.index(b"moov") - 4
    for content in (
        b"",
        b"no video" * 1000,
        whole[:500],
        whole[:start] + bytes(stop - start) + whole[stop:],
    ):
        path.write_bytes(content)
        check_nothing(proxy_of(path, tmp_path), "broken", tmp_path)


def test_a_full_disk_is_an_error(film_path, tmp_path):
    (tmp_path / "proxy.mp4").symlink_to("/dev/full")
    with pytest.raises(OSError):
        proxy_of(film_path("25"), tmp_path)


def test_stand_ins(tmp_path):
    write_nothing(tmp_path / "proxy.mp4", tmp_path / "proxy.wav")
    assert list(proxy_frames(tmp_path / "proxy.mp4")) == []


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_colours_survive(tmp_path, matrix, full):
    path = patch_film(tmp_path / "patch.mp4", matrix, full)
    assert proxy_of(path, tmp_path).n_frames == 5
    for image in proxy_frames(tmp_path / "proxy.mp4"):
        assert np.abs(image[32, 48].astype(int) - PATCH).max() <= 5


@pytest.mark.parametrize("size", [(36, 64), (20, 30), (100, 50), (64, 64), (63, 61)])
def test_shrinking_passes_no_pixel_over_and_moves_nothing(size):
    rng = np.random.default_rng(0)
    width, height = size
    # Fine stripes, which a sampling of single points would turn into black or white.
    stripes = np.tile(np.array([0, 255], np.uint8), (200, 100))
    small = shrink(stripes, width, height)
    assert small.shape == (height, width)
    assert abs(small.astype(float).mean() - 127.5) < 8
    # A soft spot stays where it is.
    x, y = rng.uniform(0.3, 0.7, 2)
    columns, rows = np.meshgrid((np.arange(200) + 0.5) / 200, (np.arange(200) + 0.5) / 200)
    spot = (255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 0.02)).astype(np.uint8)
    small = shrink(spot, width, height).astype(float)
    columns, rows = np.meshgrid(
        (np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height
    )
    assert (small * columns).sum() / small.sum() == pytest.approx(x, abs=0.01)
    assert (small * rows).sum() / small.sum() == pytest.approx(y, abs=0.01)
