"""Sound is computed from a formula at any sampling rate, so that the truth at 16 kHz is known."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from helpers.synthetic import FILMS, Film, Sound, beep_starts, make_film, write_film
from talkingface.media.audio import (
    HISTORY_SECONDS,
    SoundTrack,
    pcm_blocks,
    read_wav,
    sound_format,
    write_wav,
)
from talkingface.media.video import first_timestamp

RATE = 16_000
SMALL = Film(size=(64, 48), seconds=2, flashes=())


def sweep(rate, seconds=2.0, delay=0.0):
    """A tone that rises from 200 to 3,200 Hz, `delay` seconds late, silent before."""
    time = np.arange(round(seconds * rate)) / rate - delay
    return np.where(time < 0, 0, 0.5 * np.sin(2 * np.pi * (200 * time + 750 * time**2)))


def film_with(folder, samples, sound, name="film", **changes):
    film = replace(SMALL, sound=sound, **changes)
    black = np.zeros((*film.size[::-1], 3), np.uint8)
    pictures = (black for _ in film.frame_times)
    return write_film(folder / f"{name}{film.suffix}", film, pictures, samples.astype("f4"))


def pcm(path, *, origin=None, rate=RATE, channels=1):
    origin = first_timestamp(path) if origin is None else origin
    blocks = list(pcm_blocks(path, origin=origin, rate=rate, channels=channels))
    return np.concatenate(blocks) / 32768 if blocks else np.zeros((0, channels))


def delay_of(heard, truth):
    """Samples by which `heard` comes later than `truth`, by cross-correlation."""
    length = min(len(heard), len(truth))
    spectrum = np.fft.rfft(heard[:length], 2 * length)
    spectrum *= np.conj(np.fft.rfft(truth[:length], 2 * length))
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    return lag - 2 * length if lag > length else lag


def test_sound_of_which_nothing_is_known_when_the_file_is_opened(tmp_path):
    # A transport stream announces it in its tables; libav looks no further than some seconds.
    late = Sound(rate=44_100, start=Fraction(17, 2))
    film = replace(SMALL, suffix=".ts", seconds=10, flashes=(9,), sound=late)
    path = make_film(tmp_path, film)
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.sample_rate == 0
    assert beep_starts(pcm(path)[:, 0], RATE) == pytest.approx([9], abs=0.003)


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000])
def test_resampling_is_exact(tmp_path, rate):
    path = film_with(tmp_path, sweep(rate), Sound("flac", rate, "mono"), suffix=".mkv")
    heard = pcm(path)[:, 0]
    assert abs(len(heard) - 2 * RATE) <= 1
    inside = slice(100, 2 * RATE - 100)
    assert np.abs(heard[inside] - sweep(RATE)[inside]).max() < 0.002


@pytest.mark.parametrize(
    ("suffix", "sound", "within"),
    [
        (".mp4", Sound("aac", 44_100), 1),
        (".mp4", Sound("aac", 48_000, "mono"), 1),
        (".mp4", Sound("libmp3lame", 44_100), 1),
        (".mp4", Sound("aac", 16_000, "mono", start=Fraction(3, 10)), 1),
        (".mov", Sound("pcm_s16le", 44_100), 1),
        (".mkv", Sound("aac", 44_100), 16),  # times are rounded to 1 ms, 16 samples
        (".mkv", Sound("libopus", 48_000), 16),
        (".webm", Sound("libopus", 48_000), 16),
        (".webm", Sound("libopus", 48_000, start=Fraction(3, 10)), 16),
        (".ts", Sound("aac", 48_000), 1),
        (".mp4", Sound("ac3", 48_000), 1),
    ],
    ids=lambda value: f"{value.codec}-{value.rate}" if isinstance(value, Sound) else str(value),
)
def test_codec_delays_are_taken_out(tmp_path, suffix, sound, within):
    """Encoders put 300 to 2,000 samples before the sound; containers say how many."""
    changes = {"suffix": suffix}
    if suffix == ".webm":
        changes |= {"codec": "libvpx-vp9", "options": FILMS["webm"].options}
    path = film_with(tmp_path, sweep(sound.rate), sound, **changes)
    heard = pcm(path)[:, 0]
    assert abs(delay_of(heard, sweep(RATE, delay=float(sound.start)))) <= within


def test_sound_stands_where_its_timestamps_say(tmp_path):
    tone = Sound("pcm_s16le", RATE, "mono")
    path = film_with(tmp_path, sweep(RATE), tone, suffix=".mkv")
    for origin in (Fraction(-1, 2), Fraction(0), Fraction(3, 4)):
        heard = pcm(path, origin=origin)[:, 0]
        first = round(origin * RATE)
        truth = np.pad(sweep(RATE), (max(0, -first), 0))[max(0, first) :]
        assert len(heard) == len(truth)
        assert np.abs(heard - truth).max() < 1e-4


def test_a_gap_is_silence_and_shifts_nothing(tmp_path):
    sound = Sound("pcm_s16le", RATE, "mono", gap=(0.5, 0.8))
    heard = pcm(film_with(tmp_path, sweep(RATE), sound, suffix=".mkv"))[:, 0]
    # Whole packets of 1,024 samples are missing; they begin at multiples of 0.064 s.
    gap = slice(8 * 1024, 13 * 1024)
    truth = sweep(RATE)
    truth[gap] = 0
    assert not heard[gap].any()
    assert np.abs(heard - truth).max() < 1e-4


def test_a_repeated_packet_is_heard_once(tmp_path):
    path = film_with(tmp_path, sweep(RATE), Sound("pcm_s16le", RATE, "mono"), suffix=".mkv")
    again = tmp_path / "again.mkv"
    with av.open(str(path)) as source, av.open(str(again), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
                if 500 < packet.pts < 570:
                    copy.mux(packet)
    assert np.abs(pcm(again, origin=Fraction(0))[:, 0] - sweep(RATE)).max() < 1e-4


def test_a_damaged_packet_costs_its_own_samples(tmp_path):
    film = Film(suffix=".mkv", sound=Sound("flac", 44_100, "mono"))
    path = make_film(tmp_path, film)
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(audio=0) if p.size]
    content = bytearray(path.read_bytes())
    for packet in packets[20:22]:
        content[packet.pos + 8 : packet.pos + packet.size] = bytes(packet.size - 8)
    path.write_bytes(content)
    starts = beep_starts(pcm(path)[:, 0], RATE)
    assert starts == pytest.approx([float(t) for t in film.flash_times], abs=0.002)


def test_a_file_cut_off_gives_the_sound_it_has(tmp_path):
    path = make_film(tmp_path, Film(movflags="faststart"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    heard = pcm(path)[:, 0]
    assert 2.5 * RATE < len(heard) < 5.5 * RATE
    assert beep_starts(heard, RATE)[0] == pytest.approx(1.32, abs=0.002)


def test_channels_are_averaged_and_do_not_clip(tmp_path):
    loud = np.stack([sweep(RATE) * 1.9, sweep(RATE) * 1.9])
    heard = pcm(film_with(tmp_path, loud, Sound("pcm_s16le", RATE), suffix=".mkv"))
    assert np.abs(heard[:, 0] - loud[0]).max() < 0.001
    loud[1] = 0
    path = film_with(tmp_path, loud, Sound("pcm_s16le", RATE), suffix=".mkv")
    assert np.abs(pcm(path)[:, 0] - loud[0] / 2).max() < 0.001
    both = pcm(path, channels=2)
    assert np.abs(both[:, 0] - loud[0]).max() < 0.001 and not both[:, 1].any()
    surround = np.tile(loud[0], (6, 1))
    path = film_with(tmp_path, surround, Sound("flac", RATE, "5.1"), suffix=".mkv")
    assert 0.7 < np.abs(pcm(path, channels=2)).max() <= 0.951
    assert sound_format(path) == (RATE, 2)
    with pytest.raises(ValueError, match="channels must be 1 or 2"):
        pcm(path, channels=6)


def test_a_stream_that_changes_its_channels(tmp_path):
    film = Film(suffix=".ts", start=Fraction(1), flashes=(0.5,), seconds=2)
    mono = Sound(rate=48_000, layout="mono", start=Fraction(1))
    first = make_film(tmp_path, replace(film, sound=mono), "first")
    stereo = Sound(rate=48_000, start=Fraction(3))
    later = make_film(tmp_path, replace(film, start=Fraction(3), sound=stereo), "later")
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + later.read_bytes())
    heard = pcm(path)[:, 0]
    assert beep_starts(heard, RATE) == pytest.approx([0.52, 2.52], abs=0.011)


def test_a_silent_film(tmp_path):
    path = make_film(tmp_path, replace(SMALL, sound=None))
    assert len(pcm(path)) == 0
    with pytest.raises(LookupError, match="no audio stream"):
        sound_format(path)
    track = SoundTrack(path, origin=Fraction(0), rate=RATE, channels=1)
    assert not track.read(0, 1000).any()


def test_a_track_reads_any_stretch_in_order(tmp_path):
    seconds = HISTORY_SECONDS + 6
    path = film_with(tmp_path, sweep(8000, seconds), Sound("flac", 8000, "mono"), suffix=".mkv")
    whole = np.concatenate(list(pcm_blocks(path, origin=Fraction(0), rate=8000, channels=1)))
    track = SoundTrack(path, origin=Fraction(0), rate=8000, channels=1)
    end = len(whole)
    early = track.read(-500, 700)
    assert not early[:500].any() and (early[500:] == whole[:700]).all()
    for start, stop in [(0, 1), (20_000, 60_000), (19_000, 20_001), (70_000, 70_000)]:
        assert (track.read(start, stop) == whole[start:stop]).all()
    late = track.read(end - 100, end + 100)
    assert (late[:100] == whole[-100:]).all() and not late[100:].any()
    assert not track.read(end + 10, end + 20).any()
    with pytest.raises(ValueError, match="already passed"):
        track.read(0, 10)


def test_a_track_can_step_back_as_far_as_promised(tmp_path):
    seconds = HISTORY_SECONDS + 6
    path = film_with(tmp_path, sweep(8000, seconds), Sound("flac", 8000, "mono"), suffix=".mkv")
    track = SoundTrack(path, origin=Fraction(0), rate=8000, channels=1)
    late = track.read(15 * 8000, 15 * 8000 + 10)
    assert late.any()
    assert track.read(5 * 8000, 5 * 8000 + 10).any()


def test_wav(tmp_path):
    path = tmp_path / "a.wav"
    samples = np.arange(-500, 500, dtype=np.int16)
    write_wav(path, samples, RATE)
    assert (read_wav(path) == samples).all()
    assert (read_wav(path, 100, 250) == samples[100:250]).all()
    assert (read_wav(path, 900, 1200) == samples[900:]).all()
    assert len(read_wav(path, 1000, 1100)) == len(read_wav(path, 2000, 2100)) == 0
    with pytest.raises(TypeError, match="int16"):
        write_wav(path, samples / 2, RATE)
