from __future__ import annotations

import json
import logging
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.settings import default_settings
from talkingface.dataset.dataset import make_dataset
from talkingface.dataset.gates import THRESHOLD_KEYS, QualityThresholds
from talkingface.dataset.split import SplitError, split_side
from talkingface.job.tables import read_table, table_of_rows, write_table
from talkingface.settings.decisions import Decision
from talkingface.stages import FEATURES, Product, products_of
from talkingface.tables import CLIPS, QUALITY, REJECTED, SEGMENTS, dataset_clips

# The columns that users have on disk.
LEDGER_COLUMNS = [
    "clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "verdict", "stage",
    "reason", "detail", "value", "threshold", "n_frames", "face_height", "detected_share",
    "other_face_share", "loudness", "speech_share", "offset", "trusted", "confidence",
    "probability", "other_probability", "mouth_motion",
]  # fmt: skip
MEASURES = [
    "face_height", "present_share", "border_share", "brightness", "sharpness", "hand_share",
    "max_abs_yaw", "max_abs_pitch", "max_abs_roll", "yaw_range", "pitch_range", "roll_range",
    "residual_offset", "residual_certainty", "speech_quality",
]  # fmt: skip
# A clip that nothing is wrong with.
GOOD = dict.fromkeys(MEASURES, 0.0) | {
    "face_height": 220.5,
    "present_share": 1.0,
    "brightness": 128.0,
    "sharpness": 200.0,
}
# What the manifest says of every clip here, beside what it is called and when it is.
OF_CLIP = {
    "width": 512, "height": 512, "crop": "fixed", "crop_x": 8.5, "crop_y": 16.0, "crop_w": 300.0,
    "crop_h": 300.0, "offset": 1, "confidence": 5.25, "probability": 0.875, "speech_share": 0.5,
    "audio_shift": 640,
}  # fmt: skip
DEFAULTS = QualityThresholds(
    **{key: value for key, value in default_settings("quality").items() if key in THRESHOLD_KEYS}
)
PRODUCTS = (
    Product("video", "clips/{video}/{clip}.mp4", ""),
    Product("mfcc", "mfcc/{video}/{clip}.npy", ""),
)


def row(video_id: str, source: str = "", identity: Any = "", split: Any = "") -> dict[str, Any]:
    return {
        "video_id": video_id,
        "source": source or f"https://example.org/{video_id}",
        "identity": identity,
        "split": split,
    }


@dataclass
class Dataset:
    """A dataset as it is on disk."""

    folder: Path
    clips: pd.DataFrame
    rejected: pd.DataFrame
    summary: dict[str, Any]

    def side(self, side: str) -> pd.DataFrame:
        return pd.DataFrame(read_table(self.folder / f"{side}.csv", CLIPS_TABLE))


CLIPS_TABLE = dataset_clips(tuple(product.column for product in PRODUCTS))


