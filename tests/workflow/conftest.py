"""The run on the demonstration that many tests look at."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from helpers.workspace import Workspace
from talkingface import stages

# Every feature there is without a download: hubert is a network.
EMBEDDED = [feature for feature in stages.FEATURES if feature != "hubert"]
FEATURES = f"features=[{','.join(EMBEDDED)}]"


@pytest.fixture(scope="session")
def demo(demo_videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished run on the demonstration videos, with every feature.

    Sources are absolute paths, so that nothing runs again in a copy of it.
    """
    workspace = Workspace(tmp_path_factory.mktemp("demo"))
    with (demo_videos / "videos.csv").open() as stream:
        listed = list(csv.DictReader(stream))
    workspace.list_videos(
        *(
            f"{row['video_id']},{demo_videos / row['source']},{row['identity']},{row['split']}"
            for row in listed
        )
    )
    workspace.run("--config", FEATURES)
    return workspace
