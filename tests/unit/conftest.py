"""Films made once for all tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.synthetic import FILMS, make_film


@pytest.fixture(scope="session")
def film_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the file of one of synthetic.FILMS."""
    folder = tmp_path_factory.mktemp("films")
    made: dict[str, Path] = {}

    def path(name: str) -> Path:
        if name not in made:
            made[name] = make_film(folder, FILMS[name], name)
        return made[name]

    return path