class Workspace:
    """A results folder with the tables of videos."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.folder = folder / "dataset"
        self.videos: list[dict[str, Any]] = []

    def add(
        self,
        video: dict[str, Any],
        kept: list[tuple[int, int, int]] = [],  # noqa: B006
        rejected: list[str] = [],  # noqa: B006
        status: str = "ok",
        probe: dict[str, Any] | None = None,
        quality: dict[int, dict[str, float]] = {},  # noqa: B006
        sha256: str | None = None,
    ) -> None:
        """`kept` holds (start, end, track), `rejected` the first cells of ledger lines, `quality`
        measures of the clip at a place of `kept` that are not GOOD."""
        name = video["video_id"]
        clips, measures = [], []
        for i, (start, end, track) in enumerate(kept):
            clip = {"clip_id": f"{name}_{start:06d}_{end:06d}_{track:02d}", "n_frames": end - start}
            place = {"scene": 0, "track": track, "start_frame": start, "end_frame": end}
            clips.append(clip | place | OF_CLIP | {"video_id": name})
            measures.append(clip | GOOD | quality.get(i, {}))
        self.videos.append(video)
        for definition, rows in (
            (CLIPS, clips),
            (SEGMENTS, [clip | {"verdict": "kept"} for clip in clips]),
            (QUALITY, measures),
        ):
            path = self.results / definition.path.format(video=name)
            write_table(table_of_rows(definition, rows), path, definition)
        with self.ledger(name).open("a") as file:
            for line in rejected:
                file.write(line + "," * (len(LEDGER_COLUMNS) - 1 - line.count(",")) + "\n")
        record = {"status": status, "reason": "", "probe": probe}
        record["provenance"] = {"sha256": sha256} if sha256 else {}
        (self.results / "videos").mkdir(exist_ok=True)
        (self.results / "videos" / f"{name}.json").write_text(json.dumps(record))

    def manifest(self, name: str) -> Path:
        return self.results / "clips" / f"{name}.csv"

    def ledger(self, name: str) -> Path:
        return self.results / "segments" / f"{name}.csv"

    def measures(self, name: str) -> Path:
        return self.results / "quality" / f"{name}.csv"

    def write(
        self,
        folder: Path,
        eval_fraction: float = 0.5,
        thresholds: QualityThresholds = DEFAULTS,
        products: Sequence[Product] = PRODUCTS,
        decisions: dict[str, Decision] | None = None,
    ) -> None:
        make_dataset(
            self.videos,
            self.results,
            folder,
            products=products,
            thresholds=thresholds,
            eval_fraction=eval_fraction,
            seed=0,
            decisions=decisions,
        )

    def build(
        self,
        eval_fraction: float = 0.5,
        thresholds: QualityThresholds = DEFAULTS,
        decisions: dict[str, Decision] | None = None,
    ) -> Dataset:
        self.write(self.folder, eval_fraction, thresholds, decisions=decisions)
        return Dataset(
            self.folder,
            pd.DataFrame(read_table(self.folder / "clips.csv", CLIPS_TABLE)),
            pd.DataFrame(read_table(self.folder / "rejected.csv", REJECTED)),
            json.loads((self.folder / "summary.json").read_text()),
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
            **OF_CLIP,
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


def test_a_gap_is_neither_a_candidate_nor_a_whole_video(workspace: Workspace) -> None:
    gap = ",a,,,100,130,rejected,proxy,gap,no new picture,1.2,0.5,30"
    workspace.add(row("a", "s"), kept=[(0, 100, 0)], rejected=[gap])
    dataset = workspace.build()
    assert dataset.rejected.loc[0, ["start_frame", "end_frame", "value"]].tolist() == [
        100,
        130,
        1.2,
    ]
    assert dataset.summary["candidates"] == 1
    (counted,) = dataset.summary["rejected"]
    assert (counted["reason"], counted["count"], counted["whole_videos"]) == ("gap", 1, 0)


BLURRED = {"sharpness": 5.0}


def test_what_a_person_decided_counts(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """Kept and blurred clips in turn; the sixth the ledger keeps by hand though it is blurred."""
    kept = [(100 * k, 100 * k + 100, 0) for k in range(6)]
    workspace.add(row("a"), kept, quality={1: BLURRED, 3: BLURRED, 5: BLURRED})
    ledger = read_table(workspace.ledger("a"), SEGMENTS)
    ledger.stage[5], ledger.reason[5], ledger.detail[5] = "decisions", "by hand", "six"
    ledger.value[5], ledger.threshold[5] = 60, 75
    write_table(ledger, workspace.ledger("a"), SEGMENTS)
    rejected = "a_000600_000700_00,a,0,0,600,700,rejected,tracks,small_face,,40,75,100"
    with workspace.ledger("a").open("a") as file:
        file.write(rejected + "," * (len(LEDGER_COLUMNS) - 1 - rejected.count(",")) + "\n")
    names = [f"a_{start:06d}_{start + 100:06d}_00" for start in range(0, 700, 100)]
    decisions = {
        names[0]: Decision("reject", "=dull"),
        names[1]: Decision("keep", "it is art"),
        names[2]: Decision("keep", "changes nothing"),
        names[3]: Decision("reject", "neither does this"),
        names[4]: Decision("", "a note"),
        names[5]: Decision("keep", "six"),
        names[6]: Decision("reject", "nor this"),
        "a_000000_000101_00": Decision("keep", "cut elsewhere"),
        "b_000000_000101_00": Decision("", "a note is no decision"),
    }
    dataset = workspace.build(decisions=decisions)
    assert dataset.clips["clip_id"].tolist() == [names[k] for k in (1, 2, 4, 5)]
    assert dataset.rejected[["clip_id", "stage", "reason", "detail"]].to_numpy().tolist() == [
        [names[0], "decisions", "by hand", "=dull"],
        [names[3], "quality", "blurred", "sharpness 5 < 20"],
        [names[6], "tracks", "small_face", ""],
    ]
    assert dataset.rejected["value"].isna().tolist() == [True, False, False]
    assert "'=dull" in (workspace.folder / "rejected.csv").read_text()
    assert dataset.summary["by_hand"] == {"kept": 2, "rejected": 1, "unknown": 1}
    assert dataset.summary["candidates"] == 7
    (warning,) = [text for text in caplog.messages if "by hand" in text]
    assert "no such clips (1): a_000000_000101_00. " in warning

    # Without them it is as it was, but for what the ledger says.
    caplog.clear()
    dataset = workspace.build()
    assert "by_hand" not in dataset.summary and "by hand" not in caplog.text
    assert dataset.rejected["reason"].tolist() == ["blurred"] * 3 + ["small_face"]


def test_a_clip_that_was_not_made_is_not_kept_by_hand(workspace: Workspace) -> None:
    workspace.add(row("a"), kept=[(0, 100, 0), (100, 200, 0)])
    manifest = read_table(workspace.manifest("a"), CLIPS)
    write_table(manifest[:1], workspace.manifest("a"), CLIPS)
    measures = read_table(workspace.measures("a"), QUALITY)
    write_table(measures[:1], workspace.measures("a"), QUALITY)
    dataset = workspace.build(decisions={"a_000100_000200_00": Decision("keep")})
    assert dataset.rejected["reason"].tolist() == ["not in manifest"]
    assert dataset.summary["by_hand"] == {"kept": 0, "rejected": 0, "unknown": 0}


def test_what_is_kept_in_doubt_is_in_the_dataset(workspace: Workspace) -> None:
    """Its row of the ledger has a reason; where a gate rejects it, the gate's takes its place."""
    workspace.add(row("a"), kept=[(0, 100, 0), (100, 200, 0)], quality={1: {"sharpness": 5.0}})
    ledger = read_table(workspace.ledger("a"), SEGMENTS)
    ledger.stage, ledger.reason, ledger.value = "sync", "unsure", 0.3
    write_table(ledger, workspace.ledger("a"), SEGMENTS)
    dataset = workspace.build()
    assert dataset.clips["start_frame"].tolist() == [0]
    assert dataset.rejected[["stage", "reason", "value"]].to_numpy().tolist() == [
        ["quality", "blurred", 5.0]
    ]
    assert [entry["reason"] for entry in dataset.summary["rejected"]] == ["blurred"]


