from __future__ import annotations

from pathlib import Path

import pytest

from helpers.numbered_results import NumberedClip, numbered_results

CLIPS = (
    NumberedClip("a", 60, start=100),
    NumberedClip("a", 33, start=300, offset=-2),
    NumberedClip("b", 47, identity="bob", offset=3, mel="wav2lip"),
    NumberedClip("c", 41, side="eval", identity="eve"),
)


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with the clips above; do not write to it."""
    return numbered_results(tmp_path_factory.mktemp("first") / "results", CLIPS)


@pytest.fixture(scope="session")
def other_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another one, of old clips: with one keyframe, and without most features."""
    clips = [NumberedClip("d", 300, identity="dan"), NumberedClip("a", 10, identity="dan")]
    folder = tmp_path_factory.mktemp("second") / "results"
    features = ("landmarks", "landmarks68", "pose", "mfcc")
    return numbered_results(folder, clips, features=features, keyframe_interval=250)
