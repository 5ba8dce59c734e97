"""What all tests share: which of them need what, who runs them, the demonstration's videos."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import FOOTAGE, ROOT, SAMPLES

# Files of tests in the order in which processes take them, where several share the work: first
# what takes longest. One process has all that looks at the demonstration, which is made once.
LONG = {
    "tests/workflow/test_demo.py": "demonstration",
    "tests/workflow/test_bad_input.py": "demonstration",
    "tests/workflow/test_incremental.py": "demonstration",
    "tests/workflow/test_exports.py": "demonstration",
    "tests/workflow/test_takedown.py": "demonstration",
    "tests/workflow/test_decisions.py": "demonstration",
    "tests/workflow/test_kill.py": "kill",
    "tests/workflow/test_absent_face.py": "absent_face",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    no_footage = pytest.mark.skip(reason=f"no samples in {FOOTAGE}, see the marker footage")
    for item in items:
        if item.get_closest_marker("footage") and not SAMPLES.is_dir():
            item.add_marker(no_footage)
        if needs_torch(item):
            item.add_marker("learned")
    if hasattr(config, "workerinput"):
        order = {file: place for place, file in enumerate(LONG)}
        files = {item: item.path.relative_to(ROOT).as_posix() for item in items}
        items.sort(key=lambda item: order.get(files[item], len(order)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `--dist loadfile`, one process has all files of an entry of LONG."""
    # Only here, as the tests can be run without it.
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return LONG.get(file, file)

    return Together(config, log) if config.getoption("dist") == "loadfile" else None


def needs_torch(item: pytest.Item) -> bool:
    """Whether a test, its file or one of the file's fixtures that it uses asks for torch."""
    names = getattr(item, "fixturenames", [])
    asking = functions_that_need_torch(item.path)
    return not asking.isdisjoint(["", getattr(item, "originalname", item.name), *names])


@cache
def functions_that_need_torch(file: Path) -> frozenset[str]:
    """The functions of a file that call `importorskip("torch")`; "" where its top level does."""
    return frozenset(
        statement.name if isinstance(statement, ast.FunctionDef) else ""
        for statement in ast.parse(file.read_text()).body
        if 'importorskip("torch")' in ast.unparse(statement).replace("'", '"')
    )


@pytest.fixture(scope="session")
def demo_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration videos, made once; `truth.json` says what is in them."""
    # Not above, as most tests need none of what it imports.
    from talkingface.demo.videos import make_demo

    folder = tmp_path_factory.mktemp("demo_videos")
    make_demo(folder)
    return folder
