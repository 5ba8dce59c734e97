"""What the workflow makes of videos whose content is known."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import soundfile

from helpers.workspace import Workspace
from talkingface.faces.landmark_files import read_landmarks, read_text
from talkingface.monitor.check import Checked
from talkingface.monitor.status import read_status
from talkingface.monitor.verify import verify
from talkingface.settings.videos import list_video_ids
from talkingface.stages import stages_made

from .conftest import EMBEDDED, FEATURES

MADE = stages_made(EMBEDDED, report=True)


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
    assert kept.probability.iloc[0] >= 0.5 > kept.other_probability.iloc[0]
    clips = demo.table("dataset/clips.csv").set_index("clip_id")
    assert clips.probability[kept.clip_id.iloc[0]] == kept.probability.iloc[0]


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
        # Measured again on what came out, and so it is likelier than not.
        assert abs(clip.residual_offset) <= 1 and 0.5 < clip.residual_certainty <= 1
        if shot["offset"]:
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
        landmarks = read_landmarks(results / clip.landmarks)
        assert landmarks.points.shape == (n, 478, 3)
        assert landmarks.present.mean() > 0.95
        assert read_text(results / clip.landmarks68)[0].shape == (n, 68, 2)
        assert len(demo.table(clip.boxes)) == n
        assert np.load(results / clip.pose).shape == (n, 3)
        assert len(demo.table(clip.expression)) == n
        numbered = [f"{k:06d}.png" for k in range(1, n + 1)]
        for folder in (clip.frames, clip.parsing, clip.torso, clip.depth):
            assert sorted(file.name for file in (results / folder).iterdir()) == numbered
        assert cv2.imread(str(results / clip.background)).shape == (clip.height, clip.width, 3)
        with av.open(str(results / clip.overlay)) as container:
            assert sum(1 for _ in container.decode(video=0)) == n


def test_pictures_are_of_the_face_that_is_there(demo: Workspace) -> None:
    results = demo.folder / "results"
    for clip in demo.table("dataset/clips.csv").itertuples():
        found = read_landmarks(results / clip.landmarks)
        k = clip.n_frames // 2
        name = f"{k + 1:06d}.png"
        nose = found.points[k, 1].astype(int)
        chin = found.points[k, 152].astype(int)
        labels = cv2.imread(str(results / clip.parsing / name), cv2.IMREAD_UNCHANGED)
        assert labels.dtype == np.uint8 and labels.max() <= 18
        assert labels[nose[1], nose[0]] == 10
        depth = cv2.imread(str(results / clip.depth / name), cv2.IMREAD_UNCHANGED)
        assert depth.dtype == np.uint16
        # The tip of the nose is nearer than the chin, and the corner is no face.
        assert depth[nose[1], nose[0]] > depth[chin[1] - 5, chin[0]] > 0 == depth[0, 0]
        torso = cv2.imread(str(results / clip.torso / name), cv2.IMREAD_UNCHANGED)
        assert torso.shape == (clip.height, clip.width, 4)
        assert torso[nose[1], nose[0], 3] == 0


def test_quality_is_judged_again_without_measuring_again(demo: Workspace) -> None:
    before = demo.table("dataset/clips.csv")
    sharpest = before.sharpness.max()
    mine = demo.folder / "strict.yaml"
    mine.write_text(f"quality: {{min_sharpness: {sharpest}}}\n")
    done = demo.run("--config", FEATURES, "--configfile", str(mine))
    changed = "1 settings or version changed"
    assert f"to do: dataset ({changed}); then card (1), report (1)\n" in done.stdout
    kept = demo.table("dataset/clips.csv")
    rejected = demo.table("dataset/rejected.csv")
    blurred = rejected[rejected.stage == "quality"]
    assert set(blurred.reason) == {"blurred"} and (blurred.value < sharpest).all()
    assert len(kept) >= 1 and len(kept) + len(blurred) == len(before)
    demo.run("--config", FEATURES)
    assert demo.table("dataset/clips.csv").equals(before)


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


def test_the_status_says_what_the_dataset_says(demo: Workspace) -> None:
    summary = demo.json("dataset/summary.json")
    status = read_status(demo.folder / "results", list_video_ids(demo.folder / "videos.csv"))
    videos = summary["videos"]["count"]
    wanted = set(MADE)
    assert {(s.name, s.finished, s.failed, s.begun) for s in status.stages} == {
        (name, videos, 0, 0) for name in wanted
    }
    assert all(stage.seconds > 0 for stage in status.stages)
    assert status.by_status == summary["videos"]["by_status"]
    assert status.hours_in == pytest.approx(summary["hours_in"], abs=1e-6)
    assert status.clips == summary["kept"]["clips"]
    assert status.hours_kept == pytest.approx(summary["kept"]["hours"], abs=1e-6)
    assert {row[:3] for row in status.not_kept} == {
        (row["stage"], row["reason"], row["count"]) for row in summary["rejected"]
    }
    assert (status.errors, status.dataset) == ([], summary)


def test_nothing_is_damaged_and_all_checksums_are_noted(demo: Workspace) -> None:
    found = Checked()
    for checked in verify(demo.folder / "results", decode=True, threads=2):
        assert checked.faults == []
        found.add(checked)
    sources = len(list((demo.folder / "results/raw").iterdir()))
    assert (found.unknown, found.links) == (0, sources) and found.files > 1000


def test_every_log_of_pictures_says_how_fast(demo: Workspace) -> None:
    for stage in set(MADE) - {"download", "segments"}:
        log = (demo.folder / f"results/logs/{stage}/vlog.log").read_text()
        assert re.search(r"\d+ frames, [\d.]+ frames/s\n", log), stage


def test_a_second_run_does_nothing(demo: Workspace) -> None:
    done = demo.ask("--config", FEATURES)
    assert "Nothing to be done" in done.stdout + done.stderr
