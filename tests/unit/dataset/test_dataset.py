from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from talkingface.dataset.dataset import build_dataset, write_dataset
from talkingface.dataset.gates import Thresholds
from talkingface.dataset.quality import COLUMNS as MEASURES
from talkingface.dataset.split import split_side

CLIP_HEADER = "clip_id,video_id,scene,track,start_frame,end_frame,n_frames,crop,offset"
LEDGER_HEADER = (
    "clip_id,video_id,scene,track,start_frame,end_frame,verdict,stage,reason,detail,value,"
    "threshold,n_frames"
)
QUALITY_HEADER = ",".join(["clip_id", "n_frames", *MEASURES])
# A clip that nothing is wrong with.
GOOD = dict.fromkeys(MEASURES, 0.0) | {
    "face_height": 220.5,
    "present_share": 1.0,
    "brightness": 128.0,
    "sharpness": 200.0,
}
DEFAULTS = Thresholds()
PRODUCTS = {"video": "clips/{video}/{clip}.mp4", "mfcc": "mfcc/{video}/{clip}.npy"}


def row(video_id: str, source: str = "", identity: Any = "", split: Any = "") -> dict[str, Any]:
    return {
        "video_id": video_id,
        "source": source or f"https://example.org/{video_id}",
        "identity": identity,
        "split": split,
    }


