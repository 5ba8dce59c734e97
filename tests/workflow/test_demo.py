"""What the workflow makes of videos whose content is known."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from talkingface.landmarks import read_npz, read_text

from .conftest import Workspace


@pytest.fixture(scope="module")
def truth(demo_videos: Path) -> dict[str, Any]:
    return json.loads((demo_videos / "truth.json").read_text())


def test_shots_are_found_at_the_cuts(demo: Workspace, truth: dict[str, Any]) -> None:
    for video, facts in truth.items():
        if facts["audio"] is None:
            continue
        scenes = demo.table(f"scenes/{video}.csv")
        expected = [(shot["start_frame"], shot["end_frame"]) for shot in facts["shots"]]
        assert list(zip(scenes.start_frame, scenes.end_frame, strict=True)) == expected


def test_every_face_is_one_track(demo: Workspace, truth: dict[str, Any]) -> None:
    for video, facts in truth.items():
        if facts["audio"] is None:
            continue
        tracks = demo.table(f"tracks/{video}.csv")
        for scene, shot in enumerate(facts["shots"]):
            found = tracks[tracks.scene == scene]
            assert found.track.nunique() == len(shot["faces"])
            for face in shot["faces"]:
                x, y, w, h = face["box"]
                inside = found[
                    (abs(found.x + found.w / 2 - x - w / 2) < w / 2)
                    & (abs(found.y + found.h / 2 - y - h / 2) < h / 2)
                ]
                share = len(inside) / (shot["end_frame"] - shot["start_frame"])
                assert share > 0.9, (video, scene, face["identity"])


def test_the_speaker_is_kept_and_the_listener_is_not(
    demo: Workspace, truth: dict[str, Any]
) -> None:
    shot = truth["interview"]["shots"][2]
    speaker = next(face for face in shot["faces"] if face["speaking"])
    ledger = demo.table("segments/interview.csv")
    both = ledger[ledger.start_frame == shot["start_frame"]]
    assert len(both) == 2
    kept = both[both.verdict == "kept"]
    assert len(kept) == 1
    boxes = demo.table(f"clips/interview/{kept.clip_id.iloc[0]}.csv")
    centre = (boxes.x + boxes.w / 2).median()
    assert abs(centre - speaker["box"][0] - speaker["box"][2] / 2) < speaker["box"][2] / 4
    assert set(both[both.verdict == "rejected"].reason) <= {"not_speaking", "other_speaks"}


def test_offsets_are_measured_and_corrected(demo: Workspace, truth: dict[str, Any]) -> None:
    clips = demo.table("dataset/clips.csv")
    assert len(clips) >= 4
    for clip in clips.itertuples():
        shots = truth[clip.video_id]["shots"]
        shot = next(s for s in shots if s["start_frame"] <= clip.start_frame < s["end_frame"])
        assert abs(clip.offset - shot["offset"]) <= 1
        if shot["offset"] == 0:
            assert clip.audio_shift == 0
        else:
            assert clip.audio_shift == 640 * clip.offset
            own = demo.folder / "results" / clip.audio
            sound, _ = soundfile.read(own, dtype="int16")
            grid, _ = soundfile.read(
                demo.folder / f"results/proxy/{clip.video_id}.wav", dtype="int16"
            )
            start = clip.start_frame * 640 - clip.audio_shift
            np.testing.assert_array_equal(sound, grid[start : start + len(sound)])


def test_every_product_has_its_exact_length(demo: Workspace) -> None:
    clips = demo.table("dataset/clips.csv")
    results = demo.folder / "results"
    for clip in clips.itertuples():
        n = clip.n_frames
        with av.open(str(results / clip.video)) as container:
            times = [frame.pts * frame.time_base for frame in container.decode(video=0)]
        assert times == [Fraction(k, 25) for k in range(n)]
        info = soundfile.info(results / clip.audio)
        assert (info.frames, info.samplerate, info.channels) == (640 * n, 16000, 1)
        assert info.subtype == "PCM_16"
        assert np.load(results / clip.mfcc).shape == (4 * n, 39)
        assert np.load(results / clip.mel).shape == (4 * n, 80)
        assert len(list((results / clip.frames).iterdir())) == n
        landmarks = read_npz(results / clip.landmarks)
        assert landmarks.points.shape == (n, 478, 3)
        assert landmarks.present.mean() > 0.95
        assert read_text(results / clip.landmarks68)[0].shape == (n, 68, 2)
        assert len(demo.table(clip.boxes)) == n


def test_the_ledger_says_why(demo: Workspace) -> None:
    rejected = demo.table("dataset/rejected.csv").set_index("video_id")
    assert rejected.reason["landscape"] == "no_face"
    assert rejected.reason["silent"] == "no_audio"
    assert rejected.reason["lecture"] == "small_face"
    assert rejected.value["lecture"] < rejected.threshold["lecture"] == 100


def test_the_split_keeps_identities_apart(demo: Workspace) -> None:
    train, evaluation = demo.table("dataset/train.csv"), demo.table("dataset/eval.csv")
    assert set(evaluation.video_id) == {"vlog"}
    assert len(train) + len(evaluation) == len(demo.table("dataset/clips.csv"))
    assert not set(train.identity) & set(evaluation.identity)


def test_a_second_run_does_nothing(demo: Workspace) -> None:
    done = demo.run("--config", "features=[landmarks,mfcc,mel,frames]")
    assert "Nothing to be done" in done.stdout + done.stderr
