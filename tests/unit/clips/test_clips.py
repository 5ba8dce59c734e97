"""Clips of films whose pictures carry their numbers and whose flashes and beeps begin together."""

import weakref
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers.paths import SAMPLES
from helpers.settings import default_settings
from helpers.synthetic import (
    FILMS,
    MATRICES,
    PATCH,
    Film,
    Sound,
    beep_starts,
    decode_pictures,
    decode_sound,
    has_flash,
    make_film,
    number_picture,
    patch_film,
    read_number,
    shown_at,
    write_film,
)
from talkingface.clips import clips
from talkingface.clips.clips import Encoding, make_clips, write_clips
from talkingface.grid import clip_name
from talkingface.job.tables import empty_table, read_table, table_of_rows, write_table
from talkingface.media import video
from talkingface.media.clip_files import Clip, read_clips
from talkingface.media.probe import probe
from talkingface.media.reading import Reading, Section
from talkingface.media.writer import VideoWriter
from talkingface.shots.proxy import Proxy, encode_proxy
from talkingface.shots.timeline import Picture
from talkingface.tables import CLIP_FRAMES, CLIPS, SEGMENTS, TRACKS

# The columns that users have on disk.
COLUMNS = [
    "clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "n_frames",
    "width", "height", "crop", "crop_x", "crop_y", "crop_w", "crop_h",
    "offset", "confidence", "probability", "speech_share", "audio_shift",
]  # fmt: skip
FRAME_COLUMNS = [
    "frame", "source_frame", "x", "y", "w", "h", "crop_x", "crop_y", "crop_w", "crop_h",
]  # fmt: skip


def segment(start, end, track=0, offset=0, trusted=1):
    return {
        "clip_id": clip_name("v", start, end, track),
        "video_id": "v",
        "scene": 0,
        "track": track,
        "start_frame": start,
        "end_frame": end,
        "n_frames": end - start,
        "offset": offset,
        "confidence": 5.0,
        "probability": 0.875,
        "speech_share": 0.75,
        "trusted": trusted,
    }


def track_of(size, n_frames, track=0, box=None):
    x, y, w, h = box or (size[0] * 0.4, size[1] * 0.3, size[0] * 0.2, size[1] * 0.4)
    columns = {"track": track, "scene": 0, "frame": np.arange(n_frames)}
    return pd.DataFrame(columns | {"x": x, "y": y, "w": w, "h": h, "confidence": 1, "detected": 1})


# What is known of a video of which nothing is cut, or only its size matters.
PROXY = Proxy(
    "ok",
    pictures=(Picture(0, 320, 180, 320, 180),),
    reading=Reading(clock=(Section(Fraction(0), Fraction(6), Fraction(0)),)),
)
OPTIONS = {
    "crop": "none", "scale": None, "size": 320, "correct_offset": "trusted",
    "encoding": Encoding("ultrafast", 18, 25, 2),
}  # fmt: skip


def cut(path, folder, segments, *, tracks=None, **options):
    """Proxy and clips of a file, as the workflow makes them; gives the manifest."""
    folder.mkdir(exist_ok=True)
    sound = folder / "proxy.wav"
    proxy = encode_proxy(path, folder / "proxy.mp4", sound, long_side=640, threads=0)
    assert proxy.status == "ok", proxy.reason
    tracks = track_of(proxy.size_at(0), proxy.n_frames) if tracks is None else tracks
    ledger = table_of_rows(SEGMENTS, segments)
    boxes = table_of_rows(TRACKS, tracks.to_dict("records"))
    made = write_clips(path, sound, ledger, boxes, folder, proxy=proxy, **OPTIONS | options)
    return pd.DataFrame(made)


