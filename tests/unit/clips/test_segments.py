from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers.calibration import ScoreIsLogOdds
from helpers.settings import default_settings
from talkingface.clips.judgement import SegmentThresholds, thresholds_for
from talkingface.clips.segments import judge_segments, make_segments
from talkingface.clips.verdict import kept
from talkingface.job.files import write_json
from talkingface.job.tables import empty_table, table_of_rows, write_table
from talkingface.media.audio import write_wav
from talkingface.media.reading import Reading
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.shots.timeline import Gap
from talkingface.sync.calibrations import CALIBRATIONS
from talkingface.tables import SPEECH, SYNC, SYNC_FRAMES, TRACKS, Table

# The columns that users have on disk.
COLUMNS = [
    "clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "verdict", "stage",
    "reason", "detail", "value", "threshold", "n_frames", "face_height", "detected_share",
    "other_face_share", "loudness", "speech_share", "offset", "trusted", "confidence",
    "probability", "other_probability", "mouth_motion",
]  # fmt: skip

OK = {"status": "ok", "reason": None}
DEMANDING = {"status": "too_demanding", "reason": "12 s", "value": 12.5, "threshold": 10}
PROXY = Proxy("ok", None, 400)
THRESHOLDS = thresholds_for("mesh", **default_settings("segments"))


@pytest.fixture(autouse=True)
def plain_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A face whose mean score is s speaks with odds of exp(s)."""
    monkeypatch.setitem(CALIBRATIONS, "mesh", ScoreIsLogOdds())


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
    rows = [
        (int(name[1:]), 0, value, 0.5, 0, "mesh", np.nan, np.nan)
        for name, value in confidences.items()
    ]
    return pd.DataFrame(rows, columns=SYNC.names)


def frame_scores(tracks: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The track's confidence in every frame, of a mouth that opens every other one by 0.1."""
    scores = tracks[["track", "frame"]].merge(table[["track", "confidence"]], on="track")
    scores = scores.rename(columns={"confidence": "score"})
    return scores.assign(probability=0.5, opening=0.1 * (scores.frame % 2))


def voices(*spans: tuple[int, int], probability: float = 0.9) -> pd.DataFrame:
    """Somebody is heard to speak in these frames, of more than any track here has."""
    heard = np.full(2000, 0.1)
    for start, end in spans:
        heard[start:end] = probability
    return pd.DataFrame({"frame": np.arange(len(heard)), "probability": heard})


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """16 s: loud, from second 12 on digital silence."""
    samples = np.random.default_rng(0).normal(0, 3000, 16 * 16000).astype(np.int16)
    samples[12 * 16000 :] = 0
    write_wav(tmp_path / "sound.wav", samples, 16000)
    return tmp_path / "sound.wav"


def table_of(frame: pd.DataFrame, definition: Table) -> np.recarray:
    return table_of_rows(definition, frame.to_dict("records"))


def judge(
    sound: Path,
    *tracks: pd.DataFrame,
    table: pd.DataFrame | None = None,
    thresholds: SegmentThresholds = THRESHOLDS,
    scores: pd.DataFrame | None = None,
    heard: pd.DataFrame | None = None,
    record: dict[str, Any] = OK,
    proxy: Proxy = PROXY,
    by_hand: dict[str, str] | None = None,
    **settings: Any,
) -> pd.DataFrame:
    together = pd.concat(tracks, ignore_index=True) if tracks else track(0, 0, 0)
    table = sync(**{f"t{n}": 5.0 for n in together.track.unique()}) if table is None else table
    scores = frame_scores(together, table) if scores is None else scores
    heard = voices((0, 2000)) if heard is None else heard
    ledger = judge_segments(
        "v",
        record,
        proxy,
        table_of(together, TRACKS),
        table_of(heard, SPEECH),
        table_of(table, SYNC),
        table_of(scores, SYNC_FRAMES),
        sound,
        replace(thresholds, **settings),
        by_hand,
    )
    return pd.DataFrame(ledger)


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
    # 1 / (1 + exp(-5)), and half of what the mouth opens.
    assert (row.probability, row.other_probability, row.mouth_motion) == (0.993, 0, 0.05)
    assert (row.stage, row.reason, row.detail) == ("", "", "")


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


