"""What a person decided about clips is obeyed by the next run, and makes nothing else again."""

from __future__ import annotations

from pathlib import Path

from helpers.workspace import Workspace

# What is always made, so that little runs.
FEATURES = ("--config", "features=[pose]")
OF_LECTURE = {"segments", "clips", "landmarks", "pose", "quality", "preview"}
LEDGER = "results/segments/lecture.csv"


def test_decisions_are_obeyed_and_what_they_do_not_change_stays(
    demo: Workspace, tmp_path: Path
) -> None:
    workspace = demo.copy(tmp_path / "workspace")
    ledger, dataset = workspace.folder / LEDGER, workspace.folder / "results/dataset"
    before = ledger.read_bytes()
    candidates = workspace.table("segments/lecture.csv").set_index("reason")
    small, good = candidates.clip_id["small_face"], candidates.clip_id[""]
    (dull,) = workspace.table("segments/vlog.csv").clip_id
    redundant = workspace.table("segments/interview.csv").query("verdict == 'kept'").clip_id
    decisions = workspace.folder / "decisions.csv"
    lines = [
        "clip_id,decision,note", f"{small},keep,'=a smile", f"{dull},reject,he yawns",
        f"{good},,a note", *(f"{clip},keep," for clip in redundant), "gone_000000_000100_00,keep,",
    ]  # fmt: skip

    # The page alone is made for a note, the dataset for what it decides.
    everything = ("--config", f"features=[{','.join(made(workspace))}]")
    decisions.write_text("\n".join([lines[0], lines[3], ""]))
    assert set(workspace.planned(*everything)) == {"report", "all"}
    decisions.write_text("\n".join([lines[0], *lines[2:], ""]))
    assert set(workspace.planned(*everything)) == {"dataset", "card", "report", "all"}
    decisions.write_text("\n".join([*lines, f"{good},perhaps,"]))
    refused = workspace.ask(*everything)
    assert refused.returncode != 0 and "line 9: decision: got 'perhaps'" in refused.stderr

    decisions.write_text("\n".join([*lines, ""]))
    plan = workspace.planned(*FEATURES)
    assert {rule for rule, videos in plan.items() if videos} == OF_LECTURE | {"finished"}
    assert all(plan[rule] == {"lecture"} for rule in OF_LECTURE)
    done = workspace.run(*FEATURES)
    assert "to do: segments (1 decided by hand)" in done.stdout
    unknown = "no such clips (1): gone_000000_000100_00. "
    assert unknown in done.stdout
    assert unknown in (workspace.folder / "results/logs/dataset.log").read_text()
    row = workspace.table("segments/lecture.csv").set_index("clip_id").loc[small]
    assert (row.verdict, row.stage, row.reason) == ("kept", "decisions", "by hand")
    assert row.detail == "'=a smile" and row.value < row.threshold == 100
    clips = workspace.table("dataset/clips.csv").set_index("clip_id")
    assert small in clips.index and (workspace.folder / "results" / clips.video[small]).exists()
    assert set(redundant) < set(clips.index) and dull not in clips.index
    row = workspace.table("dataset/rejected.csv").set_index("clip_id").loc[dull]
    assert (row.stage, row.reason, row.detail) == ("decisions", "by hand", "he yawns")
    assert workspace.json("dataset/summary.json")["by_hand"] == {
        "kept": 1, "rejected": 1, "unknown": 1,
    }  # fmt: skip
    assert "kept by hand 1, left out by hand 1" in (dataset / "README.md").read_text()
    assert workspace.planned(*FEATURES) == {}

    # It holds where thresholds change, whatever the target, and goes with the decision.
    settings = workspace.folder / "settings.yaml"
    settings.write_text("features: [pose]\nsegments: {min_face_height: 101}\n")
    workspace.run(LEDGER, "--configfile", str(settings))
    row = workspace.table("segments/lecture.csv").set_index("clip_id").loc[small]
    assert (row.reason, row.threshold) == ("by hand", 101)
    decisions.unlink()
    workspace.run(LEDGER, *FEATURES)
    assert ledger.read_bytes() == before
    plan = workspace.planned(*FEATURES)
    of_all = {"finished", "dataset", "card", "report", "all"}
    assert set(plan) == (OF_LECTURE - {"segments"}) | of_all
    assert all(plan[rule] == {"lecture"} for rule in plan if plan[rule])


def made(workspace: Workspace) -> list[str]:
    """The features that it was made with."""
    return workspace.json("dataset/settings.json")["settings"]["features"]
