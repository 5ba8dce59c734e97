"""What is said of tracks whose likeness at every lag is drawn here; the stage without a face."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from helpers.paths import SCRIPTS
from helpers.settings import default_settings
from talkingface.job.tables import empty_table, table_of_rows, write_table
from talkingface.models.table import ModelError
from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.sync.comparison import TrackComparison, VideoFiles
from talkingface.sync.probability import Calibration, frame_scores, mean_score, probability
from talkingface.sync.speakers import SILENCE
from talkingface.sync.sync import (
    BACKENDS,
    compare_tracks,
    judge_track,
    make_sync,
    residual_offset,
)
from talkingface.tables import SPEECH, SYNC, SYNC_FRAMES, TRACKS

HEADERS = [
    "track,offset,confidence,probability,trusted,backend,distance,drift\n",
    "track,frame,score,probability,opening\n",
]


def made(folder: Path, tracks: np.recarray, backend: str) -> list[str]:
    """The stage on a video of which there is nothing but the tracks: both tables' text."""
    write_table(tracks, folder / "tracks.csv", TRACKS)
    write_table(table_of_rows(SPEECH, [(k, 0.9) for k in range(9)]), folder / "speech.csv", SPEECH)
    missing = folder / "missing"
    outputs = [folder / "sync.csv", folder / "sync.frames.csv"]
    settings = default_settings("sync") | {"backend": backend}
    make_sync(
        VideoFiles(proxy=missing, scale_at=lambda frame: 1.0, sound=missing, media=missing),
        folder / "tracks.csv",
        folder / "speech.csv",
        *outputs,
        model=None,
        device="cpu",
        threads=1,
        **settings,
    )
    return [path.read_text() for path in outputs]


def some_tracks(spans: Mapping[int, tuple[int, int, int]]) -> np.recarray:
    """Tracks by number: the scene, the first frame and the one after the last."""
    rows = [
        (number, scene, k, 1.5, 2, 3, 4, 0.9, 1)
        for number, (scene, start, stop) in spans.items()
        for k in range(start, stop)
    ]
    return table_of_rows(TRACKS, rows)


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_track_gives_two_tables_with_headers(backend: str, tmp_path: Path) -> None:
    """Whatever the backend; nothing is loaded or read."""
    assert made(tmp_path, empty_table(TRACKS), backend) == HEADERS


def test_none_judges_no_face(tmp_path: Path) -> None:
    assert made(tmp_path, some_tracks({1: (0, 3, 9)}), "none") == HEADERS


def test_an_unknown_backend_and_one_without_its_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'lips' is none of mesh, syncnet, none"):
        made(tmp_path, some_tracks({1: (0, 3, 9)}), "lips")
    pytest.importorskip("torch")
    with pytest.raises(ModelError, match=r"syncnet needs its model; or set sync\.backend"):
        made(tmp_path, some_tracks({1: (0, 3, 9)}), "syncnet")


# How the likeness that is drawn here scores: noise of mean 0 and standard deviation 1, and 1 more
# at the lag of who speaks.
KNOWN = Calibration(
    speaks=1.0,
    chance=0.0,
    speaks_spread=0.3,
    chance_spread=0.1,
    frame_spread=1.0,
    chance_peak=1.5,
    offset_gain=1.0,
)
V = 15


def drawn(
    frames: int, lag: int | None, seed: int = 0, speaks: np.ndarray | None = None, height: float = 1
) -> np.ndarray:
    """(frames, 2 V + 1) likeness of who speaks with the sound `lag` frames later, in the frames of
    `speaks` or all; None: of who does not."""
    likeness = np.random.default_rng(seed).normal(size=(frames, 2 * V + 1)).astype(np.float32)
    if lag is not None:
        likeness[:, V + lag] += height * (np.ones(frames) if speaks is None else speaks)
    return likeness


def compared(likeness: np.ndarray, **others: object) -> TrackComparison:
    return TrackComparison(likeness, np.full(len(likeness), 0.1), **others)


@pytest.mark.parametrize("lag", [-14, -6, 0, 1, 9])
def test_the_offset_is_positive_when_the_sound_leads(lag: int) -> None:
    """When what is seen in frame t is heard in a frame before it."""
    likeness = drawn(200, lag)
    found = judge_track(compared(likeness), np.ones(200), KNOWN)
    assert found.offset == -lag
    assert found.certainty > 0.99 and found.probability > 0.99
    np.testing.assert_array_equal(found.scores, frame_scores(likeness, lag))
    # Whether somebody is heard beyond the track is not known, so frames with that sound are out.
    inside = slice(max(0, -lag), 200 - max(0, lag))
    assert found.confidence == pytest.approx(found.scores[inside].mean())
    assert found.confidence == pytest.approx(1, abs=0.25)
    np.testing.assert_array_equal(np.isfinite(found.heard), np.isin(np.arange(200), np.r_[inside]))


