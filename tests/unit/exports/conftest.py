"""The dataset that the exports are made of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.small_results import make_small_results


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results folder of `small_results`; not to be written to."""
    return make_small_results(tmp_path_factory.mktemp("small") / "results")


@pytest.fixture
def results(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(finished, tmp_path / "results"))