class Workspace:
    """Result files of videos, as plain text."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.videos: list[dict[str, Any]] = []
        self.manifests: dict[str, Path] = {}
        self.ledgers: dict[str, Path] = {}
        self.records: dict[str, Path] = {}
        self.measures: dict[str, Path] = {}

    def add(
        self,
        video: dict[str, Any],
        kept: list[tuple[int, int, int]] = [],  # noqa: B006
        rejected: list[str] = [],  # noqa: B006
        status: str = "ok",
        probe: dict[str, Any] | None = None,
        quality: dict[int, dict[str, float]] = {},  # noqa: B006
    ) -> None:
        """`kept` holds (start, end, track), `rejected` finished ledger lines, `quality` measures
        of the clip at a place of `kept` that are not GOOD."""
        name = video["video_id"]
        clips, ledger, measures = [CLIP_HEADER], [LEDGER_HEADER], [QUALITY_HEADER]
        for i, (start, end, track) in enumerate(kept):
            clip = f"{name}_{start:06d}_{end:06d}_{track:02d}"
            clips.append(f"{clip},{name},0,{track},{start},{end},{end - start},fixed,0.1")
            ledger.append(f"{clip},{name},0,{track},{start},{end},kept,,,,,,{end - start}")
            values = [str(value) for value in (GOOD | quality.get(i, {})).values()]
            measures.append(",".join([clip, str(end - start), *values]))
        self.videos.append(video)
        for kind, lines in (
            ("manifests", clips),
            ("ledgers", ledger + rejected),
            ("measures", measures),
        ):
            path = self.folder / f"{name}.{kind}.csv"
            path.write_text("\n".join(lines) + "\n")
            getattr(self, kind)[name] = path
        self.records[name] = self.folder / f"{name}.json"
        self.records[name].write_text(
            json.dumps({"status": status, "reason": "", "probe": probe, "provenance": {}})
        )

    def build(self, eval_fraction: float = 0.5, thresholds: Thresholds = DEFAULTS) -> Any:
        return build_dataset(
            self.videos,
            self.manifests,
            self.ledgers,
            self.records,
            self.measures,
            PRODUCTS,
            eval_fraction,
            thresholds=thresholds,
            clips_columns=CLIP_HEADER.split(","),
            ledger_columns=LEDGER_HEADER.split(","),
            quality_columns=QUALITY_HEADER.split(","),
        )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def test_clips_carry_manifest_list_and_products(workspace: Workspace) -> None:
    workspace.add(row("007", "films/a.mp4", "NA", "eval"), kept=[(100, 250, 0)])
    clips = workspace.build().clips
    assert clips.to_dict("records") == [
        {
            "clip_id": "007_000100_000250_00",
            "video_id": "007",
            "scene": 0,
            "track": 0,
            "start_frame": 100,
            "end_frame": 250,
            "n_frames": 150,
            "crop": "fixed",
            "offset": 0.1,
            **GOOD,
            "identity": "NA",
            "source": "films/a.mp4",
            "split": "eval",
            "duration_s": 6.0,
            "video": "clips/007/007_000100_000250_00.mp4",
            "mfcc": "mfcc/007/007_000100_000250_00.npy",
        }
    ]


def test_order_is_that_of_the_list_then_time_then_track(workspace: Workspace) -> None:
    workspace.add(row("z"), kept=[(1000, 1100, 0), (200, 300, 1), (200, 300, 0)])
    workspace.add(row("a"), kept=[(5, 90, 0)])
    assert workspace.build().clips["clip_id"].tolist() == [
        "z_000200_000300_00",
        "z_000200_000300_01",
        "z_001000_001100_00",
        "a_000005_000090_00",
    ]


def test_sides_part_the_clips(workspace: Workspace) -> None:
    for i in range(60):
        workspace.add(row(f"v{i}", identity=f"p{i % 20}"), kept=[(0, 100, 0), (100, 200, 0)])
    dataset = workspace.build(0.3)
    train, evaluation = dataset.side("train"), dataset.side("eval")
    assert len(train) + len(evaluation) == len(dataset.clips) == 120
    assert len(train) and len(evaluation)
    assert not set(train["identity"]) & set(evaluation["identity"])
    expected = {p: split_side(p, 0.3, 0) for p in dataset.clips["identity"]}
    assert (dataset.clips["identity"].map(expected) == dataset.clips["split"]).all()


def test_rejected_rows_and_whole_videos(workspace: Workspace) -> None:
    workspace.add(
        row("gone", "u"),
        status="unavailable",
        rejected=[",gone,,,,,rejected,download,http 404,,,,"],
    )
    workspace.add(
        row("a", "s", "alice"),
        kept=[(0, 100, 0)],
        rejected=["a_000100_000140_00,a,0,0,100,140,rejected,segments,too short,,40,75,40"],
    )
    rejected = workspace.build().rejected
    assert rejected["clip_id"].tolist() == ["", "a_000100_000140_00"]
    assert rejected["identity"].tolist() == ["", "alice"]
    assert rejected["source"].tolist() == ["u", "s"]
    assert rejected["start_frame"].isna().tolist() == [True, False]
    assert rejected.loc[1, ["start_frame", "value", "threshold"]].tolist() == [100, 40, 75]


def test_written_numbers_stay_whole_beside_missing_ones(
    workspace: Workspace, tmp_path: Path
) -> None:
    line = "a_000100_000140_00,a,0,0,100,140,rejected,segments,too short,,0.30000000000000004,75,40"
    workspace.add(row("a", "s"), rejected=[",a,,,,,rejected,tracks,no face,,,,", line])
    write_dataset(workspace.build(), tmp_path / "out")
    lines = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert lines[1] == ",a,,,,,rejected,tracks,no face,,,,,,s"
    assert lines[2].startswith("a_000100_000140_00,a,0,0,100,140,rejected,segments,too short,")
    assert ",0.30000000000000004," in lines[2]


def test_summary_counts(workspace: Workspace) -> None:
    line = "{0}_{1:06d}_{2:06d}_00,{0},0,0,{1},{2},rejected,{3},,,,{4}"
    workspace.add(
        row("gone"), status="unavailable", rejected=[",gone,,,,,rejected,download,404,,,,"]
    )
    workspace.add(
        row("a", "s1", "alice", "train"),
        kept=[(0, 900, 0), (900, 1800, 0)],
        rejected=[
            line.format("a", 1800, 1890, "sync,low confidence", 90),
            line.format("a", 1890, 1980, "segments,too short", 90),
        ],
        probe={"duration": 1800.0},
    )
    workspace.add(
        row("b", "s2", "bob", "eval"),
        kept=[(0, 450, 0)],
        rejected=[line.format("b", 450, 900, "segments,too short", 450)],
        probe={"duration": None, "video": {"duration": 900.0}},
    )
    workspace.add(row("c", "s3", "", "train"), kept=[(0, 90, 0)], probe={"duration": 900.0})
    summary = workspace.build().summary
    assert summary["videos"] == {"count": 4, "by_status": {"ok": 3, "unavailable": 1}}
    assert summary["hours_in"] == 1.0
    assert summary["candidates"] == 7
    # 90,000 frames are an hour.
    assert summary["kept"] == {"clips": 4, "hours": 0.026}
    assert summary["rejected"] == [
        {"stage": "segments", "reason": "too short", "count": 2, "whole_videos": 0, "hours": 0.006},
        {"stage": "download", "reason": "404", "count": 1, "whole_videos": 1, "hours": 0.0},
        {
            "stage": "sync",
            "reason": "low confidence",
            "count": 1,
            "whole_videos": 0,
            "hours": 0.001,
        },
    ]
    assert summary["train"] == {
        "clips": 3, "hours": 0.021, "videos": 2, "identities": 1, "groups": 2
    }  # fmt: skip
    assert summary["eval"] == {
        "clips": 1, "hours": 0.005, "videos": 1, "identities": 1, "groups": 1
    }  # fmt: skip


def test_files(workspace: Workspace, tmp_path: Path) -> None:
    for i in range(12):
        workspace.add(row(f"v{i}", split=("train", "eval")[i % 2]), kept=[(0, 100, 0)])
    out = tmp_path / "out"
    write_dataset(workspace.build(), out)
    assert sorted(p.name for p in out.iterdir()) == [
        "clips.csv", "eval.csv", "rejected.csv", "summary.json", "train.csv"
    ]  # fmt: skip
    assert pd.read_csv(out / "train.csv")["video_id"].tolist() == [f"v{i}" for i in range(0, 12, 2)]
    assert pd.read_csv(out / "eval.csv")["video_id"].tolist() == [f"v{i}" for i in range(1, 12, 2)]
    assert json.loads((out / "summary.json").read_text())["kept"]["clips"] == 12


def test_the_same_input_gives_the_same_bytes(workspace: Workspace, tmp_path: Path) -> None:
    for i in range(20):
        workspace.add(
            row(f"v{i}"),
            kept=[(0, 100, 1), (0, 100, 0)],
            rejected=[f",v{i},,,,,rejected,x,{i % 3},,,,"],
        )
    for out in ("one", "two"):
        write_dataset(workspace.build(), tmp_path / out)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.parametrize("listed", [False, True], ids=["no videos", "nothing kept"])
def test_an_empty_dataset_has_headers(workspace: Workspace, tmp_path: Path, listed: bool) -> None:
    if listed:
        workspace.add(row("a"))
    write_dataset(workspace.build(), tmp_path / "out")
    for name in ("clips", "train", "eval", "rejected"):
        table = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        assert len(table) == 0
        assert list(table.columns[:2]) == ["clip_id", "video_id"]
        assert "source" in table.columns
    assert list(pd.read_csv(tmp_path / "out/clips.csv").columns[-6:]) == [
        "identity", "source", "split", "duration_s", "video", "mfcc"
    ]  # fmt: skip
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["kept"] == {"clips": 0, "hours": 0.0}
    assert summary["rejected"] == []


def test_a_kept_clip_without_manifest_is_not_lost(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    workspace.add(row("a"), kept=[(0, 100, 0), (100, 200, 0)])
    lines = workspace.manifests["a"].read_text().splitlines()
    workspace.manifests["a"].write_text("\n".join(lines[:-1]) + "\n")
    measures = workspace.measures["a"].read_text().splitlines()
    workspace.measures["a"].write_text("\n".join(measures[:-1]) + "\n")
    with caplog.at_level(logging.WARNING):
        dataset = workspace.build()
    assert dataset.clips["clip_id"].tolist() == ["a_000000_000100_00"]
    assert dataset.rejected[["clip_id", "stage", "reason"]].to_numpy().tolist() == [
        ["a_000100_000200_00", "clips", "not in manifest"]
    ]
    assert dataset.summary["candidates"] == 2
    assert "in no manifest" in caplog.text


def test_clips_that_miss_a_threshold_are_rejected(workspace: Workspace) -> None:
    workspace.add(
        row("a", "s", "alice"),
        kept=[(0, 100, 0), (100, 200, 0), (200, 300, 0), (400, 500, 0)],
        quality={1: {"sharpness": 3.25, "brightness": 7.0}, 3: {"hand_share": 0.5}},
        rejected=["a_000300_000340_00,a,0,0,300,340,rejected,segments,too short,,40,75,40"],
    )
    dataset = workspace.build()
    assert dataset.clips["start_frame"].tolist() == [0, 200]
    rejected = dataset.rejected.set_index("clip_id")
    assert list(dataset.rejected.columns) == [*LEDGER_HEADER.split(","), "identity", "source"]
    assert rejected.loc["a_000100_000200_00"].to_dict() == {
        "video_id": "a", "scene": 0, "track": 0, "start_frame": 100, "end_frame": 200,
        "verdict": "rejected", "stage": "quality", "reason": "dark",
        "detail": "brightness 7 < 25; sharpness 3.25 < 20", "value": 7, "threshold": 25,
        "n_frames": 100, "identity": "alice", "source": "s",
    }  # fmt: skip
    assert rejected.loc["a_000300_000340_00", ["stage", "reason", "detail"]].tolist() == [
        "segments", "too short", ""
    ]  # fmt: skip
    assert rejected.loc["a_000400_000500_00", ["stage", "reason", "value"]].tolist() == [
        "quality", "hand", 0.5
    ]  # fmt: skip
    assert dataset.summary["candidates"] == 5
    assert dataset.summary["kept"]["clips"] == 2
    counted = {(row["stage"], row["reason"]): row["count"] for row in dataset.summary["rejected"]}
    assert counted == {("quality", "dark"): 1, ("quality", "hand"): 1, ("segments", "too short"): 1}


def test_thresholds_move_no_clip_to_the_other_side(workspace: Workspace) -> None:
    for i in range(40):
        workspace.add(
            row(f"v{i}", identity=f"p{i % 15}"),
            kept=[(0, 100, 0), (100, 200, 0)],
            quality={0: {"hand_share": i / 40}, 1: {"max_abs_yaw": float(i)}},
        )
    every = workspace.build(0.4, Thresholds(max_hand_share=None)).clips
    fewer = workspace.build(0.4, Thresholds(max_hand_share=0.3, max_abs_yaw=20)).clips
    assert len(every) == 80
    # Shares of 0/40 to 12/40, angles of 0 to 20.
    assert len(fewer) == 13 + 21
    sides = dict(zip(every["clip_id"], every["split"], strict=True))
    assert fewer["split"].tolist() == [sides[clip] for clip in fewer["clip_id"]]
    assert set(fewer["split"]) == {"train", "eval"}


def test_measures_follow_their_clip(workspace: Workspace) -> None:
    workspace.add(
        row("a"),
        kept=[(200, 300, 0), (0, 100, 0)],
        quality={0: {"yaw_range": 20.0}, 1: {"yaw_range": 10.0}},
    )
    clips = workspace.build().clips
    assert clips[["start_frame", "yaw_range"]].to_numpy().tolist() == [[0, 10], [200, 20]]


def test_tables_of_different_runs_are_refused(workspace: Workspace) -> None:
    workspace.add(row("a"), kept=[(0, 100, 0)])
    manifest = workspace.manifests["a"].read_text()
    ledger = workspace.ledgers["a"].read_text()
    measures = workspace.measures["a"].read_text()
    a_clip = manifest.splitlines()[1]

    workspace.ledgers["a"].write_text(ledger.replace("kept", "rejected"))
    with pytest.raises(ValueError, match="no ledger keeps"):
        workspace.build()
    workspace.ledgers["a"].write_text(ledger.replace("kept", "maybe"))
    with pytest.raises(ValueError, match="'maybe'"):
        workspace.build()
    workspace.ledgers["a"].write_text(ledger)

    workspace.measures["a"].write_text(measures.splitlines()[0] + "\n")
    with pytest.raises(ValueError, match="'a_000000_000100_00' is in only one of .* run again"):
        workspace.build()
    workspace.measures["a"].write_text(measures + measures.splitlines()[1].replace("_00,", "_01,"))
    with pytest.raises(ValueError, match="'a_000000_000100_01' is in only one of .* run again"):
        workspace.build()
    workspace.measures["a"].write_text(measures + measures.splitlines()[1])
    with pytest.raises(ValueError, match="twice in the measures of quality"):
        workspace.build()
    workspace.measures["a"].write_text(measures.replace("_00,100,", "_00,99,"))
    with pytest.raises(ValueError, match="has 100 frames, but quality measured 99"):
        workspace.build()
    workspace.measures["a"].write_text(measures.replace("sharpness", "softness"))
    with pytest.raises(ValueError, match="no column sharpness"):
        workspace.build()
    workspace.measures["a"].write_text(measures)

    workspace.manifests["a"].write_text(manifest + a_clip + "\n")
    with pytest.raises(ValueError, match="twice in the manifests"):
        workspace.build()
    workspace.manifests["a"].write_text(manifest.replace(",a,", ",other,"))
    with pytest.raises(ValueError, match="'other'"):
        workspace.build()
    workspace.manifests["a"].write_text(manifest)

    workspace.add(row("b"))
    workspace.manifests["b"].write_text("clip_id,video_id\n")
    with pytest.raises(ValueError, match=r"b\.manifests\.csv"):
        workspace.build()


def test_a_product_may_not_hide_a_column(workspace: Workspace) -> None:
    workspace.add(row("a"), kept=[(0, 100, 0)])
    with pytest.raises(ValueError, match="'split'"):
        build_dataset(
            workspace.videos,
            workspace.manifests,
            workspace.ledgers,
            workspace.records,
            workspace.measures,
            {"split": "{video}"},
            0.1,
            thresholds=Thresholds(),
            clips_columns=[],
            ledger_columns=[],
            quality_columns=[],
        )


def test_an_empty_side_is_warned_of(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    workspace.add(row("a", split="train"), kept=[(0, 100, 0)])
    with caplog.at_level(logging.WARNING):
        workspace.build(0.1)
    assert "no clip is on side eval" in caplog.text
