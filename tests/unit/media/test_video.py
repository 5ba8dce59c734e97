"""Which frame is on screen when is computed from exact times; pictures carry their numbers."""

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from helpers.synthetic import (
    FILMS,
    MATRICES,
    NTSC,
    PATCH,
    Film,
    Sound,
    joined_film,
    make_film,
    patch_film,
    patch_yuv,
    pieces_film,
    read_number,
    shown_at,
    write_film,
)
from talkingface.media import clock, decoding, video
from talkingface.media.clock import BrokenClock
from talkingface.media.decoding import open_video
from talkingface.media.video import (
    bgr_frames,
    first_timestamp,
    limited_yuv420p,
    plane_array,
    shown_frames,
)

LONG = {
    "mp4-open-gop": Film(seconds=14, options={"x264-params": "keyint=60:open-gop=1:bframes=5"}),
    "mp4-one-keyframe": Film(seconds=14, options={"g": "1000"}),
    "mkv": Film(suffix=".mkv", fps=NTSC, seconds=14, options={"g": "60"}),
    "ts": Film(suffix=".ts", fps=NTSC, seconds=14, options={"g": "60"}, start=Fraction(2)),
    "late-mp4": Film(seconds=14, start=Fraction(2), options={"g": "60"}),
    "avi": Film(suffix=".avi", seconds=14, options={"g": "60"}, sound=None),
    "webm": replace(FILMS["webm"], seconds=14, options=FILMS["webm"].options | {"g": "60"}),
    "hevc-open-gop": Film(
        seconds=14,
        codec="libx265",
        options={"preset": "ultrafast", "x265-params": "log-level=none:keyint=50:open-gop=1"},
    ),
    "mpeg2-ts": Film(suffix=".ts", seconds=14, codec="mpeg2video", options={"g": "50", "bf": "2"}),
}


def numbers(path, stretches=None, **options):
    return {k: read_number(image) for k, image in bgr_frames(path, stretches, **options)}


def planes(path, stretches):
    """Bytes of the decoded planes at every grid frame inside the stretches."""
    inside = {k for start, end in stretches for k in range(start, end)}
    shown = {}
    for one in shown_frames(path, stretches):
        content = b"".join(plane_array(plane).tobytes() for plane in one.frame.planes)
        shown |= {k: content for k in range(one.start, one.end) if k in inside}
    return shown