def test_what_a_person_keeps_is_kept_and_says_against_what(sound: Path) -> None:
    faces = track(0, 0, 74), track(1, 0, 100, x=1200, height=99), track(2, 100, 200)
    notes = {"v_000000_000074_00": "=a smile", "v_000100_000200_02": "good", "v_9_9_9": ""}
    without, ledger = judge(sound, *faces), judge(sound, *faces, by_hand=notes)
    changed = ["verdict", "stage", "reason", "detail"]
    first, second, third = ledger.itertuples()
    assert (first.clip_id, first.verdict, first.detail) == (
        "v_000000_000074_00", "kept", "=a smile",
    )  # fmt: skip
    assert (first.stage, first.reason) == ("decisions", "by hand")
    assert (first.value, first.threshold) == (74, 75)
    # It was kept before, and nobody decided about the other.
    assert (third.verdict, third.stage, third.reason, third.detail) == ("kept", "", "", "")
    assert second.reason == "small_face"
    pd.testing.assert_frame_equal(ledger[1:], without[1:])
    pd.testing.assert_frame_equal(ledger.drop(columns=changed), without.drop(columns=changed))
    # A video that cannot be used has no candidates.
    row = only(judge(sound, record=DEMANDING, by_hand={"": "x"} | notes))
    assert (row.verdict, row.stage) == ("rejected", "download")


def test_a_leftover_between_speech_is_kept_by_hand_too(sound: Path) -> None:
    face = track(0, 0, 300)
    table = sync(t0=5.0)
    scores = frame_scores(face, table)
    scores.loc[scores.frame < 150, "probability"] = 0.99
    scores.loc[scores.frame >= 150, "probability"] = 0.01
    given = {"table": table, "scores": scores, "cut": "speaking"}
    (left,) = judge(sound, face, **given).query("reason == 'not_speaking'").clip_id
    row = judge(sound, face, **given, by_hand={left: "listens"}).query("clip_id == @left").iloc[0]
    assert (row.verdict, row.reason, row.detail) == ("kept", "by hand", "listens")
    assert row.value == 0.01


def test_where_it_is_silent_other_sounds_of_the_file_are_named(sound: Path) -> None:
    def stream(number: int, language: str | None, layout: str) -> dict[str, Any]:
        return {"index": number + 1, "number": number, "language": language, "codec": "aac"} | {
            "layout": layout
        }

    sounds = {
        "audio": stream(1, "eng", "stereo"),
        "other_audio": [stream(2, "deu", "5.1"), stream(0, None, "mono")],
    }
    proxy = replace(PROXY, reading=Reading(video_stream=0, audio_stream=2))
    row = only(judge(sound, track(0, 305, 395), record=OK | {"probe": sounds}, proxy=proxy))
    assert row.reason == "silent"
    detail = "audio stream 1 was read; there are also 0 (aac, mono), 2 (deu, aac, 5.1)"
    assert row.detail == detail
    alone = OK | {"probe": sounds | {"other_audio": []}}
    assert only(judge(sound, track(0, 305, 395), record=alone, proxy=proxy)).detail == ""


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


@pytest.mark.parametrize(
    ("spans", "share"),
    [([(0, 25)], 0.25), ([(0, 10), (60, 70)], 0.2), ([(0, 19)], 0.19), ([], 0)],
    ids=["one phrase", "long pauses", "a word", "nobody"],
)
def test_somebody_must_be_heard(sound: Path, spans: list[tuple[int, int]], share: float) -> None:
    """In a fifth of the frames, wherever they are; speech beside the stretch does not count."""
    inside = [(100 + start, 100 + end) for start, end in spans]
    heard = voices((0, 100), *inside, (200, 400))
    row = only(judge(sound, track(0, 100, 200), heard=heard))
    assert row.speech_share == pytest.approx(share)
    if share >= 0.2:
        assert row.verdict == "kept"
    else:
        assert (row.stage, row.reason) == ("speech", "no_speech")
        assert (row.value, row.threshold) == (pytest.approx(share), 0.2)


def test_what_counts_as_speech_is_a_setting(sound: Path) -> None:
    heard = voices((0, 400), probability=0.5)
    assert only(judge(sound, track(0, 0, 100), heard=heard)).speech_share == 1
    row = only(judge(sound, track(0, 0, 100), heard=heard, speech_threshold=0.51))
    assert (row.reason, row.value) == ("no_speech", 0)
    row = only(judge(sound, track(0, 0, 100), heard=voices(), min_speech_share=0))
    assert row.verdict == "kept"


