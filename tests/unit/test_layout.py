"""A stage has one name everywhere, and every package that is used is asked for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from helpers.paths import ROOT, SCRIPTS

RULES = {
    name: body
    for file in sorted((ROOT / "rules").glob("*.smk"))
    for name, body in re.findall(
        r"^rule (\w+):\n(.*?)(?=^\S|\Z)", file.read_text(), re.MULTILINE | re.DOTALL
    )
}
# Where a distribution's name is not that of its module.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "dlib": "dlib-bin",
    "face_recognition_models": "face_recognition_models",
    "google": "mediapipe",  # protobuf, which mediapipe brings in the version it needs
    "imageio_ffmpeg": "imageio-ffmpeg",
    "skimage": "scikit-image",
    "yaml": "pyyaml",
    "yt_dlp": "yt-dlp",
}


def distribution(module: str) -> str:
    return DISTRIBUTIONS.get(module, module)


def requirements(lines: list[str]) -> dict[str, str]:
    """Distribution to version range, spaces taken out."""
    parts = (re.match(r"([\w.-]+)\s*(.*)", line) for line in lines)
    return {part[1]: part[2].replace(" ", "") for part in parts if part}


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# What a training environment gets; all else is an extra, the workflow too.
NEEDED = requirements(PROJECT["dependencies"])
EXTRAS = {name: requirements(lines) for name, lines in PROJECT["optional-dependencies"].items()}
OPTIONAL = {name: versions for extra in EXTRAS.values() for name, versions in extra.items()}


def test_the_workflow_brings_what_snakemakes_report_asks_for() -> None:
    """`snakemake --report` is documented, and fails without it; the tests' own tools bring it."""
    assert "pygments" in EXTRAS["workflow"]


def test_jobs_leave_threads_to_snakemake() -> None:
    """OpenCV would take all cores of a node for every job; no other way reaches all of them."""
    snakefile = (ROOT / "Snakefile").read_text()
    ((name, number),) = re.findall(r'^    (OPENCV_\w+)="(\d+)",$', snakefile, re.MULTILINE)
    command = [sys.executable, "-c", "import cv2; print(cv2.getNumThreads())"]
    done = subprocess.run(command, env={name: number}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def imports(path: Path) -> set[str]:
    """Full names of what a file imports, inside functions too, but not for type checking."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def used(path: Path, seen: set[Path]) -> set[str]:
    """Modules of other distributions that a script imports, through the library too."""
    if path in seen:
        return set()
    seen.add(path)
    found = set()
    for name in imports(path):
        top = name.split(".")[0]
        if top == "talkingface":
            own = SCRIPTS / Path(*name.split("."))
            for file in (own.with_suffix(".py"), own / "__init__.py"):
                found |= used(file, seen) if file.exists() else set()
        elif top not in sys.stdlib_module_names:
            found.add(top)
    return found


@pytest.mark.parametrize("rule", RULES)
def test_a_stage_has_one_name_everywhere(rule: str) -> None:
    body = RULES[rule]
    assert f'"../scripts/{rule}.py"' in body
    assert (SCRIPTS / f"{rule}.py").exists()
    assert f"results/logs/{rule}" in body
    if rule == "retry_unavailable":
        return
    assert f"results/benchmarks/{rule}" in body
    # The card lies in the dataset's folder.
    assert re.search(rf'"results/{rule}[/"]', body) or rule in ("download", "card")
    assert "version=" in body
    modules = (SCRIPTS / "talkingface").rglob(f"{rule}.py")
    rooms = [module.parent.relative_to(SCRIPTS / "talkingface") for module in modules]
    assert any((ROOT / "tests/unit" / room / f"test_{rule}.py").exists() for room in rooms)


@pytest.mark.parametrize("rule", [rule for rule in RULES if "    output:" in RULES[rule]])
def test_checksums_are_noted_of_what_a_rule_makes(rule: str) -> None:
    assert re.search(r"\bchecksummed\(", (SCRIPTS / f"{rule}.py").read_text())


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_says_what_it_needs(rule: str) -> None:
    for word in ("mem_mb=", "runtime=", "conda:", "log:"):
        assert word in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_with_a_network_may_ask_for_a_gpu(rule: str) -> None:
    """One that asks for none says nothing of it."""
    has_model = "model=" in RULES[rule]
    assert ("gpu=gpus(" in RULES[rule]) == has_model
    assert ("gpu=" in RULES[rule]) == has_model


@pytest.mark.parametrize("rule", RULES)
def test_what_a_script_imports_is_in_its_environment(rule: str) -> None:
    name = re.search(r'"\.\./(envs/\w+\.yaml)"', RULES[rule])
    assert name
    environment = yaml.safe_load((ROOT / name[1]).read_text())["dependencies"]
    (pip,) = (part["pip"] for part in environment if isinstance(part, dict))
    asked = requirements(pip)
    wanted = {distribution(module) for module in used(SCRIPTS / f"{rule}.py", set())}
    wanted -= {"dlib-bin", "face_recognition_models"}
    assert wanted <= set(asked) and wanted <= set(OPTIONAL)


@pytest.mark.parametrize("file", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda p: p.stem)
def test_environments_agree_with_the_project(file: Path) -> None:
    environment = yaml.safe_load(file.read_text())["dependencies"]
    (pip,) = (part["pip"] for part in environment if isinstance(part, dict))
    for name, versions in requirements(pip).items():
        assert OPTIONAL[name] == versions, name


def test_the_loader_needs_no_workflow() -> None:
    """PyTorch only where it is asked for."""
    wanted = used(SCRIPTS / "talkingface/loader/__init__.py", set()) - {"torch"}
    assert {distribution(module) for module in wanted} == set(NEEDED)


def test_every_extra_brings_the_workflow_in() -> None:
    """So that `.[learned]` alone can be run."""
    assert set(NEEDED) < set(EXTRAS["workflow"])
    for name in EXTRAS.keys() - {"workflow"}:
        assert EXTRAS[name]["talkingface"] == "[workflow]", name


def test_modules_are_short() -> None:
    for file in SCRIPTS.rglob("*.py"):
        assert len(file.read_text().splitlines()) <= 400, file
