from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from talkingface.media.audio import write_wav
from talkingface.proxy import Proxy
from talkingface.segments import COLUMNS, Thresholds, judge_segments, kept

OK = {"status": "ok", "reason": None}
PROXY = Proxy("ok", None, 400, (1280, 720), (640, 360))
THRESHOLDS = Thresholds(
    min_frames=75,
    max_frames=500,
    min_face_height=100,
    min_detected_share=0.7,
    max_other_face_share=0.1,
    min_loudness=-50,
    min_confidence=2,
    max_offset=15,
)


def track(
    number: int, start: int, end: int, *, x: float = 400, height: float = 200
) -> pd.DataFrame:
    """A face that stands still and is seen in every frame."""
    frames = np.arange(start, end)
    return pd.DataFrame(
        {
            "track": number,
            "scene": 0,
            "frame": frames,
            "x": x,
            "y": 200.0,
            "w": 0.8 * height,
            "h": height,
            "confidence": 0.9,
            "detected": 1,
        }
    )


def sync(**confidences: float) -> pd.DataFrame:
    """One row a track, `t0=5.0` for track 0."""
    rows = [(int(name[1:]), 0, value, 0) for name, value in confidences.items()]
    return pd.DataFrame(rows, columns=["track", "offset", "confidence", "trusted"])