def test_who_does_not_speak_is_not_probable() -> None:
    """Wherever the best offset is by chance."""
    found = [judge_track(compared(drawn(150, None, s)), np.ones(150), KNOWN) for s in range(20)]
    assert max(sync.probability for sync in found) < 0.1
    assert len({sync.offset for sync in found}) > 5


def test_the_probability_is_that_of_the_mean_score() -> None:
    speech = np.random.default_rng(1).uniform(size=40)
    likeness = drawn(40, 0, height=0.6)
    found = judge_track(compared(likeness), speech, KNOWN)
    scores = frame_scores(likeness, 0)
    mean = (scores * speech).sum() / speech.sum()
    assert (found.offset, found.confidence) == (0, pytest.approx(mean))
    expected = 1 / (1 + np.exp(-KNOWN.log_odds(mean, speech.sum())))
    assert found.probability == pytest.approx(float(expected)) and 0.01 < expected < 0.99


def test_only_what_is_said_while_somebody_is_heard_counts() -> None:
    """In the second half nobody is heard, and by chance all seems to be three frames late there."""
    lag = -4
    likeness = drawn(300, lag)
    likeness[150:] = drawn(150, 3, height=4)
    speech = (np.arange(300) < 150).astype(float)
    found = judge_track(compared(likeness), speech, KNOWN)
    assert found.offset == 4
    # The sound of frame t is that of frame t - 4, so lips are judged up to frame 153.
    np.testing.assert_array_equal(found.heard[4:] > 0.5, np.arange(4, 300) < 154)
    assert np.isnan(found.heard[:4]).all()
    assert found.confidence == pytest.approx(found.scores[4:154].mean())
    whole = judge_track(compared(likeness), np.ones(300), KNOWN)
    assert whole.offset == -3


def test_nothing_is_said_where_nothing_is_heard_or_seen() -> None:
    likeness = drawn(80, 3)
    for table, speech in (
        (likeness, np.zeros(80)),
        (np.full_like(likeness, np.nan), np.ones(80)),
    ):
        found = judge_track(compared(table), speech, KNOWN)
        assert (found.offset, found.confidence) == (0, 0)
        assert (found.probability, found.certainty) == (0.5, 0)
    # A whisper says next to nothing.
    found = judge_track(compared(likeness), np.full(80, 0.002), KNOWN)
    assert found.probability == pytest.approx(0.5, abs=0.05) and found.certainty < 0.3


@pytest.mark.parametrize("frames", [1, 2, 7, 20])
def test_tracks_shorter_than_the_lags(frames: int) -> None:
    likeness = drawn(frames, 0)
    likeness[0] = np.nan
    found = judge_track(compared(likeness), np.ones(frames), KNOWN)
    assert abs(found.offset) < frames and found.scores.shape == found.heard.shape == (frames,)
    assert 0 < found.probability < 1 and 0 <= found.certainty <= 1
    assert np.isnan(found.scores[0])


def test_gaps_are_left_out() -> None:
    likeness = drawn(300, 5)
    likeness[::2] = np.nan
    likeness[100:150] = np.nan
    found = judge_track(compared(likeness), np.ones(300), KNOWN)
    seen = np.isfinite(likeness[:, 0])
    assert found.offset == -5 and found.probability > 0.9
    np.testing.assert_array_equal(np.isfinite(found.scores), seen)
    assert found.confidence == pytest.approx(found.scores[seen & (np.arange(300) < 295)].mean())


def test_offsets_are_looked_for_as_far_as_asked() -> None:
    likeness = drawn(200, 9) + drawn(200, 2, seed=1)
    judged = [
        judge_track(compared(likeness, max_offset=most), np.ones(200), KNOWN).offset
        for most in (15, 3)
    ]
    likeness[:, V + 9] += 1
    judged += [
        judge_track(compared(likeness, max_offset=most), np.ones(200), KNOWN).offset
        for most in (15, 9, 3)
    ]
    assert judged[1] == judged[4] == -2 and judged[2] == judged[3] == -9


