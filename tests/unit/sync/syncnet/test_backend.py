from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")


from helpers import random_syncnet  # noqa: E402
from helpers.settings import default_settings  # noqa: E402
from talkingface.demo.face import Face, portrait_frames  # noqa: E402
from talkingface.demo.speech import speak  # noqa: E402
from talkingface.job.tables import table_of_rows, write_table  # noqa: E402
from talkingface.media.audio import write_wav  # noqa: E402
from talkingface.media.video import bgr_frames  # noqa: E402
from talkingface.media.writer import VideoWriter  # noqa: E402
from talkingface.models.store import StoredModel  # noqa: E402
from talkingface.sync.comparison import TrackComparison, VideoFiles  # noqa: E402
from talkingface.sync.sync import compare_tracks, load, make_sync  # noqa: E402
from talkingface.sync.syncnet import scores as syncnet_scores  # noqa: E402
from talkingface.sync.syncnet.backend import SyncNetSync, track_stretches  # noqa: E402
from talkingface.sync.syncnet.crops import crop_face, crop_squares  # noqa: E402
from talkingface.sync.syncnet.network import Embedder, read_network  # noqa: E402
from talkingface.tables import SPEECH, SYNC, SYNC_FRAMES, TRACKS  # noqa: E402

FRAMES = 50
START = 12  # of the track in the film
BOXES = {0: (130.0, 60.0, 110.0, 140.0), 1: (330.0, 100.0, 90.0, 100.0)}


def embedder(state: random_syncnet.State) -> Embedder:
    return Embedder(read_network(state, "memory"), torch.device("cpu"), torch.float32)


def tracks(spans: dict[int, tuple[int, int]]) -> np.recarray:
    rows = [
        (number, 0, k, *BOXES[number], 1.0, 1)
        for number, (start, end) in spans.items()
        for k in range(start, end)
    ]
    return table_of_rows(TRACKS, rows)


class OnFrames(SyncNetSync):
    """The backend on pictures that are decoded already."""

    def __init__(
        self, network: Embedder, frames: Iterable[tuple[int, np.ndarray]], ends: str
    ) -> None:
        super().__init__(network, max_offset=15, ends=ends, threads=1)
        self.frames = frames

    def compare(self, video: VideoFiles, tracks: np.recarray) -> dict[int, TrackComparison]:
        return self.compare_frames(self.frames, tracks, video.sound)


def sync_frames(
    frames: Iterable[tuple[int, np.ndarray]],
    tracks: np.recarray,
    sound: Path,
    network: Embedder,
    ends: str = "compatible",
) -> list[pd.DataFrame]:
    """Both tables, where somebody is heard all the time."""
    backend = OnFrames(network, frames, ends)
    tables = compare_tracks(
        backend, VideoFiles("", lambda frame: 1.0, sound), tracks, np.ones(FRAMES)
    )
    return [pd.DataFrame(table) for table in tables]