@pytest.mark.parametrize("name", FILMS)
def test_every_grid_frame_shows_what_is_on_screen(film_path, name):
    film = FILMS[name]
    end = film.stored_times[-1] + (Fraction(1, 27) if film.times else 1 / film.fps)
    seen = numbers(film_path(name))
    assert seen == {k: shown_at(film, k) for k in range(len(seen))}
    # Up to the end of the last frame, whose duration not every container keeps.
    assert abs(len(seen) - float(end * 25)) <= 1
    if film.times is None:
        assert len(seen) == -int(-(end - Fraction(2, 1000)) * 25 // 1)


@pytest.mark.parametrize("name", ["turned-90", "turned-180", "turned-270", "turned-narrow-pixels"])
def test_pictures_are_turned_as_ffmpeg_turns_them(film_path, name, tmp_path):
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    still = str(tmp_path / "still.png")
    width, height = FILMS[name].size
    scaled = f"scale={width}:{height}"  # after autorotation
    command = [ffmpeg, "-v", "error", "-i", str(film_path(name)), "-vf", scaled, "-frames:v", "1"]
    subprocess.run([*command, still], check=True)
    theirs = cv2.imread(still)
    _, ours = next(bgr_frames(film_path(name)))
    assert ours.shape == theirs.shape == (height, width, 3)
    assert np.abs(ours.astype(int) - theirs).mean() < 4


def test_display_coordinates_lead_to_the_coded_pixel(film_path):
    for name in ("25", "turned-90", "turned-180", "turned-270", "turned-narrow-pixels"):
        shown = next(shown_frames(film_path(name)))
        assert shown.display_size == FILMS[name].size
        coded, upright = shown.frame.to_ndarray(format="gray"), shown.upright_bgr()[:, :, 0]
        rng = np.random.default_rng(0)
        for x, y in rng.uniform((4, 4), np.array(FILMS[name].size) - 4, (50, 2)):
            across, down = shown.display_to_coded() @ (x, y, 1)
            around = coded[int(down) - 2 : int(down) + 3, int(across) - 2 : int(across) + 3]
            assert around.min() - 9 <= upright[int(y), int(x)] <= around.max() + 9


@pytest.mark.parametrize("name", LONG)
def test_seeking_gives_the_frames_that_reading_gives(tmp_path, monkeypatch, name):
    path = make_film(tmp_path, LONG[name])
    stretches = [(3, 6), (125, 131), (200, 205), (230, 236), (330, 349)]
    monkeypatch.setattr(video, "SEEK_GAP", 10**6)
    whole = planes(path, stretches)
    monkeypatch.setattr(video, "SEEK_GAP", 1)
    assert planes(path, stretches) == whole
    assert len(whole) == sum(end - start for start, end in stretches)
    assert numbers(path, [(330, 335)]) == {k: shown_at(LONG[name], k) for k in range(330, 335)}


def test_a_long_gap_is_not_read(tmp_path, monkeypatch):
    path = make_film(tmp_path, LONG["mp4-open-gop"])
    monkeypatch.setattr(video, "SEEK_GAP", 1)
    packets = []
    decode = decoding._Packets.decode
    counted = lambda self, packet: packets.append(packet) or decode(self, packet)  # noqa: E731
    monkeypatch.setattr(decoding._Packets, "decode", counted)
    assert list(numbers(path, [(300, 302)])) == [300, 301]
    assert len(packets) < 200


def test_stretches_may_overlap_and_come_in_any_order(film_path):
    seen = numbers(film_path("25"), [(60, 70), (10, 20), (15, 30)])
    assert set(seen) >= {*range(10, 30), *range(60, 70)}
    assert all(k == number for k, number in seen.items())
    assert numbers(film_path("25"), []) == {}
    assert numbers(film_path("25"), [(148, 200)]) == {148: 148, 149: 149}


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_a_damaged_packet_shifts_nothing(tmp_path, suffix, threads):
    film = Film(suffix=suffix, options={"g": "25"})
    path = make_film(tmp_path, film)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    times = sorted(packets, key=lambda p: p.pts)
    lost = {i for i, p in enumerate(times) if p in (packets[60], packets[144])}
    content = bytearray(path.read_bytes())
    for packet in (packets[60], packets[144]):
        size = min(packet.size, 150)
        content[packet.pos + 8 : packet.pos + size] = bytes(size - 8)
    path.write_bytes(content)
    seen = numbers(path, threads=threads)
    assert sorted(seen) == list(range(150))
    # Until the next keyframe pictures may be spoilt; from there on everything is in its place.
    spoilt = {k for k in seen for i in lost if i - 5 <= k < (i // 25 + 1) * 25}
    assert {k: n for k, n in seen.items() if k not in spoilt} == {
        k: k for k in seen if k not in spoilt
    }
    assert len(spoilt) < 50


def test_a_file_cut_off_gives_all_it_has_with_any_number_of_threads(tmp_path):
    path = make_film(tmp_path, Film(movflags="faststart"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    seen = [numbers(path, threads=threads) for threads in (1, 2, 8)]
    assert seen[0] == seen[1] == seen[2]
    assert 60 < len(seen[0]) < 140
    assert all(k == number for k, number in seen[0].items())


def test_a_stream_that_begins_in_the_middle_of_a_group(tmp_path):
    """Time 0 is the first frame that can be shown, with any number of threads."""
    whole = make_film(tmp_path, Film(suffix=".ts", options={"g": "40"}, sound=None))
    with av.open(str(whole)) as container:
        cut = next(p for p in container.demux(video=0) if p.pts and p.pos > 0 and p.dts > 130_000)
    path = tmp_path / "cut.ts"
    path.write_bytes(whole.read_bytes()[cut.pos :])
    seen = [numbers(path, threads=threads) for threads in (1, 2, 8)]
    assert seen[0] == seen[1] == seen[2] == {k: k + seen[0][0] for k in seen[0]}
    assert seen[0][0] > 30 and len(seen[0]) > 60
    assert first_timestamp(path) == first_timestamp(whole) + Fraction(seen[0][0], 25)


def test_a_part_cut_out_without_encoding(tmp_path):
    """An edit list hides the pictures between the last keyframe and the cut."""
    path = make_film(tmp_path, Film(options={"g": "100"}))
    part = tmp_path / "part.mp4"
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    command = [ffmpeg, "-v", "error", "-ss", "1.6", "-i", str(path), "-c", "copy", str(part)]
    subprocess.run(command, check=True)
    seen = numbers(part)
    assert seen == {k: k + 40 for k in range(110)}


def test_few_frames(tmp_path):
    for count in (1, 3):
        path = make_film(tmp_path, Film(seconds=count / 25, flashes=(), sound=None), f"{count}")
        assert numbers(path) == {k: k for k in range(count)}
    slow = Film(times=(Fraction(0), Fraction(1)), flashes=(), sound=None)
    assert list(numbers(make_film(tmp_path, slow)).values())[:26] == [0] * 25 + [1]


def test_a_raw_stream_is_counted(tmp_path, monkeypatch):
    path = make_film(tmp_path, Film(suffix=".h264", seconds=4, flashes=(), sound=None))
    assert numbers(path) == {k: k for k in range(100)}
    monkeypatch.setattr(video, "SEEK_GAP", 1)
    assert numbers(path, [(60, 64)]) == {k: k for k in range(60, 64)}


@pytest.mark.parametrize("jump", [7200, 11, -1, -7200])
def test_after_a_jump_of_the_clock_the_next_frame_follows_at_once(tmp_path, jump):
    path = joined_film(tmp_path, start=10_000, jump=jump)
    assert numbers(path) == {k: k % 50 for k in range(100)}
    shifts = {shown.shift for shown in shown_frames(path)}
    assert len(shifts) == 2


def test_a_picture_that_stays_for_seconds_is_no_jump(tmp_path):
    seen = numbers(joined_film(tmp_path, jump=9))
    assert seen == {k: k if k < 50 else 49 if k < 275 else k - 275 for k in range(325)}


def test_a_clock_that_jumps_all_the_time_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "MAX_JUMPS", 2)
    assert len(numbers(pieces_film(tmp_path, [0, 0, 0], seconds=0.8))) == 60
    with pytest.raises(BrokenClock, match="more than 2 times"):
        numbers(pieces_film(tmp_path, [0, 0, 0, 0], seconds=0.8))


def test_every_frame_has_the_size_and_shape_it_has_in_the_file(tmp_path):
    path = joined_film(tmp_path, size=(160, 90))
    images = dict(bgr_frames(path))
    assert {k: image.shape[:2] for k, image in images.items()} == {
        k: (180, 320) if k < 50 else (90, 160) for k in range(100)
    }
    assert [read_number(images[k]) for k in (0, 49, 55, 99)] == [0, 49, 5, 49]
    squeezed = pieces_film(tmp_path, [1, 3], aspect=Fraction(16, 9))
    coded = {(shown.start // 50, shown.frame.width) for shown in shown_frames(squeezed)}
    assert coded == {(0, 320), (1, 180)}
    assert {image.shape[:2] for _, image in bgr_frames(squeezed)} == {(180, 320)}


def test_cover_art_is_no_video(tmp_path):
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        audio = container.add_stream("aac", rate=16000, layout="mono")
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 96, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.zeros((64, 96, 3), np.uint8), format="bgr24")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 16000
        container.mux([*cover.encode(picture), *cover.encode(None)])
        container.mux([*audio.encode(sound), *audio.encode(None)])
    with pytest.raises(LookupError, match="no video stream"):
        open_video(path)


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("full", [False, True])
def test_colours_keep_their_values(tmp_path, matrix, full):
    shown = next(shown_frames(patch_film(tmp_path / "patch.mp4", matrix, full)))
    assert np.abs(shown.upright_bgr()[32, 48].astype(int) - PATCH).max() <= 4
    converted = limited_yuv420p(shown.frame)
    for plane, value in zip(converted.planes, patch_yuv(matrix), strict=True):
        assert abs(int(plane_array(plane)[10, 10]) - value) <= 2


def test_rgb_becomes_bt709(tmp_path):
    film = Film(suffix=".mkv", codec="ffv1", pix_fmt="bgr0", seconds=0.2, sound=None)
    image = np.full((180, 320, 3), PATCH, np.uint8)
    path = write_film(tmp_path / "rgb.mkv", film, iter([image] * 5))
    frame = limited_yuv420p(next(shown_frames(path)).frame)
    assert (frame.colorspace, frame.color_range) == (1, 1)
    for plane, value in zip(frame.planes, patch_yuv("bt709"), strict=True):
        assert abs(int(plane_array(plane)[10, 10]) - value) <= 2


MEMORY = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from talkingface.media.audio import SoundTrack
from talkingface.media.video import shown_frames
count = sum(shown.end - shown.start for shown in shown_frames(sys.argv[1]))
track = SoundTrack(sys.argv[1], origin=0, rate=16000, channels=1)
for start in range(0, count * 640, 640_000):
    track.read(start, start + 640_000)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_length(tmp_path):
    short = make_film(tmp_path, Film(suffix=".ts", sound=Sound(rate=48000, layout="mono")))
    long = tmp_path / "long.ts"
    with av.open(str(short)) as source, av.open(str(long), "w") as copy:
        streams = [copy.add_stream_from_template(s) for s in source.streams]
        for turn in range(50):
            source.seek(0)
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream.index]
                    packet.pts += turn * 7 * 90_000
                    packet.dts += turn * 7 * 90_000
                    copy.mux(packet)
    scripts = str(next(p for p in sys.path if p.endswith("scripts")))
    used = []
    for path in (short, long):
        command = [sys.executable, "-c", MEMORY, str(path), scripts]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        used.append([int(number) for number in output.split()])
    (few, small), (many, large) = used
    assert (few, many) == (150, 49 * 175 + 150)
    assert large - small < 20_000, "kilobytes more for 343 s more"
