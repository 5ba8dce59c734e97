"""The report of a whole run: it is made once, again when it would say something else, and Snakemake
has a report of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from helpers.workspace import Workspace

STRICT = "quality: {min_sharpness: 100000}\n"
OFF = "report: {enabled: false}\n"


def data(workspace: Workspace, name: str) -> Any:
    """One of the data files as the page receives it."""
    script = (workspace.folder / f"results/report/data/{name}.js").read_text()
    literal = script[script.index("JSON.parse(") + len("JSON.parse(") : script.rindex("));")]
    return json.loads(json.loads(literal))


def settings(workspace: Workspace, text: str = "") -> tuple[str, ...]:
    """Options of a run with the features that the workspace was made with, and other settings."""
    features = workspace.json("dataset/settings.json")["settings"]["features"]
    path = workspace.folder / f"settings{len(list(workspace.folder.glob('settings*')))}.yaml"
    path.write_text(f"features: [{', '.join(features)}]\n{text}")
    return ("--configfile", str(path))


def test_it_is_made_again_when_it_would_say_something_else(demo: Workspace, tmp_path: Path) -> None:
    workspace = demo.copy(tmp_path / "workspace")
    assert workspace.planned(*settings(workspace)) == {}
    kept = workspace.json("dataset/summary.json")["kept"]["clips"]
    run = data(workspace, "run")
    assert kept and run["summary"]["kept"]["clips"] == kept
    stages = {row["stage"] for row in run["times"]}
    assert {"download", "tracks", "clips", "quality", "preview", "dataset"} <= stages
    assert sum(data(workspace, "videos")["columns"]["clips"]["values"]) == kept

    strict = settings(workspace, STRICT)
    assert set(workspace.planned(*strict)) == {"dataset", "card", "report", "all"}
    workspace.run(*strict)
    run = data(workspace, "run")
    (sharpness,) = [row for row in run["settings"] if row["key"] == "min_sharpness"]
    assert sharpness["value"] == 100_000 and run["summary"]["kept"]["clips"] == 0
    reasons = data(workspace, "candidates")["columns"]["reason"]
    assert reasons["codes"].count(reasons["texts"].index("blurred")) == kept
    assert workspace.planned(*strict) == {}

    # Where nobody wants one, none is missed; its target makes it all the same.
    off = settings(workspace, STRICT + OFF)
    (workspace.folder / "results/report/data/run.js").unlink()
    assert workspace.planned(*off) == {}
    assert set(workspace.planned(*strict)) == {"report", "all"}
    shutil.rmtree(workspace.folder / "results/report")
    assert workspace.planned(*off) == {}
    assert set(workspace.planned("report", *off)) == {"report"}


def test_snakemake_has_a_report_of_its_own(demo: Workspace, tmp_path: Path) -> None:
    """It is one file that asks for nothing from elsewhere, with the tables and what they are."""
    page = tmp_path / "snakemake.html"
    workspace = demo.copy(tmp_path / "workspace")
    features = settings(workspace)
    workspace.run("--report", str(page), *features)
    text = page.read_text()
    for name in ("README.md", "clips.csv", "rejected.csv", "settings.json", "summary.json"):
        assert f'"results/dataset/{name}"' in text
    for words in ("How a list of videos became", "A row for every clip of the dataset", "Dataset"):
        assert words in text
    assert workspace.planned(*features) == {}