def test_still_lips(sound: Path) -> None:
    face = track(0, 0, 100)
    scores = frame_scores(face, sync(t0=5.0))
    scores["opening"] *= 0.19
    row = only(judge(sound, face, scores=scores))
    assert (row.stage, row.reason, row.value) == ("sync", "not_speaking", 0.0095)
    assert (row.threshold, row.mouth_motion) == (0.01, 0.0095)


def test_a_voice_that_is_not_the_faces(sound: Path) -> None:
    """With odds of exp(-1) it is another's, of exp(-0.5) nobody can tell."""
    row = only(judge(sound, track(0, 0, 100), table=sync(t0=-1.0)))
    assert (row.verdict, row.stage, row.reason) == ("rejected", "sync", "other_speaks")
    assert (row.value, row.threshold) == (pytest.approx(0.2689), 0.35)
    assert row.detail.endswith("somebody off screen, or dubbed")
    row = only(judge(sound, track(0, 0, 100), table=sync(t0=-0.5)))
    assert (row.verdict, row.stage, row.reason) == ("kept", "sync", "unsure")
    assert (row.value, row.threshold, row.probability) == (pytest.approx(0.3775), 0.5, 0.378)
    row = only(judge(sound, track(0, 0, 100), table=sync(t0=-0.5), keep_unsure=False))
    assert (row.verdict, row.reason) == ("rejected", "unsure")
    row = only(judge(sound, track(0, 0, 100), table=sync(t0=1.9), min_confidence=2))
    assert (row.reason, row.value, row.threshold) == ("not_speaking", 1.9, 2)


def test_in_doubt_a_face_is_kept_where_no_other_is_seen(sound: Path) -> None:
    """One frame of another, judged or not, and it is not the only one."""
    face = track(0, 0, 100, x=100)
    for other, verdict in ((track(1, 99, 200, x=800), "rejected"), (track(1, 100, 200), "kept")):
        for table in (sync(t0=-0.5, t1=-900.0), sync(t0=-0.5)):
            row = judge(sound, face, other, table=table).set_index("track").loc[0]
            assert (row.verdict, row.reason) == (verdict, "unsure")


def test_the_score_is_weighted_by_who_is_heard(sound: Path) -> None:
    """Lips that go with the sound in the half with a voice, and not in the pause after it."""
    face = track(0, 100, 200)
    scores = frame_scores(face, sync(t0=4.0))
    scores.loc[scores.frame >= 150, "score"] = -20.0
    heard = voices((100, 150), probability=1.0)
    heard.loc[heard.frame >= 150, "probability"] = 0.0
    row = only(judge(sound, face, scores=scores, heard=heard))
    assert (row.verdict, row.confidence, row.probability) == ("kept", 4, 0.982)


def test_of_two_faces_the_one_that_fits_the_sound(sound: Path) -> None:
    faces = [track(0, 0, 100, x=100), track(1, 0, 100, x=800)]
    ledger = judge(sound, *faces, table=sync(t0=3.0, t1=7.0)).set_index("track")
    assert ledger.verdict[1] == "kept"
    assert ledger.reason[0] == "other_speaks"
    # Odds of exp(3) and exp(7) against that neither speaks.
    odds = np.exp([3, 7]) / (1 + np.exp([3, 7]).sum())
    assert [ledger.value[0], ledger.threshold[0]] == pytest.approx(list(odds), abs=1e-4)
    assert list(ledger.probability) == [0.018, 0.981]
    assert list(ledger.other_probability) == [0.981, 0.018]
    assert ledger.detail[0] == "the voice is rather that of track 1"


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
    assert pd.isna([row.confidence, row.offset, row.probability, row.mouth_motion]).all()


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


SPEAKING = {"cut": "speaking", "speaking_gap": 15, "speaking_trim": 5}


def speech(tracks: pd.DataFrame, *stretches: tuple[int, int]) -> pd.DataFrame:
    """Probable (0.9) in these frames of the grid, and not (0.1) elsewhere; the scores are 4."""
    rows = frame_scores(tracks, tracks[["track"]].drop_duplicates().assign(confidence=4.0))
    rows["probability"] = 0.1
    for start, end in stretches:
        rows.loc[(rows.frame >= start) & (rows.frame < end), "probability"] = 0.9
    return rows


def stretches(ledger: pd.DataFrame) -> list[tuple[int, int, str]]:
    reasons = ledger.reason.where(ledger.verdict == "rejected", "kept")
    return list(zip(ledger.start_frame, ledger.end_frame, reasons, strict=True))