def test_written_numbers_stay_whole_beside_missing_ones(
    workspace: Workspace, tmp_path: Path
) -> None:
    line = "a_000100_000140_00,a,0,0,100,140,rejected,segments,too short,,0.30000000000000004,75,40"
    workspace.add(row("a", "s"), rejected=[",a,,,,,rejected,tracks,no face,,,,", line])
    workspace.write(tmp_path / "out")
    lines = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert lines[1] == ",a,,,,,rejected,tracks,no face,,,,,,,,,,,,,,,,,s"
    assert lines[2].startswith("a_000100_000140_00,a,0,0,100,140,rejected,segments,too short,")
    assert ",0.30000000000000004," in lines[2]
    whole = (
        "a_000140_000240_00,a,0,0,140,240,rejected,sync,offset,,-8,5,100,9,1,0,-20,1,-8.0,1.0,3,"
        "0.25,0,0.05"
    )
    workspace.add(row("b", "s"), rejected=[whole.replace("a", "b", 1).replace(",a,", ",b,")])
    workspace.write(tmp_path / "out")
    line = (tmp_path / "out" / "rejected.csv").read_text().splitlines()[3]
    # The offset once stood beside an empty cell.
    assert line.endswith(",100,9.0,1.0,0.0,-20.0,1.0,-8,1,3.0,0.25,0.0,0.05,,s")


