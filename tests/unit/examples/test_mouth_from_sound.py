"""The example of the loader learns what there is to be learnt."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.numbered_results import NumberedClip, numbered_results
from helpers.paths import ROOT, SCRIPTS


def test_mouth_from_sound(tmp_path: Path) -> None:
    """Here the opening of the mouth is a straight line of every row of the sound."""
    pytest.importorskip("torch")
    clips = [
        NumberedClip("a", 150),
        NumberedClip("b", 130),
        NumberedClip("c", 120, side="eval"),
        NumberedClip("d", 110, side="eval"),
    ]
    results = numbered_results(tmp_path / "results", clips)
    done = subprocess.run(
        [sys.executable, ROOT / "examples/mouth_from_sound.py", results],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split()[2]) < 0.3, done.stdout