def check_exact(folder, name, n_frames):
    """Exactly N pictures at k/25 s from 0 on and exactly 640 N samples; gives both, and the
    sound in the mp4."""
    pictures = decode_pictures(folder / f"{name}.mp4")
    assert [float(time) for time, _ in pictures] == pytest.approx([k / 25 for k in range(n_frames)])
    with av.open(str(folder / f"{name}.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.average_rate, stream.start_time, stream.frames) == (25, 0, n_frames)
        assert stream.duration * stream.time_base == Fraction(n_frames, 25)
        assert (container.streams.audio[0].start_time or 0) == 0
    samples, rate = soundfile.read(folder / f"{name}.wav", dtype="int16")
    assert (rate, samples.shape) == (16_000, (640 * n_frames,))
    sound, rate = decode_sound(folder / f"{name}.mp4")
    assert n_frames / 25 - 0.001 <= len(sound) / rate <= n_frames / 25 + 1024 / rate
    return [picture for _, picture in pictures], samples / 32768, (sound, rate)


def flash_starts(pictures):
    white = [has_flash(picture) for picture in pictures]
    return [k / 25 for k in range(1, len(white)) if white[k] and not white[k - 1]]


@pytest.mark.parametrize("name", FILMS)
def test_picture_and_sound_are_in_step(film_path, tmp_path, name):
    """From the beginning, the middle and the end of every kind of file."""
    film = FILMS[name]
    end = int(film.frame_times[-1] * 25)
    parts = [(0, 50), (51, 126), (end - 40, end)]
    cut(film_path(name), tmp_path, [segment(*part) for part in parts])
    found = 0
    for first, last in parts:
        clip = clip_name("v", first, last, 0)
        pictures, wav, aac = check_exact(tmp_path, clip, last - first)
        shown = [read_number(picture) for picture in pictures]
        assert shown == [shown_at(film, k) for k in range(first, last)]
        flashes, beeps = flash_starts(pictures), beep_starts(wav, 16_000)
        truth = [float(t) - first / 25 for t in film.flash_times]
        truth = [t for t in truth if 0.1 < t < (last - first) / 25 - 0.1]
        assert flashes == pytest.approx(truth, abs=0.0401)
        heard = [t for t in truth if name != "short-sound" or t + first / 25 < 3.8]
        assert beeps == pytest.approx(heard, abs=0.003)
        assert beep_starts(*aac) == pytest.approx(heard, abs=0.005)
        found += len(heard)
    assert found == (2 if name == "short-sound" else 4), "one of three lies in two clips"


@pytest.mark.parametrize("offset", [3, -3])
@pytest.mark.parametrize(("correct", "trusted", "moved"), [
    ("trusted", 1, True),
    ("trusted", 0, False),
    ("always", 0, True),
    ("never", 1, False),
])  # fmt: skip
def test_sound_that_leads_is_delayed(film_path, tmp_path, offset, correct, trusted, moved):
    one = segment(10, 110, offset=offset, trusted=trusted)
    manifest = cut(film_path("25"), tmp_path, [one], correct_offset=correct)
    delay = offset / 25 if moved else 0
    assert manifest.audio_shift[0] == round(delay * 16_000)
    pictures, wav, aac = check_exact(tmp_path, one["clip_id"], 100)
    truth = [float(t) - 0.4 for t in FILMS["25"].flash_times[:2]]
    assert flash_starts(pictures) == pytest.approx(truth)
    assert beep_starts(wav, 16_000) == pytest.approx([t + delay for t in truth], abs=0.002)
    assert beep_starts(*aac) == pytest.approx([t + delay for t in truth], abs=0.005)


def test_beyond_the_ends_there_is_silence(tmp_path):
    """A loud tone throughout, moved by 10 frames either way."""
    film = Film(seconds=3, flashes=(), sound=Sound("pcm_s16le", 16_000, "mono"), suffix=".mkv")
    black = np.zeros((180, 320, 3), np.uint8)
    tone = 0.5 * np.cos(2 * np.pi * 1000 * np.arange(48_000) / 16_000)
    path = write_film(tmp_path / "tone.mkv", film, (black for _ in range(75)), tone.astype("f4"))
    segments = [segment(0, 50, offset=10), segment(25, 75, offset=-10)]
    cut(path, tmp_path / "clips", segments)
    _, late, (late_aac, _) = check_exact(tmp_path / "clips", "v_000000_000050_00", 50)
    assert not late[:6400].any() and np.abs(late[6400:6500]).max() > 0.4
    assert np.abs(late_aac[:5000]).max() < 0.01
    _, early, _ = check_exact(tmp_path / "clips", "v_000025_000075_00", 50)
    assert not early[-6400:].any() and np.abs(early[-6500:-6400]).max() > 0.4


def test_an_unknown_offset_moves_nothing(film_path, tmp_path):
    one = segment(10, 60) | {"offset": np.nan, "trusted": np.nan, "confidence": np.nan}
    one["probability"] = np.nan
    assert list(cut(film_path("25"), tmp_path, [one]).audio_shift) == [0]


def test_overlapping_clips_in_one_pass(film_path, tmp_path, monkeypatch):
    opened = []
    read = video._shown
    monkeypatch.setattr(video, "_shown", lambda *a, **o: (opened.append(a), read(*a, **o))[1])
    spans = [(100, 150), (20, 90), (30, 60), (60, 120), (20, 150), (148, 151)]
    segments = [segment(*span, track=i) for i, span in enumerate(spans)]
    path = film_path("29.97")
    tracks = pd.concat([track_of((320, 180), 151, i) for i in range(len(spans))])
    manifest = cut(path, tmp_path, segments, tracks=tracks)
    assert len(opened) == 2, "one pass for the proxy, one for all clips"
    assert list(manifest.columns) == COLUMNS
    assert list(manifest.start_frame) == [20, 20, 30, 60, 100, 148]
    for i, (first, last) in enumerate(spans):
        pictures, wav, _ = check_exact(tmp_path, clip_name("v", first, last, i), last - first)
        shown = [read_number(picture) for picture in pictures]
        assert shown == [shown_at(FILMS["29.97"], k) for k in range(first, last)]
        truth = [float(t) - first / 25 for t in FILMS["29.97"].flash_times]
        truth = [t for t in truth if 0 < t < (last - first) / 25 - 0.01]
        assert beep_starts(wav, 16_000) == pytest.approx(truth, abs=0.003)


def test_seeking_over_a_gap_gives_the_same_clips(tmp_path, monkeypatch):
    path = make_film(tmp_path, Film(seconds=14, options={"g": "60"}, flashes=(0.5, 13.2)))
    spans = [(3, 30), (320, 345)]
    made = {}
    for gap in (1, 10**6):
        monkeypatch.setattr(video, "SEEK_GAP", gap)
        folder = tmp_path / f"{gap}"
        cut(path, folder, [segment(*span) for span in spans], encoding=Encoding("fast", 18, 25, 1))
        made[gap] = [(folder / f"{clip_name('v', *s, 0)}.mp4").read_bytes() for s in spans]
    assert made[1] == made[10**6]
    pictures, wav, aac = check_exact(tmp_path / "1", "v_000320_000345_00", 25)
    assert flash_starts(pictures) == pytest.approx([0.4])
    assert beep_starts(wav, 16_000) == pytest.approx([0.4], abs=0.002)
    assert beep_starts(*aac) == pytest.approx([0.4], abs=0.005)


def test_a_finished_clip_holds_no_encoder(film_path, tmp_path, monkeypatch):
    """An encoder takes some 10 MB: memory must not grow with the number of clips."""
    alive, counts = weakref.WeakSet(), []

    class Counted(VideoWriter):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            alive.add(self)
            counts.append(len(alive))

    monkeypatch.setattr(clips, "VideoWriter", Counted)
    cut(film_path("25"), tmp_path, [segment(k, k + 10) for k in range(0, 140, 10)])
    assert counts == [1] * 14


def test_a_picture_that_stands_still_for_long(tmp_path):
    """A slide of 9.6 s in which clips follow another."""
    times = tuple(Fraction(k, 25) for k in [*range(25), *range(265, 290)])
    film = Film(times=times, flashes=(0.2, 10.79), size=(96, 64))
    path = make_film(tmp_path, film)
    spans = [(0, 240), (20, 90), (150, 200), (250, 288)]
    segments = [segment(*span, track=i) for i, span in enumerate(spans)]
    tracks = pd.concat([track_of((96, 64), 290, i) for i in range(len(spans))])
    cut(path, tmp_path / "clips", segments, tracks=tracks, size=96)
    for i, (first, last) in enumerate(spans):
        pictures, wav, _ = check_exact(
            tmp_path / "clips", clip_name("v", first, last, i), last - first
        )
        shown = [read_number(picture) for picture in pictures]
        assert shown == [shown_at(film, k) for k in range(first, last)]
    assert beep_starts(wav, 16_000) == pytest.approx([10.8 - 250 / 25], abs=0.003)


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("preset", ["ultrafast", "slow"])
def test_few_frames_with_any_encoder(film_path, tmp_path, threads, preset):
    segments = [segment(70, 73), segment(80, 81), segment(90, 131)]
    cut(film_path("25"), tmp_path, segments, encoding=Encoding(preset, 18, 25, threads))
    for one in segments:
        pictures, _, _ = check_exact(tmp_path, one["clip_id"], one["n_frames"])
        span = range(one["start_frame"], one["end_frame"])
        assert [read_number(picture) for picture in pictures] == list(span)


@pytest.mark.parametrize("name", ["25", "turned-90", "turned-narrow-pixels", "full-range-turned",
                                  "odd-mpeg4", "hevc-10-bit"])  # fmt: skip
def test_a_fixed_crop_shows_its_part(film_path, tmp_path, name):
    """Cut out of the upright picture with square pixels, that is the same as for every other."""
    size = FILMS[name].size
    box = (size[0] / 8 + 5, 10, 60, 50)
    tracks = track_of(size, 150, box=box)
    manifest = cut(
        film_path(name), tmp_path, [segment(10, 30)], tracks=tracks, crop="fixed", size=192
    )
    x, y, w, h = manifest.loc[0, ["crop_x", "crop_y", "crop_w", "crop_h"]]
    assert (w, h) == (96, 96) and x % 2 == y % 2 == 0
    pictures, _, _ = check_exact(tmp_path, "v_000010_000030_00", 20)
    for k, picture in enumerate(pictures):
        assert picture.shape == (192, 192, 3)
        whole = number_picture(10 + k, size)
        truth = whole[int(y) : int(y) + 96, int(x) : int(x) + 96].repeat(2, 0).repeat(2, 1)
        assert np.abs(truth.astype(int) - picture).mean() < 12


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
def test_colours_survive(tmp_path, matrix, full):
    path = patch_film(tmp_path / "patch.mp4", matrix, full)
    cut(path, tmp_path, [segment(0, 5)], crop="follow", size=64)
    pictures, _, _ = check_exact(tmp_path, "v_000000_000005_00", 5)
    for picture in pictures:
        assert np.abs(picture[32, 32].astype(int) - PATCH).max() <= 5
    with av.open(str(tmp_path / "v_000000_000005_00.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (MATRICES[matrix][0], 1)


def test_what_the_clip_says_of_itself(film_path, tmp_path):
    tracks = track_of((320, 180), 150, box=(130, 60, 40, 60))
    tracks["x"] += tracks.frame
    tracks = pd.concat([tracks, track_of((320, 180), 150, track=1)])
    one = segment(20, 60, offset=2)
    manifest = cut(film_path("25"), tmp_path, [one], tracks=tracks, crop="follow", size=64)
    row = manifest.loc[0]
    assert (row.width, row.height, row.crop, row.n_frames) == (64, 64, "follow", 40)
    assert (row.offset, row.confidence, row.probability) == (2, 5.0, 0.875)
    assert row.audio_shift == 1280
    assert row.speech_share == 0.75
    path = tmp_path / f"{one['clip_id']}.csv"
    assert path.read_text().splitlines()[0].split(",") == FRAME_COLUMNS
    table = read_table(path, CLIP_FRAMES)
    assert list(table.frame) == list(range(40)) and list(table.source_frame) == list(range(20, 60))
    assert list(table.x) == [130 + k for k in range(20, 60)]
    assert (table.crop_w == 84).all()
    write_table(table_of_rows(CLIPS, manifest.to_dict("records")), tmp_path / "v.csv", CLIPS)
    (clip,) = read_clips(tmp_path, tmp_path / "v.csv")
    faces = clip.face_boxes()
    assert faces[20] == pytest.approx(
        [(32 - 20 * 64 / 84), 32 - 30 * 64 / 84, 40 * 64 / 84, 60 * 64 / 84]
    )


def test_no_segments(film_path, tmp_path):
    ledger, tracks = empty_table(SEGMENTS, 1), empty_table(TRACKS)
    ledger.verdict = "rejected"
    write_table(ledger, tmp_path / "ledger.csv", SEGMENTS)
    write_table(tracks, tmp_path / "tracks.csv", TRACKS)
    folder, manifest = tmp_path / "clips", tmp_path / "clips.csv"
    names = ("none.wav", "ledger.csv", "tracks.csv")
    settings = default_settings("clips")
    make_clips(
        film_path("25"), *(tmp_path / name for name in names), folder, manifest,
        proxy=PROXY, threads=1, **settings,
    )  # fmt: skip
    assert manifest.read_text() == ",".join(COLUMNS) + "\n"
    assert list(folder.iterdir()) == []


def test_only_what_the_ledger_keeps_is_cut(film_path, tmp_path):
    segments = [
        segment(0, 20) | {"verdict": "kept"},
        segment(30, 50) | {"verdict": "rejected", "stage": "sync", "reason": "offset"},
    ]
    sound = tmp_path / "proxy.wav"
    encode_proxy(film_path("25"), tmp_path / "proxy.mp4", sound, long_side=640, threads=0)
    write_table(table_of_rows(SEGMENTS, segments), tmp_path / "ledger.csv", SEGMENTS)
    tracks = table_of_rows(TRACKS, track_of((320, 180), 150).to_dict("records"))
    write_table(tracks, tmp_path / "tracks.csv", TRACKS)
    folder, manifest = tmp_path / "clips", tmp_path / "clips.csv"
    make_clips(
        film_path("25"), sound, tmp_path / "ledger.csv", tmp_path / "tracks.csv", folder, manifest,
        proxy=PROXY, threads=1, **default_settings("clips"),
    )  # fmt: skip
    assert [clip.clip_id for clip in read_clips(folder, manifest)] == ["v_000000_000020_00"]
    endings = sorted(path.name.removeprefix("v_000000_000020_00") for path in folder.iterdir())
    assert endings == [".csv", ".mp4", ".wav"]


@pytest.mark.parametrize("interval", [1, 25, 40])
def test_keyframes_are_as_near_as_the_setting_says(film_path, tmp_path, interval):
    encoding = Encoding("superfast", 18, interval, 2)
    cut(film_path("25"), tmp_path, [segment(0, 120)], encoding=encoding)
    with av.open(str(tmp_path / "v_000000_000120_00.mp4")) as container:
        keys = [k for k, frame in enumerate(container.decode(video=0)) if frame.key_frame]
    assert keys[0] == 0
    assert max(np.diff([*keys, 120])) <= interval


def test_frames_that_are_not_there(film_path, tmp_path):
    """More frames than the file has: an error, never a short clip."""
    tracks = track_of((320, 180), 200)
    with pytest.raises(RuntimeError, match="40 frames written, expected 50"):
        cut(film_path("25"), tmp_path, [segment(110, 160)], tracks=tracks)
    with pytest.raises(RuntimeError, match="0 frames written, expected 10"):
        cut(film_path("25"), tmp_path, [segment(170, 180)], tracks=tracks)


def test_reading_a_clip_checks_its_length(film_path, tmp_path):
    cut(film_path("25"), tmp_path, [segment(0, 20)])
    clip = Clip("v_000000_000020_00", 20, 320, 180, tmp_path)
    assert [read_number(image) for image in clip.frames()] == list(range(20))
    with pytest.raises(ValueError, match="20 frames, but its manifest says 21"):
        list(replace(clip, n_frames=21).frames())


def test_a_clip_plays_while_it_arrives(film_path, tmp_path):
    """Index in front, and sound never further than half a second from its pictures."""
    cut(film_path("25"), tmp_path, [segment(0, 148)])
    path = tmp_path / "v_000000_000148_00.mp4"
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    assert probe(path).audio.codec == "aac"
    with av.open(str(path)) as container:
        packets = [
            (p.pos, p.stream.type, float(p.dts * p.time_base)) for p in container.demux() if p.size
        ]
    reached = {"video": 0.0, "audio": 0.0}
    for _, kind, time in sorted(packets):
        reached[kind] = time
        assert abs(reached["video"] - reached["audio"]) < 0.5


@pytest.mark.parametrize("name", ["FAzSK8PLmGI", "seated_woman"])
@pytest.mark.footage
def test_real_footage(tmp_path, name):
    path = SAMPLES / f"{name}.mp4"
    info = probe(path).video
    size = info.display_width, info.display_height
    n_frames = {"FAzSK8PLmGI": 126, "seated_woman": 250}[name]
    box = (size[0] * 0.4, size[1] * 0.2, size[0] * 0.2, size[0] * 0.25)
    spans = [(0, 75), (60, 100), (n_frames - 20, n_frames)]
    cut(
        path,
        tmp_path,
        [segment(*span) for span in spans],
        tracks=track_of(size, n_frames, box=box),
        crop="fixed",
        size=128,
    )
    for first, last in spans:
        check_exact(tmp_path, clip_name("v", first, last, 0), last - first)
