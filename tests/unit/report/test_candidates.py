from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.tables import TEXT, read_frame
from talkingface.clips.verdict import Verdict, decided, rejected
from talkingface.dataset.dataset import make_dataset
from talkingface.dataset.gates import THRESHOLD_KEYS, QualityThresholds
from talkingface.grid import clip_name
from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns, table_of_rows, write_table
from talkingface.report.candidates import candidates_table
from talkingface.settings.decisions import Decision
from talkingface.stages import products_of
from talkingface.tables import CLIPS, POSE, PREVIEW, QUALITY, SEGMENTS, Table

THRESHOLDS = QualityThresholds(**dict.fromkeys(THRESHOLD_KEYS) | {"min_sharpness": 20.0})
SHARP, BLURRED = 200.0, 5.5
KEPT = Verdict("kept")
UNSURE = Verdict("kept", "sync", "unsure", "too little evidence", 0.4321, 0.5)
SMALL = rejected("tracks", "small_face", 62.5, 100.0)
SILENT = rejected("proxy", "no_audio", detail='=cmd|"x", </script>')
GAP = rejected("proxy", "frozen", 2.04, 0.5)
FURTHER = {"clips": CLIPS, "quality": QUALITY, "pose": POSE, "preview": PREVIEW}
VERDICT = list(Verdict._fields)


class Workspace:
    """The tables of videos in a results folder, and a dataset that is made of them."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.videos: list[dict[str, Any]] = []
        self.decisions: dict[str, Decision] = {}

    def add(
        self,
        video: str,
        stretches: list[tuple[Verdict, float | None]],
        others: list[dict[str, Any]] | None = None,
        identity: str = "",
    ) -> list[str]:
        """A video with a candidate for each of `stretches`: its verdict, and its sharpness where a
        clip was made of it. `others` are rows of its ledger that are no candidates. The names of
        the candidates."""
        number = len(self.videos)
        self.videos.append({"video_id": video, "source": f"{video}.mp4", "identity": identity})
        rows: dict[Table, list[dict[str, Any]]] = {t: [] for t in (SEGMENTS, *FURTHER.values())}
        names = []
        for k, (verdict, sharpness) in enumerate(stretches):
            name = clip_name(video, 100 * k, 100 * k + 75, 0)
            names.append(name)
            own = {
                "clip_id": name, "video_id": video, "scene": 0, "track": 0, "n_frames": 75,
                "start_frame": 100 * k, "end_frame": 100 * k + 75,
            }  # fmt: skip
            # Numbers that no two columns share, with all digits that a double has.
            measure = (number + 1) / 7 + k / 13
            voice = {"confidence": measure / 3, "probability": measure / 11}
            rows[SEGMENTS].append(own | voice | verdict._asdict() | {"face_height": measure / 17})
            rows[PREVIEW].append(
                own | {"pictures": 10, "alone": 1, "judged": 1, "probability": measure / 19}
            )
            if sharpness is None:
                continue
            rows[CLIPS].append(own | voice | {"crop": "fixed", "width": 512, "audio_shift": -640})
            rows[QUALITY].append(own | {"sharpness": sharpness, "brightness": measure / 23})
            rows[POSE].append(own | {"median_yaw": -measure / 29})
        rows[SEGMENTS] += [{"video_id": video} | row for row in others or []]
        for definition, cells in rows.items():
            zeros = {column.name: 0 for column in definition.columns if column.kind == "int"}
            known = [{n: c for n, c in row.items() if n in definition.names} for row in cells]
            path = self.results / definition.path.format(video=video)
            table = table_of_rows(definition, [zeros | row for row in known])
            write_table(table, path, definition)
        record = self.results / f"videos/{video}.json"
        record.parent.mkdir(exist_ok=True)
        record.write_text(json.dumps({"status": "ok"}))
        return names

    def make(self) -> None:
        make_dataset(
            self.videos,
            self.results,
            self.results / "dataset",
            products=products_of([]),
            thresholds=THRESHOLDS,
            eval_fraction=0.5,
            seed=0,
            decisions=self.decisions,
        )

    def table(self) -> dict[str, Any]:
        return candidates_table(
            self.videos, self.results, thresholds=THRESHOLDS, decisions=self.decisions
        )

    def frame(self) -> pd.DataFrame:
        return frame_of(self.table())

    def read(self, stage: str) -> pd.DataFrame:
        """A stage's tables of all videos."""
        paths = [self.results / f"{stage}/{row['video_id']}.csv" for row in self.videos]
        tables = [table for table in map(read_exactly, paths) if len(table)]
        return pd.concat(tables, ignore_index=True)


