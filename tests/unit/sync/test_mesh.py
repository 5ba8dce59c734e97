"""The backend `mesh`: its parts by their definition, and all of it with weights that are made here;
`test_mesh_footage` has real people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from helpers.lip_sync_weights import write_weights
from talkingface.demo.face import Face, portrait_frames
from talkingface.demo.speech import speak
from talkingface.job.tables import table_of_rows
from talkingface.media.audio import read_wav, write_wav
from talkingface.sync import mesh
from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.sync.comparison import TrackComparison, VideoFiles
from talkingface.sync.log_mel import BANDS, log_mel
from talkingface.sync.mesh import (
    CHANCE_LAGS,
    LEAST_PACE,
    OTHERS_SHARE,
    PACE_FRAMES,
    STILL_COST,
    Convolution,
    LipSyncNetwork,
    MeshSync,
    bridged,
    compare_clip,
    hear,
    likeness,
    load_network,
    moving_mean,
    stillness,
)
from talkingface.sync.mouth import N_POINTS
from talkingface.sync.sync import TrackSync, judge_track, residual_offset
from talkingface.tables import TRACKS


@pytest.mark.parametrize("count", [1, 5, 40])
@pytest.mark.parametrize(
    ("width", "stride", "before"),
    [(1, 1, 0), (5, 1, 2), (4, 1, 0), (3, 1, 2), (9, 4, 4), (8, 4, 2)],
)
@pytest.mark.parametrize("block", [3, 4096])
def test_a_layer_is_a_sum_of_convolutions(
    count: int, width: int, stride: int, before: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh, "BLOCK", block)
    rng = np.random.default_rng(width)
    weights = rng.normal(size=(width, 3, 2))  # neighbour, channel, output
    biases, series = rng.normal(size=2), rng.normal(size=(count, 3))
    layer = Convolution(weights.reshape(-1, 2), biases, stride, before)
    found = layer(series.astype(np.float32))
    whole = np.stack(
        [
            biases[d]
            + sum(np.convolve(series[:, c], weights[::-1, c, d], "full") for c in range(3))
            for d in range(2)
        ],
        axis=1,
    )
    # Place i of the whole has its last neighbour at i.
    first = width - 1 - before
    expected = whole[first : first + count : stride]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_likeness_is_the_product_with_the_sound_at_every_lag() -> None:
    rng = np.random.default_rng(0)
    lips, sounds = (rng.normal(size=(n, 4)).astype(np.float32) for n in (12, 14))
    lips[5] = np.nan
    for start in (0, 1, 7, 20):
        table = likeness(lips, sounds, start, 3)
        assert table.shape == (12, 7) and table.dtype == np.float32
        for t in range(12):
            for lag in range(-3, 4):
                at = start + t + lag
                found = table[t, lag + 3]
                if t != 5 and 0 <= at < 14:
                    assert found == pytest.approx(float(lips[t] @ sounds[at]), abs=1e-5)
                else:
                    assert np.isnan(found)
    assert likeness(lips, sounds[:0], 0, 3).shape == (12, 7)


@pytest.mark.parametrize("reach", [0, 1, 4, 50])
def test_the_moving_mean(reach: int) -> None:
    series = np.random.default_rng(reach).normal(5, 1, (20, 3))
    expected = [series[max(0, i - reach) : i + reach + 1].mean(axis=0) for i in range(20)]
    np.testing.assert_allclose(moving_mean(series, reach), expected)
    assert moving_mean(series[:0], reach).shape == (0, 3)


@pytest.mark.parametrize("speed", [0.0, 0.1, 0.3, 0.8, 1.2, 5.0])
def test_stillness_is_by_how_much_the_pace_is_short_of_speech(speed: float) -> None:
    """Two components that change by 3 and 4 parts of 5 of a speed."""
    found = stillness(np.tile([0.6 * speed, -0.8 * speed], (70, 1)))
    assert found.shape == (70,)
    np.testing.assert_allclose(found, max(0, 1 - speed / LEAST_PACE), atol=1e-9)


def test_stillness_is_that_of_the_time_around() -> None:
    motion = np.random.default_rng(4).normal(size=(200, 3)) * np.linspace(0, 1, 200)[:, None]
    motion[:80] = 0
    found = stillness(motion)
    for i in range(200):
        around = motion[max(0, i - PACE_FRAMES) : i + PACE_FRAMES + 1]
        pace = np.sqrt(np.mean([np.dot(change, change) for change in around]))
        assert found[i] == pytest.approx(min(1, max(0, 1 - pace / LEAST_PACE)), abs=1e-6)
    assert (found[: 80 - PACE_FRAMES] == 1).all() and (found[-60:] == 0).all()
    # Not only all or nothing.
    assert ((found > 0.1) & (found < 0.9)).sum() > 5


def test_rows_not_seen_are_put_between_those_around() -> None:
    series = np.array([[9.0, 9], [1, 10], [9, 9], [9, 9], [4, 40], [9, 9]])
    seen = np.array([False, True, False, False, True, False])
    expected = [[1, 10], [1, 10], [2, 20], [3, 30], [4, 40], [4, 40]]
    np.testing.assert_allclose(bridged(series, seen), expected)


def silu(values: np.ndarray) -> np.ndarray:
    return values * 0.5 * (1 + np.tanh(values / 2))


@pytest.fixture
def random_network() -> LipSyncNetwork:
    """Two layers on each side with random weights; five components."""
    rng = np.random.default_rng(0)

    def layer(width: int, channels: int, outputs: int, stride: int = 1) -> Convolution:
        weights = rng.normal(0, 0.3, (width * channels, outputs)).astype(np.float32)
        biases = rng.normal(size=outputs).astype(np.float32)
        return Convolution(weights, biases, stride, width // 2)

    mouth = (layer(5, 10, 8), layer(3, 8, 4))
    sound = (layer(9, BANDS, 8, 4), layer(3, 8, 4))
    heard = rng.normal(size=(50, 4))
    return LipSyncNetwork(None, None, mouth, sound, heard.mean(axis=0), np.cov(heard.T))


@pytest.mark.parametrize("speed", [1.0, 0.2])
def test_the_lips_vectors(speed: float, random_network: LipSyncNetwork) -> None:
    """Shapes without their mean over the time around, and three times their rate of change; last
    how little the lips go with other sounds, which is less where they are still."""
    components = speed * np.random.default_rng(1).normal(size=(300, 5)).cumsum(axis=0)
    around = [components[max(0, i - 100) : i + 101].mean(axis=0) for i in range(300)]
    shapes = components - around
    motion = np.zeros_like(shapes)
    for i in range(1, 299):
        motion[i] = (shapes[i + 1] - shapes[i - 1]) / 2
    first, second = random_network.mouth_layers
    expected = second(silu(first(np.hstack([shapes, 3 * motion]).astype(np.float32))))
    found = random_network.lips(components)
    assert found.shape == (300, 5) and found.dtype == np.float32
    np.testing.assert_allclose(found[:, :4], expected, atol=1e-4)
    still = stillness(motion)
    assert still.max() == 0 if speed == 1 else still.min() > 0.2
    for products, last, unmoved in zip(expected.astype(float), found[:, 4], still, strict=True):
        other = products @ random_network.typical
        other += OTHERS_SHARE * products @ random_network.spread @ products + STILL_COST * unmoved
        assert last == pytest.approx(-other, rel=1e-4, abs=1e-3)
    # A face that looks otherwise at rest is no other.
    np.testing.assert_allclose(random_network.lips(components + 7), found, atol=1e-3)
    for count in (1, 2, 3):
        assert np.isfinite(random_network.lips(components[:count])).all()


def test_a_lost_face_is_bridged(random_network: LipSyncNetwork) -> None:
    components = np.linspace(0, 1, 60)[:, None] * np.arange(5.0)
    whole = random_network.lips(components)
    components[20:30] = np.nan
    components[40, 2] = np.nan
    found = random_network.lips(components)
    gone = np.r_[20:30, 40]
    assert np.isnan(found[gone]).all()
    np.testing.assert_allclose(
        np.delete(found, gone, axis=0), np.delete(whole, gone, axis=0), atol=1e-4
    )
    assert np.isnan(random_network.lips(np.full((9, 5), np.nan))).all()


def test_the_sounds_vectors(random_network: LipSyncNetwork) -> None:
    levels = np.random.default_rng(2).normal(-8, 2, (4 * 150, BANDS)).astype(np.float32)
    found = random_network.sounds(levels)
    assert found.shape == (150, 5) and found.dtype == np.float32
    around = np.array([levels[max(0, i - 200) : i + 201].mean(axis=0) for i in range(600)])
    gain = around.mean(axis=1, keepdims=True)
    inputs = np.clip(levels - gain - 0.7 * (around - gain), -6, 6) / 3
    first, second = random_network.sound_layers
    expected = second(silu(first(inputs.astype(np.float32))))
    np.testing.assert_allclose(found[:, :4], expected, atol=1e-4)
    # What the lips' last number is multiplied by.
    assert (found[:, 4] == 1).all()
    # A louder recording is no other, and of its timbre 0.3 is heard.
    np.testing.assert_allclose(random_network.sounds(levels + 3), found, atol=1e-3)
    assert random_network.sounds(levels[:0]).shape == (0, 5)


@pytest.mark.parametrize("frames", [0, 1, 99, 100, 101, 260, 320])
def test_a_long_sound_is_heard_in_parts(
    frames: int, random_network: LipSyncNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.random.default_rng(3).normal(0, 3000, 640 * frames).astype(np.int16)
    write_wav(tmp_path / "s.wav", sound, 16000)
    monkeypatch.setattr(mesh, "PART_FRAMES", 100)
    found = hear(random_network, tmp_path / "s.wav")
    assert found.shape == (frames, 5)
    np.testing.assert_allclose(found, random_network.sounds(log_mel(sound)), atol=1e-4)


# From here on the whole backend, with weights that are made here.


def test_a_file_of_weights_is_read(tmp_path: Path) -> None:
    """What is stored in half precision is worked with in single: numpy has no fast halves."""
    path = write_weights(tmp_path / "known.npz")
    halves = dict(np.load(path))
    halves["typical"], halves["spread"] = np.float32([2]), np.float32([[3]])
    halves["mouth_0_biases"], halves["sound_0_biases"] = np.float16([0.5]), np.float16([0.25])
    np.savez(path, **halves)
    network = load_network(path)
    for side, layers in (("mouth", network.mouth_layers), ("sound", network.sound_layers)):
        [layer] = layers
        assert layer.weights.dtype == layer.biases.dtype == np.float32
        np.testing.assert_array_equal(layer.weights, halves[f"{side}_0_weights"])
        np.testing.assert_array_equal(layer.biases, halves[f"{side}_0_biases"])
        assert [[layer.stride, layer.before]] == halves[f"{side}_places"].tolist()
    np.testing.assert_array_equal(network.basis, halves["basis"])
    assert (network.typical, network.spread) == ([2], [[3]])


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that sees how far the mouth is open, and hears how loud it is."""
    network = load_network(write_weights(tmp_path / "known.npz"))
    monkeypatch.setattr(mesh, "load_network", lambda: network)