def test_only_where_the_face_speaks_a_track_is_cut_out(sound: Path) -> None:
    face = track(0, 10, 280)
    ledger = judge(sound, face, scores=speech(face, (20, 110), (180, 280)), **SPEAKING)
    # Left over are ten frames before, and the pause with five frames at both of its ends; five at
    # the end of the track are trimmed off.
    assert stretches(ledger) == [
        (10, 25, "not_speaking"),
        (25, 105, "kept"),
        (105, 185, "not_speaking"),
        (185, 275, "kept"),
    ]
    pause = ledger.iloc[2]
    assert (pause.clip_id, pause.stage) == ("v_000105_000185_00", "sync")
    assert (pause.value, pause.threshold) == (0.1, 0.5)
    assert pause.detail == "cut: speaking; longest speech here 0 frames"
    assert (pause.n_frames, pause.confidence) == (80, 4)


def test_the_whole_track_is_one_stretch_where_it_speaks_all_the_time(sound: Path) -> None:
    face = track(0, 10, 110)
    row = only(judge(sound, face, scores=speech(face, (10, 110)), **SPEAKING))
    assert (row.start_frame, row.end_frame, row.verdict) == (15, 105, "kept")


def test_speech_that_is_too_short_is_left_over(sound: Path) -> None:
    face = track(0, 0, 280)
    scores = speech(face, (0, 30), (100, 180))
    ledger = judge(sound, face, scores=scores, **SPEAKING)
    row = only(ledger)
    assert stretches(ledger) == [(0, 280, "not_speaking")]
    assert row.detail == "cut: speaking; longest speech here 70 frames"
    # Where most of it speaks, that is the reason.
    face = track(0, 100, 180)
    row = only(judge(sound, face, scores=speech(face, (100, 180)), **SPEAKING))
    assert (row.stage, row.reason, row.value, row.threshold) == ("tracks", "too_short", 70, 75)
    row = only(judge(sound, track(0, 100, 104), scores=speech(face, (100, 104)), **SPEAKING))
    assert (row.start_frame, row.end_frame, row.value) == (100, 104, 0)


def test_speech_is_divided_and_judged_as_tracks_are(sound: Path) -> None:
    face = track(0, 0, 295)
    scores = speech(face, (45, 255))
    ledger = judge(sound, face, scores=scores, max_frames=100, **SPEAKING)
    assert stretches(ledger) == [
        (0, 50, "not_speaking"),
        (50, 150, "kept"),
        (150, 250, "kept"),
        (250, 295, "not_speaking"),
    ]
    # That it speaks is not asked again of all of its frames together.
    silent = scores.assign(score=-9.0)
    ledger = judge(sound, face, scores=silent, max_frames=100, **SPEAKING)
    assert list(ledger.reason[ledger.verdict == "kept"]) == ["", ""]
    # What is left over is divided too: no more of the sound is read at a time.
    ledger = judge(sound, face, scores=speech(face), max_frames=100, **SPEAKING)
    assert list(ledger.end_frame - ledger.start_frame) == [98, 98, 99]


def test_short_turns_of_two_faces_are_told_by_their_frames(sound: Path) -> None:
    faces = [track(0, 0, 300, x=100), track(1, 0, 300, x=800)]
    parts = [speech(faces[0], (0, 160)), speech(faces[1], (140, 300)).assign(score=9.0)]
    ledger = judge(sound, *faces, scores=pd.concat(parts), **SPEAKING)
    cut = ledger[ledger.verdict == "kept"]
    assert list(zip(cut.track, cut.start_frame, strict=True)) == [(0, 5), (1, 145)]
    # Both at the same time: the one of which it is more probable.
    parts[1].loc[parts[1].frame < 290, "probability"] = 0.95
    ledger = judge(sound, *faces, scores=pd.concat(parts), **SPEAKING)
    row = ledger[(ledger.track == 0) & (ledger.start_frame == 5)].iloc[0]
    assert (row.reason, row.value, row.threshold) == ("other_speaks", 0.9, 0.95)
    assert "track 1" in row.detail