def read_exactly(path: Path) -> pd.DataFrame:
    """A table with the very doubles that its cells say, of which pandas by itself loses the last
    digits, and without the apostrophe that keeps a spreadsheet from taking a cell for a formula."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in set(frame) - TEXT:
        frame[name] = frame[name].replace("", "nan").map(float)
    if "detail" in frame:
        frame["detail"] = frame["detail"].str.removeprefix("'")
    return frame


def frame_of(table: dict[str, Any]) -> pd.DataFrame:
    """A table as the page has it, after a way through JSON, as pandas has it."""
    columns = json.loads(json.dumps(table))["columns"]
    return pd.DataFrame(
        {
            name: pd.Series(column["values"], dtype=float)
            if column["kind"] == "number"
            else [column["texts"][code] for code in column["codes"]]
            for name, column in columns.items()
        }
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Of every kind of row there is one; videos have names that look like something else."""
    workspace = Workspace(tmp_path / "results")
    workspace.add(
        "00012",
        [(KEPT, SHARP), (KEPT, BLURRED), (SMALL, None), (UNSURE, SHARP), (KEPT, None)],
        [GAP._asdict() | {"start_frame": 500, "end_frame": 551, "n_frames": 51}],
        identity="NA",
    )
    workspace.add("silent", [], [SILENT._asdict()])
    workspace.add("NA", [(SMALL, None), (KEPT, SHARP)])
    workspace.make()
    return workspace