def test_a_backends_own_rule_goes_before() -> None:
    """But what is certain of its offset is certain by the curve, and it is judged by its own scores
    where lips and sound can be compared."""
    likeness, scores = drawn(200, 6), np.random.default_rng(5).normal(0.7, 1, 200)
    likeness[:3] = np.nan
    own = compared(likeness, offset=-6, confidence=7.5, scores=scores)
    found = judge_track(own, np.ones(200), KNOWN)
    assert (found.offset, found.confidence) == (-6, 7.5) and found.certainty > 0.99
    np.testing.assert_array_equal(found.scores, scores)
    expected = KNOWN.log_odds(*mean_score(scores[3:194], np.ones(191)))
    assert found.probability == pytest.approx(float(probability(expected)))
    np.testing.assert_array_equal(np.isfinite(found.heard), np.isin(np.arange(200), np.r_[3:194]))
    other = judge_track(compared(likeness, offset=2, scores=scores), np.ones(200), KNOWN)
    assert other.offset == 2 and other.certainty < 0.01


class Drawn:
    """A backend whose likeness of tracks, by their number, was drawn here."""

    name = "drawn"
    trusted_confidence = -np.inf
    trusted_offset = 2

    def __init__(self, tables: Mapping[int, TrackComparison]) -> None:
        self.tables = tables

    def compare(self, video: VideoFiles, tracks: np.recarray) -> Mapping[int, TrackComparison]:
        return self.tables


@pytest.fixture(autouse=True)
def calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CALIBRATIONS, "drawn", KNOWN)


NO_VIDEO = VideoFiles("", lambda frame: 1.0, "")


def tables(
    backend: Drawn, tracks: np.recarray, speech: np.ndarray
) -> tuple[np.recarray, np.recarray]:
    return compare_tracks(backend, NO_VIDEO, tracks, speech)


@pytest.mark.parametrize(
    ("lag", "trusted"), [(-2, 1), (2, 1), (12, 1), (-1, 0), (0, 0), (1, 0), (15, 0)]
)
def test_an_offset_of_two_frames_and_more_is_trusted(lag: int, trusted: int) -> None:
    """One that lies at the edge of what is searched is not: the right one may be beyond."""
    backend = Drawn({4: compared(drawn(200, lag))})
    [row], _ = tables(backend, some_tracks({4: (0, 7, 207)}), np.ones(300))
    assert (row.offset, row.trusted) == (-lag, trusted)


def test_an_offset_is_trusted_where_it_is_certain_and_the_voice_probably_the_own() -> None:
    tracks, speech = some_tracks({4: (0, 0, 200)}), np.ones(200)
    sure = compared(drawn(200, 8))
    [row], _ = tables(Drawn({4: sure}), tracks, speech)
    assert row.trusted == 1
    # Two offsets as good as each other.
    both = drawn(200, 8)
    both[:, V - 4] += both[:192, V + 8].mean() - both[4:, V - 4].mean()
    [row], _ = tables(Drawn({4: compared(both)}), tracks, speech)
    assert row.offset in (-8, 4) and row.probability > 0.9 and row.trusted == 0
    # Certain, but of a likeness as chance has it.
    weak = compared(drawn(2000, 8, height=0.15))
    assert judge_track(weak, np.ones(2000), KNOWN).certainty > 0.99
    [row], _ = tables(Drawn({4: weak}), some_tracks({4: (0, 0, 2000)}), np.ones(2000))
    assert row.offset == -8 and row.probability < 0.5 and row.trusted == 0
    # A backend has a least confidence and a least offset of its own.
    strict = Drawn({4: sure})
    strict.trusted_confidence = 3.0
    assert tables(strict, tracks, speech)[0].trusted[0] == 0
    strict.trusted_confidence, strict.trusted_offset = 0.5, 9
    assert tables(strict, tracks, speech)[0].trusted[0] == 0
    strict.trusted_offset = 8
    assert tables(strict, tracks, speech)[0].trusted[0] == 1


def test_tracks_hear_what_is_said_in_their_own_frames() -> None:
    """The speech of the video's frames 50 to 89, of which a track has the last 20, another none."""
    speech = np.zeros(400)
    speech[50:90] = 1
    own = {1: compared(drawn(100, 0)), 2: compared(drawn(100, 0, seed=1))}
    table, frames = tables(Drawn(own), some_tracks({1: (0, 70, 170), 2: (1, 200, 300)}), speech)
    assert list(table.track) == [1, 2]
    assert table.confidence[0] == pytest.approx(
        frame_scores(own[1].likeness, 0)[:20].mean(), abs=1e-3
    )
    assert table.probability[0] > 0.9 and table.probability[1] == 0.5
    assert (table.confidence[1], table.trusted[1]) == (0, 0)
    assert list(frames.frame) == [*range(70, 170), *range(200, 300)]