def frame_scores(tracks: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    scores = tracks[["track", "frame"]].merge(table[["track", "confidence"]], on="track")
    return scores.rename(columns={"confidence": "score"}).assign(openness=0.0)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """16 s: loud, from second 12 on digital silence."""
    samples = np.random.default_rng(0).normal(0, 3000, 16 * 16000).astype(np.int16)
    samples[12 * 16000 :] = 0
    write_wav(tmp_path / "sound.wav", samples, 16000)
    return tmp_path / "sound.wav"


def judge(
    sound: Path,
    *tracks: pd.DataFrame,
    table: pd.DataFrame | None = None,
    thresholds: Thresholds = THRESHOLDS,
    **settings: Any,
) -> pd.DataFrame:
    together = pd.concat(tracks, ignore_index=True) if tracks else track(0, 0, 0)
    table = sync(**{f"t{n}": 5.0 for n in together.track.unique()}) if table is None else table
    return judge_segments(
        "v",
        OK,
        PROXY,
        together,
        table,
        frame_scores(together, table),
        sound,
        replace(thresholds, **settings),
    )


def only(ledger: pd.DataFrame) -> pd.Series:
    assert len(ledger) == 1
    assert list(ledger) == COLUMNS
    return ledger.iloc[0]


def test_a_good_track_is_kept_with_its_measures(sound: Path) -> None:
    row = only(judge(sound, track(0, 10, 110)))
    assert row.verdict == "kept"
    assert row.clip_id == "v_000010_000110_00"
    assert (row.n_frames, row.face_height, row.detected_share) == (100, 200, 1)
    # 3000 / 32768 as root mean square.
    assert row.loudness == pytest.approx(20 * np.log10(3000 / 32768), abs=0.2)
    assert (row.confidence, row.other_face_share) == (5, 0)


@pytest.mark.parametrize(
    ("face", "stage", "reason", "value", "threshold"),
    [
        (track(0, 0, 74), "tracks", "too_short", 74, 75),
        (track(0, 0, 100, height=99), "tracks", "small_face", 99, 100),
        (track(0, 305, 395), "proxy", "silent", -100, -50),
    ],
)
def test_the_threshold_missed_is_named(
    sound: Path, face: pd.DataFrame, stage: str, reason: str, value: float, threshold: float
) -> None:
    row = only(judge(sound, face))
    assert (row.verdict, row.stage, row.reason) == ("rejected", stage, reason)
    assert (row.value, row.threshold) == (value, threshold)


def test_a_face_seen_too_rarely(sound: Path) -> None:
    face = track(0, 0, 100)
    face.loc[20:79, "detected"] = 0
    row = only(judge(sound, face))
    assert row.reason == "face_lost"
    assert row.value == pytest.approx(0.4, abs=0.02)


def test_a_face_seen_now_and_then(sound: Path) -> None:
    """As tracks says it: frames between two samples of which one missed the face are 0."""
    face = track(0, 0, 100)
    face["detected"] = (face.frame % 10 == 0).astype(int)
    row = only(judge(sound, face))
    assert (row.reason, row.value) == ("face_lost", 0.1)


def test_a_silent_mouth(sound: Path) -> None:
    row = only(judge(sound, track(0, 0, 100), table=sync(t0=1.9)))
    assert (row.stage, row.reason, row.value, row.threshold) == ("sync", "not_speaking", 1.9, 2)


def test_of_two_faces_the_one_that_fits_the_sound(sound: Path) -> None:
    faces = [track(0, 0, 100, x=100), track(1, 0, 100, x=800)]
    ledger = judge(sound, *faces, table=sync(t0=3.0, t1=7.0)).set_index("track")
    assert ledger.verdict[1] == "kept"
    assert ledger.reason[0] == "other_speaks"
    assert (ledger.value[0], ledger.threshold[0]) == (3, 7)


def test_one_after_the_other_both_are_kept(sound: Path) -> None:
    faces = [track(0, 0, 100, x=100), track(1, 100, 200, x=800)]
    assert list(judge(sound, *faces, table=sync(t0=3.0, t1=7.0)).verdict) == ["kept", "kept"]


def test_a_face_too_near(sound: Path) -> None:
    # Centres 150 px apart; the neighbourhood reaches 1.6 * 200 / 2 = 160 px.
    near = [track(0, 0, 100, x=300), track(1, 0, 100, x=450)]
    assert set(judge(sound, *near).reason) == {"other_face"}
    far = [track(0, 0, 100, x=300), track(1, 0, 100, x=480)]
    assert "other_face" not in set(judge(sound, *far).reason)
    briefly = [track(0, 0, 100, x=300), track(1, 0, 9, x=450)]
    assert judge(sound, *briefly).verdict[0] == "kept"


def test_an_offset_too_large(sound: Path) -> None:
    table = sync(t0=9.0).assign(offset=-8)
    assert only(judge(sound, track(0, 0, 100), table=table)).verdict == "kept"
    row = only(judge(sound, track(0, 0, 100), table=table, max_offset=7))
    assert (row.reason, row.value, row.threshold) == ("offset", -8, 7)


def test_without_sync_nobody_is_judged_by_it(sound: Path) -> None:
    row = only(judge(sound, track(0, 0, 100), table=sync()))
    assert row.verdict == "kept"
    assert pd.isna(row.confidence) and pd.isna(row.offset)


def test_long_tracks_are_cut_into_equal_parts(sound: Path) -> None:
    ledger = judge(sound, track(0, 7, 287), max_frames=100)
    assert list(ledger.start_frame) == [7, 100, 193]
    assert list(ledger.end_frame) == [100, 193, 287]
    assert set(ledger.verdict) == {"kept"}


def test_where_equal_parts_are_too_short_the_rest_is_left_over(sound: Path) -> None:
    ledger = judge(sound, track(0, 0, 200), min_frames=75, max_frames=75)
    assert list(ledger.end_frame - ledger.start_frame) == [75, 75, 50]
    assert list(ledger.verdict) == ["kept", "kept", "rejected"]
    assert ledger.reason[2] == "too_short"


def test_a_few_shared_frames_do_not_decide_who_speaks(sound: Path) -> None:
    faces = [track(0, 0, 150, x=100), track(1, 145, 290, x=800)]
    assert list(judge(sound, *faces, table=sync(t0=3.0, t1=9.0)).verdict) == ["kept", "kept"]


def test_ends_are_trimmed(sound: Path) -> None:
    row = only(judge(sound, track(0, 0, 100), trim_frames=5))
    assert (row.start_frame, row.end_frame) == (5, 95)
    assert only(judge(sound, track(0, 0, 100), trim_frames=13)).reason == "too_short"


def test_stricter_thresholds_only_reject_more(sound: Path) -> None:
    face = track(0, 0, 100, height=150)
    before, after = judge(sound, face), judge(sound, face, min_face_height=160)
    measures = COLUMNS[COLUMNS.index("n_frames") :]
    pd.testing.assert_frame_equal(before[measures], after[measures])
    assert (len(kept(before)), len(kept(after))) == (1, 0)


@pytest.mark.parametrize(
    ("record", "proxy", "stage", "words"),
    [
        ({"status": "removed", "reason": "gone"}, PROXY, "download", ["removed", "gone"]),
        (OK, Proxy("no_audio", "no audio track"), "proxy", ["no_audio", "no audio track"]),
        (OK, PROXY, "tracks", ["no_face", None]),
        (OK, replace(PROXY, n_frames=3), "proxy", ["too_short", None]),
    ],
)
def test_a_video_without_candidates_has_one_row(
    tmp_path: Path, record: dict[str, Any], proxy: Proxy, stage: str, words: list[str | None]
) -> None:
    empty = track(0, 0, 0)
    ledger = judge_segments(
        "v", record, proxy, empty, sync(), frame_scores(empty, sync()), tmp_path / "x", THRESHOLDS
    )
    row = only(ledger)
    assert (row.video_id, row.clip_id, row.verdict, row.stage) == ("v", "", "rejected", stage)
    assert [row.reason, row.detail] == words