def test_the_same_file_under_other_names_is_on_one_side(
    workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    # Alone, some would be in train and some in eval.
    names = [f"v{i}" for i in range(12)]
    assert {split_side(name, 0.5, 0) for name in names} == {"train", "eval"}
    for i, name in enumerate(names):
        workspace.add(row(name, f"{i}.mp4"), [(0, 100, 0)], sha256="f00d" if i % 3 else f"own{i}")
    # What could not be had is the same as nothing.
    workspace.add(row("gone"), status="removed", sha256="f00d")
    with caplog.at_level(logging.INFO):
        dataset = workspace.build()
    same = [name for i, name in enumerate(names) if i % 3]
    sides = dict(zip(dataset.clips.video_id, dataset.clips.split, strict=True))
    assert {sides[name] for name in same} == {split_side("v1", 0.5, 0)}
    for name in set(names) - set(same):
        assert sides[name] == split_side(name, 0.5, 0)
    assert dataset.summary["same_recording"] == [same]
    assert f"8 videos are one recording, all in {sides['v1']}: v1, v2" in caplog.text


def test_the_same_file_on_two_sides_is_refused(workspace: Workspace) -> None:
    workspace.add(row("a", "a.mp4", split="train"), [(0, 100, 0)], sha256="f00d")
    workspace.add(row("b", "b.mp4", split="eval"), [(0, 100, 0)], sha256="f00d")
    with pytest.raises(SplitError, match="'a' pins train and video 'b' pins eval.*file"):
        workspace.build()
    assert not (workspace.folder / "clips.csv").exists()


def test_names_and_words_are_no_formulas_in_a_spreadsheet(workspace: Workspace) -> None:
    workspace.add(row("-a", "-x.mp4", "=HYPERLINK(1)"), [(0, 100, 0)])
    dataset = workspace.build()
    assert list(dataset.clips.identity) == ["=HYPERLINK(1)"]
    assert list(dataset.clips.source) == ["-x.mp4"]
    # As a spreadsheet sees it; names of videos and clips have letters that no formula can do with.
    cells = pd.read_csv(workspace.folder / "clips.csv", dtype=str)
    assert list(cells.identity) == ["'=HYPERLINK(1)"] and list(cells.source) == ["'-x.mp4"]
    assert list(cells.video_id) == ["-a"]


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
    workspace.write(out)
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
        workspace.write(tmp_path / out)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.parametrize("listed", [False, True], ids=["no videos", "nothing kept"])
def test_an_empty_dataset_has_headers(workspace: Workspace, tmp_path: Path, listed: bool) -> None:
    if listed:
        workspace.add(row("a"))
    workspace.write(tmp_path / "out")
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
    for path in (workspace.manifest("a"), workspace.measures("a")):
        path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
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
    header = (dataset.folder / "rejected.csv").read_text().splitlines()[0]
    assert header.split(",") == [*LEDGER_COLUMNS, "identity", "source"]
    measured = LEDGER_COLUMNS[LEDGER_COLUMNS.index("face_height") :]
    assert rejected.loc["a_000100_000200_00"].drop(measured).to_dict() == {
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
    every = workspace.build(0.4, replace(DEFAULTS, max_hand_share=None)).clips
    fewer = workspace.build(0.4, replace(DEFAULTS, max_hand_share=0.3, max_abs_yaw=20)).clips
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
    paths = workspace.manifest("a"), workspace.ledger("a"), workspace.measures("a")
    manifest, ledger, measures = (path.read_text() for path in paths)
    a_clip = manifest.splitlines()[1]

    paths[1].write_text(ledger.replace("kept", "rejected"))
    with pytest.raises(ValueError, match="no ledger keeps"):
        workspace.build()
    paths[1].write_text(ledger.replace("kept", "maybe"))
    with pytest.raises(ValueError, match="'maybe'"):
        workspace.build()
    paths[1].write_text(ledger)

    paths[2].write_text(measures.splitlines()[0] + "\n")
    with pytest.raises(ValueError, match="'a_000000_000100_00' is in only one of .* run again"):
        workspace.build()
    paths[2].write_text(measures + measures.splitlines()[1].replace("_00,", "_01,") + "\n")
    with pytest.raises(ValueError, match="'a_000000_000100_01' is in only one of .* run again"):
        workspace.build()
    paths[2].write_text(measures + measures.splitlines()[1] + "\n")
    with pytest.raises(ValueError, match="twice in the measures of quality"):
        workspace.build()
    paths[2].write_text(measures.replace("_00,100,", "_00,99,"))
    with pytest.raises(ValueError, match="has 100 frames, but quality measured 99"):
        workspace.build()
    paths[2].write_text(measures.replace("sharpness", "softness"))
    with pytest.raises(ValueError, match=r"quality/a\.csv.*softness, it lacks sharpness"):
        workspace.build()
    paths[2].write_text(measures)

    paths[0].write_text(manifest + a_clip + "\n")
    with pytest.raises(ValueError, match="twice in the manifests"):
        workspace.build()
    paths[0].write_text(manifest.replace(",a,", ",other,"))
    with pytest.raises(ValueError, match="'other'"):
        workspace.build()
    paths[0].write_text(manifest)

    workspace.add(row("b"))
    workspace.manifest("b").write_text("clip_id,video_id\n")
    with pytest.raises(ValueError, match=r"clips/b\.csv"):
        workspace.build()
    # What was written of the first video is gone with the error.
    assert not list(workspace.folder.iterdir())


def test_a_product_may_not_hide_a_column(workspace: Workspace) -> None:
    workspace.add(row("a"), kept=[(0, 100, 0)])
    with pytest.raises(ValueError, match="'split'"):
        workspace.write(workspace.folder, products=[Product("split", "{video}", "")])


def test_every_product_of_the_register_has_a_column_of_its_own(workspace: Workspace) -> None:
    workspace.add(row("a"), kept=[(0, 100, 0)])
    workspace.write(workspace.folder, products=products_of(FEATURES))
    (clip,) = pd.read_csv(workspace.folder / "clips.csv").to_dict("records")
    assert clip["depth_scale"] == "depth/a/a_000000_000100_00.json"
    assert clip["parsing"] == "parsing/a/a_000000_000100_00"


def write_peak(workspace: Workspace) -> int:
    """Bytes held at most while the dataset is written; now and then more, by what waits for the
    garbage collector."""
    tracemalloc.start()
    workspace.write(workspace.folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_list(workspace: Workspace) -> None:
    """Of 30 videos no more is held than of 10, but for the list itself."""
    peaks = []
    for count in (10, 30):
        while len(workspace.videos) < count:
            name = f"v{len(workspace.videos)}"
            lines = [f"x{i},{name},0,0,0,1,rejected,sync,offset" for i in range(40)]
            workspace.add(row(name), kept=[(k, k + 1, 0) for k in range(40)], rejected=lines)
        peaks.append(min(write_peak(workspace) for _ in range(3)))
    assert peaks[1] < peaks[0] + 20 * 5_000


def test_an_empty_side_is_warned_of(workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    workspace.add(row("a", split="train"), kept=[(0, 100, 0)])
    with caplog.at_level(logging.WARNING):
        workspace.build(0.1)
    assert "no clip is on side eval" in caplog.text