FRAMES = 150
START = 20  # of the track in the film


def film(folder: Path, early: int, monkeypatch: pytest.MonkeyPatch) -> VideoFiles:
    """A drawn face that speaks; the sound is early by known frames, and there around the track."""
    count = START + FRAMES + 20
    speech = speak((count + 40) / 25, 16000, seed=3)
    # The pictures begin a second after the speech.
    face = Face(opening=speech.opening[500:], centre=(200.0, 200.0), height=180.0)
    pictures = portrait_frames([face], np.arange(count) / 25, size=(400, 400))
    samples = np.clip(speech.samples * 20000, -32768, 32767).astype(np.int16).ravel()
    sound = samples[640 * (25 + early) :][: 640 * count]
    write_wav(folder / "v.wav", sound, 16000)
    monkeypatch.setattr("talkingface.shots.proxy.proxy_frames", lambda path: pictures)
    return VideoFiles(folder / "unread", lambda frame: 2.0, folder / "v.wav")


def one_track() -> np.recarray:
    x, y, w, h = Face(centre=(200.0, 200.0), height=180.0).box(1.0)
    frames = range(START, START + FRAMES)
    rows = [(5, 0, k, 2 * x, 2 * y, 2 * w, 2 * h, 1.0, 1) for k in frames]
    return table_of_rows(TRACKS, rows)