def test_every_row_of_the_ledgers_is_there_once_and_in_order(workspace: Workspace) -> None:
    frame, ledger = workspace.frame(), workspace.read("segments")
    names = ["clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "n_frames"]
    pd.testing.assert_frame_equal(frame[names], ledger[names], check_dtype=False)
    assert frame["video_id"].tolist() == ["00012"] * 6 + ["silent"] + ["NA"] * 2
    assert frame["identity"].tolist() == ["NA"] * 6 + [""] * 3
    # The gap, and the video as a whole, by which the page tells them apart.
    assert frame["clip_id"].eq("").tolist() == [False] * 5 + [True, True] + [False] * 2
    assert frame["start_frame"].isna().tolist() == [False] * 6 + [True] + [False] * 2


def test_measures_are_the_doubles_of_the_files(workspace: Workspace) -> None:
    """As pandas joins the same files; equal, not nearly."""
    frame, ledger = workspace.frame(), workspace.read("segments")
    names = [name for name in ledger if f"segments.{name}" in frame]
    assert {*VERDICT, "face_height", "confidence", "offset"} < set(names)
    own = frame[[f"segments.{name}" for name in names]].set_axis(names, axis=1)
    pd.testing.assert_frame_equal(own, ledger[names], check_exact=True, check_dtype=False)
    for stage, definition in FURTHER.items():
        table = workspace.read(stage)
        joined = ledger[["clip_id"]].merge(table, on="clip_id", how="left", validate="m:1")
        names = [name for name in table if f"{stage}.{name}" in frame]
        texts = [c.name for c in definition.columns if c.kind == "text" and c.name in names]
        joined[texts] = joined[texts].fillna("")
        own = frame[[f"{stage}.{name}" for name in names]].set_axis(names, axis=1)
        pd.testing.assert_frame_equal(own, joined[names], check_exact=True, check_dtype=False)
    assert frame["quality.sharpness"].tolist()[:2] == [SHARP, BLURRED]
    assert frame["quality.sharpness"].notna().sum() == 4


def test_the_last_verdict_is_that_of_the_dataset(workspace: Workspace) -> None:
    frame, ledger = workspace.frame(), workspace.read("segments")
    rejected = read_exactly(workspace.results / "dataset/rejected.csv")
    left_out = frame[frame["verdict"] == "rejected"].reset_index(drop=True)
    columns = ["clip_id", "video_id", "start_frame", *VERDICT]
    pd.testing.assert_frame_equal(left_out[columns], rejected[columns], check_exact=True)
    blurred = frame.iloc[1]
    assert blurred[["stage", "reason", "value", "threshold"]].tolist() == [
        "quality", "blurred", BLURRED, 20.0,
    ]  # fmt: skip
    assert (blurred["segments.verdict"], blurred["segments.stage"]) == ("kept", "")
    assert frame.iloc[4][["stage", "reason"]].tolist() == ["clips", "not in manifest"]
    # One that is kept in doubt says so.
    kept = ledger["verdict"].eq("kept") & frame["verdict"].eq("kept")
    pd.testing.assert_frame_equal(frame.loc[kept, VERDICT], ledger.loc[kept, VERDICT])
    assert frame.iloc[3]["reason"] == "unsure"


def test_clips_are_on_their_side(workspace: Workspace) -> None:
    frame = workspace.frame()
    clips = read_frame(workspace.results / "dataset/clips.csv").set_index("clip_id")["split"]
    kept = frame[frame["verdict"] == "kept"].set_index("clip_id")["split"]
    pd.testing.assert_series_equal(kept, clips)
    assert frame.loc[frame["verdict"] == "rejected", "split"].eq("").all()


def test_numbers_agree_with_the_summary(workspace: Workspace) -> None:
    frame = workspace.frame()
    summary = json.loads((workspace.results / "dataset/summary.json").read_text())
    candidates = frame[frame["clip_id"] != ""]
    kept, rejected = (frame[frame["verdict"] == v] for v in ("kept", "rejected"))
    assert (len(candidates), len(kept)) == (summary["candidates"], summary["kept"]["clips"])
    assert kept["n_frames"].sum() / 25 / 3600 == pytest.approx(summary["kept"]["hours"], abs=1e-6)
    groups = rejected.groupby(["stage", "reason"])
    counts = {key: (len(rows), int(rows["start_frame"].isna().sum())) for key, rows in groups}
    told = {(r["stage"], r["reason"]): (r["count"], r["whole_videos"]) for r in summary["rejected"]}
    assert counts == told and len(counts) == 5


def test_what_is_decided_by_hand(tmp_path: Path) -> None:
    """A person's word in the ledger, against the gates of the dataset, and where it changes
    nothing."""
    workspace = Workspace(tmp_path / "results")
    by_hand = decided(SMALL, "keep", "a child")
    names = workspace.add(
        "v",
        [(by_hand, SHARP), (KEPT, BLURRED), (KEPT, SHARP), (KEPT, SHARP), (by_hand, BLURRED)],
    )
    notes = ["a child", "soft", "", "dubbed", "both"]
    wanted = ["keep", "keep", "keep", "reject", "keep"]
    for name, decision, note in zip(names, wanted, notes, strict=True):
        workspace.decisions[name] = Decision(decision, note)
    workspace.make()
    frame = workspace.frame()
    hand = ("decisions", "by hand")
    assert [tuple(row) for row in frame[VERDICT].fillna("").values.tolist()] == [
        ("kept", *hand, "a child", 62.5, 100.0),
        ("kept", *hand, "soft", BLURRED, 20.0),
        ("kept", "", "", "", "", ""),
        ("rejected", *hand, "dubbed", "", ""),
        ("kept", *hand, "both", BLURRED, 20.0),
    ]


def test_columns_say_what_they_are(workspace: Workspace) -> None:
    columns = workspace.table()["columns"]
    for stage, definition in {"segments": SEGMENTS, **FURTHER}.items():
        for column in definition.columns:
            found = columns.get(f"{stage}.{column.name}")
            if stage == "segments":
                found = columns.get(column.name, found)
            if found:
                assert (found["meaning"], found["unit"]) == (column.meaning, column.unit)
                assert found["kind"] == ("text" if column.kind == "text" else "number")
    # What `clips` repeats of the ledger is there once.
    assert not {f"clips.{name}" for name in ("clip_id", "offset", "probability")} & columns.keys()
    assert {"quality.sharpness", "pose.median_yaw", "preview.alone", "clips.width"} < columns.keys()


@pytest.mark.parametrize("stage", ["segments", *FURTHER])
def test_a_table_that_cannot_be_used_is_named(workspace: Workspace, stage: str) -> None:
    path = workspace.results / stage / "NA.csv"
    text = path.read_text()
    path.write_text(text[:-1])
    with pytest.raises(DamagedFile, match=f"{stage}/NA.csv"):
        workspace.table()
    path.write_text(text.replace("clip_id", "clip", 1))
    with pytest.raises(OtherColumns, match=f"{stage}/NA.csv.*delete it"):
        workspace.table()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{stage}/NA.csv"):
        workspace.table()


def rewrite(path: Path, change: Any) -> None:
    """Let `change` change the rows of a csv, which are lists of cells, behind its header."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    change(rows)
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("dataset/clips.csv", lambda rows: rows.pop(0), "'00012_000000.*in neither of"),
        ("dataset/rejected.csv", lambda rows: rows.pop(0), "'00012_000100.*in neither of"),
        ("segments/NA.csv", lambda rows: rows.pop(0), "'NA_000000.*in no ledger"),
        ("segments/NA.csv", lambda rows: rows.pop(1), "'NA_000100.*in no ledger"),
    ],
)
def test_tables_of_different_runs_are_refused(
    workspace: Workspace, table: str, change: Any, message: str
) -> None:
    rewrite(workspace.results / table, change)
    with pytest.raises(ValueError, match=message):
        workspace.table()


def test_a_clip_of_the_dataset_that_its_ledger_rejects_is_refused(workspace: Workspace) -> None:
    def reject(rows: list[list[str]]) -> None:
        rows[1][SEGMENTS.names.index("verdict")] = "rejected"

    rewrite(workspace.results / "segments/NA.csv", reject)
    with pytest.raises(ValueError, match="'NA_000100.*not kept in its ledger"):
        workspace.table()