def test_speech_may_be_told_by_the_backends_own_score(sound: Path) -> None:
    face = track(0, 0, 280)
    scores = speech(face, (150, 280)).assign(score=1.0)
    scores.loc[scores.frame < 100, "score"] = 5.0
    scores.loc[scores.frame >= 270, "score"] = np.nan
    ledger = judge(sound, face, scores=scores, speaking_score=2.1, **SPEAKING)
    assert stretches(ledger) == [(5, 95, "kept"), (95, 280, "not_speaking")]
    assert (ledger.value[1], ledger.threshold[1]) == (1, 2.1)
    # Of a stretch of which the backend says nothing there is nothing to compare.
    scores.loc[scores.frame >= 100, "score"] = np.nan
    ledger = judge(sound, face, scores=scores, speaking_score=2.1, **SPEAKING)
    assert stretches(ledger) == [(5, 95, "kept"), (95, 280, "not_speaking")]
    assert np.isnan(ledger.value[1])


def talkingvideo(scores: np.ndarray) -> list[tuple[int, int]]:
    """The rule of TalkingVideo, frame by frame: above 2.1, 15 frames may lie between, 5 off both
    ends, 75 frames or more."""
    found, run = [], []
    for frame, score in [*enumerate(scores), (10**9, 9.0)]:
        if score > 2.1:
            if run and frame - run[-1] > 15:
                found.append((run[0] + 5, run[-1] + 1 - 5))
                run = []
            run.append(frame)
    return [(start, end) for start, end in found if end - start >= 75]


def test_with_speaking_the_score_of_each_frame_is_the_gate_and_no_mean(sound: Path) -> None:
    """Scores of SyncNet's that rise and fall around 2.1, as a talker's do: every stretch that
    TalkingVideo takes is kept, whatever is asked of means."""
    rng = np.random.default_rng(0)
    settings = default_settings("segments") | {"cut": "speaking", "speaking_score": 2.1}
    settings |= {"max_frames": 400, "min_loudness": -100}
    asked = {"min_confidence": 3.0, "min_probability": 0.99, "unsure_probability": 0.9}
    face = track(0, 0, 400)
    table = sync(t0=2.5).assign(backend="syncnet")
    means = []
    for _ in range(40):
        noise = np.convolve(rng.normal(0, 1, 420), np.ones(21) / 21, "valid")
        scores = frame_scores(face, table).assign(score=2.4 + 3 * noise, probability=0.01)
        expected = talkingvideo(2.4 + 3 * noise)
        means += [float((2.4 + 3 * noise)[start:end].mean()) for start, end in expected]
        for more in ({}, asked | {"keep_unsure": False}):
            thresholds = thresholds_for("syncnet", **settings | more)
            ledger = judge(sound, face, table=table, scores=scores, thresholds=thresholds)
            chosen = ledger[ledger.verdict == "kept"]
            assert list(zip(chosen.start_frame, chosen.end_frame, strict=True)) == expected
    # It is about stretches that a threshold of LatentSync's would reject.
    assert sum(2.1 < mean < 3 for mean in means) > 30


def test_how_probable_speech_must_be_is_a_setting(sound: Path) -> None:
    face = track(0, 0, 280)
    scores = speech(face, (0, 100))
    scores.loc[scores.frame >= 180, "probability"] = 0.6
    for least, kept_from in ((0.5, [5, 185]), (0.6, [5]), (0.9, [])):
        ledger = judge(sound, face, scores=scores, speaking_probability=least, **SPEAKING)
        assert list(ledger.start_frame[ledger.verdict == "kept"]) == kept_from


def test_every_frame_is_in_the_ledger(sound: Path) -> None:
    rng = np.random.default_rng(0)
    face = track(0, 0, 400)
    for seed in range(20):
        scores = speech(face)
        scores["probability"] = np.repeat(rng.choice([0.1, 0.9], 16, p=[0.3, 0.7]), 25)
        trim = 2 + seed % 7
        settings = SPEAKING | {"speaking_trim": trim, "speaking_gap": 1 + 10 * (seed % 4)}
        ledger = judge(sound, face, scores=scores, **settings)
        covered = np.zeros(400, int)
        for row in ledger.itertuples():
            covered[int(row.start_frame) : int(row.end_frame)] += 1
        assert covered.max() == 1 and covered[trim:-trim].min() == 1
        assert ledger.clip_id.is_unique


def test_without_scores_a_track_is_a_candidate_whole(sound: Path) -> None:
    face = track(0, 0, 100)
    none = speech(face).iloc[:0]
    row = only(judge(sound, face, table=sync(), scores=none, **SPEAKING))
    assert (row.start_frame, row.end_frame, row.verdict) == (0, 100, "kept")