def best(comparison: TrackComparison, speech: np.ndarray) -> TrackSync:
    return judge_track(comparison, speech, CALIBRATIONS["mesh"])


@pytest.mark.parametrize(("early", "most"), [(0, 15), (6, 15), (-9, 20), (2, 3)])
def test_a_drawn_speaker_is_found(
    early: int, most: int, known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From pixels: a drawn mouth driven by synthetic speech."""
    video = film(tmp_path, early, monkeypatch)
    comparison = MeshSync(max_offset=most, threads=2).compare(video, one_track())[5]
    reach = max(most, CHANCE_LAGS)
    assert comparison.likeness.shape == (FRAMES, 2 * reach + 1)
    # The sound around the track is there to be compared with.
    assert np.isfinite(comparison.likeness).all()
    assert comparison.opening.shape == (FRAMES,) and 0.05 < comparison.opening.std() < 0.5
    sync = best(comparison, np.ones(FRAMES))
    assert abs(sync.offset - early) <= 1
    assert sync.confidence > 0.5 and np.nanmean(sync.scores) > 0.5


def test_beyond_the_videos_ends_there_is_no_sound(
    known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = film(tmp_path, 0, monkeypatch)
    tracks = one_track()
    tracks.frame -= START
    sound = read_wav(video.sound)[: 640 * 100]
    write_wav(tmp_path / "v.wav", sound, 16000)
    table = MeshSync(max_offset=15, threads=1).compare(video, tracks)[5].likeness
    at = np.arange(FRAMES)[:, None] + np.arange(-15, 16)
    np.testing.assert_array_equal(np.isfinite(table), (at >= 0) & (at < 100))


def test_a_clip_is_compared_as_its_track_is(
    known: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from talkingface.faces.mesh import FaceMesh

    video = film(tmp_path, 4, monkeypatch)
    pictures = list(mesh_frames(video))[START : START + FRAMES]
    with FaceMesh(refine=False) as followed:
        points = np.stack([part for _, part in followed.follow_clip(pictures)])
    assert points.shape == (FRAMES, N_POINTS, 3)
    sound = read_wav(video.sound)[640 * START :][: 640 * FRAMES]
    comparison = compare_clip(points, sound, 15)
    sync = best(comparison, np.ones(FRAMES))
    assert abs(sync.offset - 4) <= 1
    at = np.arange(FRAMES)[:, None] + np.arange(-15, 16)
    np.testing.assert_array_equal(np.isfinite(comparison.likeness), (at >= 0) & (at < FRAMES))
    assert residual_offset(points, sound, np.ones(FRAMES)) == (sync.offset, sync.certainty)
    # Frames without a face are left out, and a clip without any says nothing.
    points[::3] = np.nan
    holes = compare_clip(points, sound, 15)
    assert np.isnan(holes.likeness[::3]).all() and np.isnan(holes.opening[::3]).all()
    assert abs(best(holes, np.ones(FRAMES)).offset - 4) <= 1
    points[:] = np.nan
    assert np.isnan(residual_offset(points, sound, np.ones(FRAMES))).all()


def mesh_frames(video: VideoFiles) -> list[np.ndarray]:
    from talkingface.shots import proxy

    return list(proxy.proxy_frames(video.proxy))


@pytest.mark.parametrize("offset", [-12, -5, 0, 1, 4, 9])
def test_what_is_left_of_an_offset_of_a_drawn_speaker(
    offset: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from talkingface.faces.landmarks import load as load_landmarker

    video = film(tmp_path, offset, monkeypatch)
    with load_landmarker("mediapipe") as landmarker:
        points = landmarker.run(mesh_frames(video)).points
    sound = read_wav(video.sound)[: 640 * len(points)]
    found, certainty = residual_offset(points, sound, np.ones(len(points)))
    assert abs(found - offset) <= 1
    assert certainty > 0.5