def test_two_faces_take_turns() -> None:
    """Each speaks for four seconds; in the next shot another does all the time."""
    turns = np.arange(800) // 100 % 2 == 0
    found = {
        3: compared(drawn(800, 0, 1, turns, height=1.2)),
        5: compared(drawn(800, -4, 2, ~turns, height=1.2)),
        6: compared(drawn(200, 0, 3, height=1.2)),
    }
    tracks = some_tracks({5: (0, 100, 900), 3: (0, 100, 900), 6: (1, 900, 1100)})
    table, frames = tables(Drawn(found), tracks, np.ones(1100))
    assert list(table.track) == [3, 5, 6] and list(table.offset) == [0, 4, 0]
    first, second, third = (frames.probability[frames.track == n] for n in (3, 5, 6))
    assert ((first > 0.5) == turns).mean() > 0.95 and ((second > 0.5) == ~turns).mean() > 0.95
    assert (first + second <= 1.002).all()
    # A shot is judged by itself.
    assert np.median(third) > 0.99
    assert list(frames.frame[frames.track == 6]) == list(range(900, 1100))


def test_somebody_off_screen_and_nobody_at_all() -> None:
    tracks = some_tracks({1: (0, 0, 600)})
    talks = np.arange(600) < 300
    speech = np.where(np.arange(600) < 450, 1.0, 0.0)
    _, frames = tables(Drawn({1: compared(drawn(600, 0, speaks=talks))}), tracks, speech)
    assert frames.probability[20:280].min() > 0.9
    # Another is heard until frame 450, then nobody.
    assert np.median(frames.probability[320:440]) < 0.1
    assert frames.probability[470:].max() < 0.1


def test_a_shot_says_nothing_of_the_next() -> None:
    """Somebody off screen speaks in the first; in the second nothing is seen of the lips."""
    silent = compared(drawn(200, None))
    # A backend's own rule may say something of them all the same.
    unseen = compared(np.full((200, 31), np.nan), scores=np.zeros(200))
    tracks = some_tracks({1: (0, 0, 200), 2: (1, 200, 400)})
    _, frames = tables(Drawn({1: silent, 2: unseen}), tracks, np.ones(400))
    assert np.median(frames.probability[:200]) < 0.1
    assert set(frames.probability[200:]) == {0.5}


def test_faces_that_a_backend_leaves_out_have_no_rows() -> None:
    tracks = some_tracks({1: (0, 0, 50), 2: (0, 0, 50)})
    table, frames = tables(Drawn({2: compared(drawn(50, 0))}), tracks, np.ones(50))
    assert list(table.track) == [2] and set(frames.track) == {2}


def test_what_is_written_is_rounded_and_left_empty(tmp_path: Path) -> None:
    likeness = np.zeros((2, 31), np.float32)
    likeness[0, V] = 0.12345
    likeness[1] = np.nan
    opening = np.array([0.00004, np.nan])
    backend = Drawn({4: TrackComparison(likeness, opening, confidence=1.00049)})
    found = tables(backend, some_tracks({4: (0, 7, 9)}), np.zeros(9))
    for table, definition in zip(found, (SYNC, SYNC_FRAMES), strict=True):
        write_table(table, tmp_path / "t.csv", definition)
        header, *rows = (tmp_path / "t.csv").read_text().splitlines()
        assert header == ",".join(definition.names)
        if definition is SYNC:
            assert rows == ["4,0,1.0,0.5,0,drawn,,"]
        else:
            # A frame of silence speaks against its face.
            chance = round(1 / (1 + np.exp(SILENCE)), 3)
            assert rows == [f"4,7,0.123,{chance},0.0", f"4,8,,{chance},"]


def test_a_clips_sound_must_be_as_long_as_its_pictures() -> None:
    with pytest.raises(ValueError, match="96000.* samples for a clip of 149 frames"):
        residual_offset(np.zeros((149, 478, 3)), np.zeros(96000, np.int16), np.ones(149))


def test_other_backends_load_nothing_of_the_mesh() -> None:
    """mediapipe, scipy and torch are not imported with the module."""
    code = "import sys, talkingface.sync.sync as s\n"
    code += (
        "s.load('none', model=None, device='', threads=1, max_offset=1, ends='', precision='')\n"
    )
    code += "print(sorted({'mediapipe', 'scipy', 'cv2', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "[]\n"