@pytest.mark.parametrize(
    ("record", "proxy", "stage", "words"),
    [
        ({"status": "removed", "reason": "gone"}, PROXY, "download", ["removed", "gone"]),
        (DEMANDING, PROXY, "download", ["too_demanding", "12 s", 12.5, 10]),
        (OK, Proxy("no_audio", "no audio track"), "proxy", ["no_audio", "no audio track"]),
        (OK, PROXY, "tracks", ["no_face", ""]),
        (OK, replace(PROXY, n_frames=3), "proxy", ["too_short", ""]),
    ],
)
def test_a_video_without_candidates_has_one_row(
    tmp_path: Path, record: dict[str, Any], proxy: Proxy, stage: str, words: list[Any]
) -> None:
    empty = track(0, 0, 0)
    ledger = judge_segments(
        "v",
        record,
        proxy,
        table_of(empty, TRACKS),
        empty_table(SPEECH),
        table_of(sync(), SYNC),
        table_of(frame_scores(empty, sync()), SYNC_FRAMES),
        tmp_path / "x",
        THRESHOLDS,
    )
    row = only(pd.DataFrame(ledger))
    assert (row.video_id, row.clip_id, row.verdict, row.stage) == ("v", "", "rejected", stage)
    measured = [] if np.isnan(row.value) or stage != "download" else [row.value, row.threshold]
    assert [row.reason, row.detail, *measured] == words


def test_gaps_stand_in_the_ledger(sound: Path) -> None:
    gaps = (
        Gap(100, 130, "gap", 1.2, 0.5, "the picture stands still"),
        Gap(300, 300, "clock_jump", -5.0, 10.0, "timestamps jump from 12 to 7 s"),
    )
    faces = pd.concat([track(0, 0, 100), track(1, 130, 300)])
    ledger = judge(sound, faces, table=sync(t0=5.0, t1=5.0), proxy=replace(PROXY, gaps=gaps))
    rows = [(int(row.start_frame), row.verdict, row.reason) for row in ledger.itertuples()]
    assert rows == [
        (0, "kept", ""), (100, "rejected", "gap"),
        (130, "kept", ""), (300, "rejected", "clock_jump"),
    ]  # fmt: skip
    gap, jump = ledger[ledger.stage == "proxy"].itertuples()
    assert (gap.clip_id, gap.end_frame, gap.n_frames) == ("", 130, 30)
    assert (gap.value, gap.threshold, gap.detail) == (1.2, 0.5, "the picture stands still")
    assert (jump.end_frame, jump.value, jump.threshold) == (300, -5.0, 10.0)
    none = judge(sound, track(0, 0, 0), table=sync(), proxy=replace(PROXY, gaps=gaps))
    assert list(none.reason) == ["no_face", "gap", "clock_jump"]


def test_the_ledger_as_it_is_written(sound: Path) -> None:
    """Also where one face has no sync: its offset is empty, and those of others stay whole."""
    faces = pd.concat([track(0, 0, 100, x=100), track(1, 100, 174, x=800)])
    table = sync(t0=5.0).assign(offset=-2, trusted=1)
    folder = sound.parent
    write_json(OK, folder / "media.json")
    write_proxy(PROXY, folder / "proxy.json")
    write_table(table_of(faces, TRACKS), folder / "tracks.csv", TRACKS)
    write_table(table_of(table, SYNC), folder / "sync.csv", SYNC)
    write_table(table_of(voices((50, 400)), SPEECH), folder / "speech.csv", SPEECH)
    scores = table_of(frame_scores(faces, table), SYNC_FRAMES)
    write_table(scores, folder / "frames.csv", SYNC_FRAMES)
    names = ("media.json", "proxy.json", "tracks.csv", "speech.csv", "sync.csv", "frames.csv")
    make_segments(
        "v", *(folder / name for name in names), sound, folder / "v.csv", thresholds=THRESHOLDS
    )
    header, first, second = (folder / "v.csv").read_text().splitlines()
    assert header.split(",") == COLUMNS
    loudness = first.split(",")[COLUMNS.index("loudness")]
    assert float(loudness) == pytest.approx(20 * np.log10(3000 / 32768), abs=0.2)
    assert first == (
        f"v_000000_000100_00,v,0,0,0,100,kept,,,,,,100,200.0,1.0,0.0,{loudness},0.5,-2,1,5.0,"
        "0.993,0.0,0.05"
    )
    assert second.startswith(
        "v_000100_000174_01,v,0,1,100,174,rejected,tracks,too_short,,74.0,75.0,74,200.0,1.0,0.0,"
    )
    assert second.endswith(",1.0,,,,,,")