def noise_film(count: int, seed: int = 0) -> np.ndarray:
    """Blotches that change from frame to frame, (count, 240, 480, 3)."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (count, 24, 48, 3), np.uint8)
    return small.repeat(10, axis=1).repeat(10, axis=2)


def noise_sound(frames: int, seed: int = 1) -> np.ndarray:
    """Each tenth of a second has a loudness and a colour of its own."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(size=640 * frames)
    gain = np.repeat(rng.uniform(200, 5000, 1 + len(samples) // 1600), 1600)[: len(samples)]
    return np.clip(samples * gain, -32768, 32767).astype(np.int16)


def cropped(film: np.ndarray, number: int, start: int, end: int) -> np.ndarray:
    boxes = np.tile(BOXES[number], (end - start, 1))
    squares = crop_squares(boxes)
    return np.stack([crop_face(film[start + i], square) for i, square in enumerate(squares)])


@pytest.fixture(scope="module")
def state() -> random_syncnet.State:
    return random_syncnet.random_state()


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The distances that were judged, in order of the tracks."""
    tables: list[np.ndarray] = []

    def record(table: np.ndarray) -> syncnet_scores.OffsetEstimate:
        tables.append(table)
        return estimate_offset(table)

    estimate_offset = syncnet_scores.estimate_offset
    monkeypatch.setattr(syncnet_scores, "estimate_offset", record)
    # Tracks here are too short for it.
    monkeypatch.setattr(syncnet_scores, "local_offsets", lambda table: [])
    return tables


def test_distances_are_syncnet_pythons(
    state: random_syncnet.State,
    judged: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every number of a track is that of the published evaluation of its crop and its sound."""
    # More than one block of sound and of lips.
    monkeypatch.setattr("talkingface.sync.syncnet.sound.BLOCK", 16)
    monkeypatch.setattr("talkingface.sync.syncnet.backend.LIP_BLOCK", 8)
    film, sound = noise_film(FRAMES), noise_sound(FRAMES)
    write_wav(tmp_path / "s.wav", sound, 16000)
    spans = {0: (START, 45), 1: (20, 38)}
    table, frames = sync_frames(enumerate(film), tracks(spans), tmp_path / "s.wav", embedder(state))
    assert list(table) == SYNC.names and list(frames) == SYNC_FRAMES.names
    for number, (start, end) in spans.items():
        expected = random_syncnet.published_distances(
            state, cropped(film, number, start, end), sound[640 * start : 640 * end]
        )
        assert expected.shape == (end - start - 5, 31)
        np.testing.assert_allclose(judged[number], expected, atol=1e-4)
        offset, confidence, lowest = random_syncnet.published_result(expected)
        row = table.iloc[number]
        assert (row.track, row.offset, row.backend) == (number, offset, "syncnet")
        assert row.confidence == pytest.approx(confidence, abs=1e-3)
        assert row.distance == pytest.approx(lowest, abs=1e-3)
        own = frames[frames.track == number]
        assert list(own.frame) == list(range(start, end))


def test_valid_ends_hear_the_video_around_the_track(
    state: random_syncnet.State, judged: list[np.ndarray], tmp_path: Path
) -> None:
    """The sound of the whole film, compared literally; nothing beyond its ends."""
    film, sound = noise_film(FRAMES), noise_sound(FRAMES)
    write_wav(tmp_path / "s.wav", sound, 16000)
    sync_frames(
        enumerate(film), tracks({0: (START, 40)}), tmp_path / "s.wav", embedder(state), ends="valid"
    )
    lips, _ = random_syncnet.published_windows(cropped(film, 0, START, 40), sound[: 640 * 28])
    _, sounds = random_syncnet.published_windows(np.zeros((FRAMES, 1, 1, 3)), sound)
    with torch.inference_mode():
        lip = random_syncnet.embedding(state, "lip", lips).numpy()
        heard = random_syncnet.embedding(state, "aud", sounds).numpy()
    expected = np.full((23, 31), np.nan)
    for i in range(23):
        for shift in range(-15, 16):
            at = START + i + shift
            if 0 <= at < len(heard):
                expected[i, shift + 15] = np.linalg.norm(lip[i] - heard[at] + 1e-6)
    assert np.isnan(expected[0, :3]).all() and not np.isnan(expected[0, 3:]).any()
    np.testing.assert_allclose(judged[0], expected, atol=1e-4)


@pytest.fixture(scope="module")
def spoken() -> tuple[np.ndarray, np.ndarray, random_syncnet.State]:
    """A drawn speaker, the speech, and a network that knows which belongs to which."""
    speech = speak(FRAMES / 25 + 1, 16000, seed=3)
    face = Face(opening=speech.opening, centre=(185.0, 130.0), height=140.0)
    film = np.stack(list(portrait_frames([face], np.arange(FRAMES) / 25, size=(400, 300))))
    sound = np.clip(speech.samples * 20000, -32768, 32767).astype(np.int16).ravel()
    known = cropped(film, 0, 0, FRAMES)
    return film, sound, random_syncnet.fitted_state(known, sound[: 640 * FRAMES])


@pytest.mark.parametrize(
    ("early", "ends"), [(4, "compatible"), (-6, "compatible"), (0, "valid"), (4, "valid")]
)
def test_early_sound_has_a_positive_offset(
    spoken: tuple[np.ndarray, np.ndarray, random_syncnet.State],
    early: int,
    ends: str,
    tmp_path: Path,
) -> None:
    film, sound, state = spoken
    moved = np.roll(sound, -640 * early)[: 640 * FRAMES]
    write_wav(tmp_path / "s.wav", moved, 16000)
    table, frames = sync_frames(
        enumerate(film), tracks({0: (0, FRAMES)}), tmp_path / "s.wav", embedder(state), ends=ends
    )
    assert table.offset[0] == early
    assert table.confidence[0] > 3
    assert table.trusted[0] == (early != 0)
    assert np.isnan(table.drift[0])
    assert frames.score[15:35].min() > 3
    assert table.probability[0] > 0.9 and frames.probability[15:35].min() > 0.9
    assert frames.opening.isna().all()


@pytest.mark.parametrize("ends", ["compatible", "valid"])
def test_likeness_is_less_the_distance_of_the_frames_window(
    state: random_syncnet.State, judged: list[np.ndarray], ends: str, tmp_path: Path
) -> None:
    """Window i shows frames i to i + 4, and is that of frame i + 3 (run_visualise.py)."""
    write_wav(tmp_path / "s.wav", noise_sound(FRAMES), 16000)
    backend = SyncNetSync(embedder(state), max_offset=15, ends=ends, threads=1)
    given = enumerate(noise_film(FRAMES))
    found = backend.compare_frames(given, tracks({0: (START, 40)}), tmp_path / "s.wav")[0]
    [distances] = judged
    assert found.likeness.shape == (28, 31) and distances.shape == (23, 31)
    # The film has 45 windows of sound, the track by itself 23.
    sounds = range(23) if ends == "compatible" else range(-START, 45 - START)
    for k in range(28):
        window = min(max(k - 3, 0), 22)
        for shift in range(-15, 16):
            likeness = found.likeness[k, shift + 15]
            if window + shift in sounds and k < 27:
                assert likeness == -distances[window, shift + 15]
            else:
                assert np.isnan(likeness)


def test_pictures_may_begin_late_and_end_early(
    state: random_syncnet.State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the tracks' stretches are asked for; what is between them may be there or not."""
    film = noise_film(FRAMES)
    write_wav(tmp_path / "s.wav", noise_sound(FRAMES), 16000)
    table = tracks({0: (START, 22), 1: (40, 49)})
    assert track_stretches(table) == [(START, 22), (40, 49)]

    def needed() -> Iterator[tuple[int, np.ndarray]]:
        for start, end in track_stretches(table):
            yield from ((k, film[k]) for k in range(start, end))
        raise AssertionError("more was read than is needed")

    network = embedder(state)
    few = sync_frames(needed(), table, tmp_path / "s.wav", network)
    monkeypatch.setattr("talkingface.sync.syncnet.backend.BATCHES", {"cpu": 3})
    whole = sync_frames(enumerate(film), table, tmp_path / "s.wav", network)
    for one, other in zip(few, whole, strict=True):
        pd.testing.assert_frame_equal(one, other, atol=2e-3)


def test_missing_frames_are_an_error(state: random_syncnet.State, tmp_path: Path) -> None:
    film = list(enumerate(noise_film(30)))
    write_wav(tmp_path / "s.wav", noise_sound(30), 16000)
    table, network = tracks({0: (2, 20)}), embedder(state)
    for given, match in (
        (film[:10], "end before frame 19"),
        (film[:7] + film[8:], "frame 7 of a track"),
        (film[5:], "frame 2 of a track"),
    ):
        with pytest.raises(ValueError, match=match):
            sync_frames(given, table, tmp_path / "s.wav", network)


def test_short_tracks_and_short_sound_say_nothing(
    state: random_syncnet.State, tmp_path: Path
) -> None:
    film, network = enumerate(noise_film(30)), embedder(state)
    write_wav(tmp_path / "s.wav", noise_sound(12), 16000)
    # The first has no window at all; of the second the sound covers seven frames.
    both = tracks({0: (3, 8), 1: (5, 25)})
    table, frames = sync_frames(film, both, tmp_path / "s.wav", network)
    assert list(table.offset[:1]) == [0] and list(table.confidence[:1]) == [0.0]
    assert list(table.probability[:1]) == [0.5] and table.trusted[0] == 0
    assert len(frames) == 5 + 20 and not frames.score[:5].any()
    empty = sync_frames([], tracks({}), tmp_path / "s.wav", network)
    assert [list(t) for t in empty] == [SYNC.names, SYNC_FRAMES.names]
    with pytest.raises(ValueError, match="ends"):
        sync_frames([], tracks({}), tmp_path / "s.wav", network, ends="other")


def test_the_raw_file_is_decoded_where_there_are_tracks(
    state: random_syncnet.State, tmp_path: Path
) -> None:
    with VideoWriter(tmp_path / "v.mp4", 480, 240, preset="superfast", crf=18) as writer:
        for picture in noise_film(30):
            writer.write(av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p"))
    write_wav(tmp_path / "s.wav", noise_sound(30), 16000)
    torch.save(state, tmp_path / "syncnet_v2.model")
    table = tracks({0: (3, 25)})
    backend = load(
        "syncnet",
        model=StoredModel("syncnet", tmp_path, ""),
        device="cpu",
        threads=2,
        **{key: value for key, value in default_settings("sync").items() if key != "backend"},
    )
    video = VideoFiles(
        tmp_path / "missing", lambda frame: 2.0, tmp_path / "s.wav", tmp_path / "v.mp4"
    )
    found = [pd.DataFrame(part) for part in compare_tracks(backend, video, table, np.ones(FRAMES))]
    frames = bgr_frames(tmp_path / "v.mp4")
    expected = sync_frames(frames, table, tmp_path / "s.wav", embedder(state))
    assert [len(part) for part in found] == [1, 22]
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_without_the_raw_file_it_says_so(state: random_syncnet.State, tmp_path: Path) -> None:
    backend = SyncNetSync(embedder(state), max_offset=15, ends="valid", threads=1)
    with pytest.raises(ValueError, match="raw file, which is not given"):
        backend.compare(VideoFiles(tmp_path, lambda frame: 1.0, tmp_path), tracks({0: (3, 25)}))


def test_a_video_without_faces_needs_no_checkpoint(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    outputs = [tmp_path / "sync.csv", tmp_path / "sync.frames.csv"]
    write_table(tracks({}), tmp_path / "tracks.csv", TRACKS)
    write_table(table_of_rows(SPEECH, []), tmp_path / "speech.csv", SPEECH)
    make_sync(
        VideoFiles(missing, lambda frame: 1.0, missing, missing),
        tmp_path / "tracks.csv",
        tmp_path / "speech.csv",
        *outputs,
        model=StoredModel("syncnet", missing, ""),
        device="cpu",
        threads=1,
        **default_settings("sync") | {"backend": "syncnet"},
    )
    found = [pd.read_csv(path) for path in outputs]
    assert [list(t) for t in found] == [SYNC.names, SYNC_FRAMES.names]
    assert not any(map(len, found))
