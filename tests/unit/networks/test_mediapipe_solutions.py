"""With what is deferred, mediapipe's networks give what they give when all of it is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from helpers.paths import ROOT, SCRIPTS
from talkingface.networks.mediapipe_solutions import DEFERRED

# Every network of mediapipe that we use, on pictures with a face and a hand; and what was imported.
NETWORKS = """
import numpy as np, skimage.data, sys
from helpers.drawn_hands import lay_hand
from talkingface.faces.detection import load
from talkingface.faces.hands import HandFinder
from talkingface.faces.mesh import FaceMesh
from talkingface.pictures.parsing.person import MODELS, PersonMask

astronaut = np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
found = {}
with load(threads=2) as detector:
    found["faces"] = detector.run([astronaut])[0]
for refine in (False, True):
    with FaceMesh(refine) as mesh:
        found[f"mesh {refine}"] = mesh.follow(astronaut)
        found[f"box {refine}"] = mesh.follow(astronaut, (177, 82, 92, 98))
for name in MODELS:
    with PersonMask(name) as person:
        found[f"person {name}"] = person.run([astronaut])
with HandFinder() as hands:
    frame, _, _ = lay_hand(astronaut, (225, 150), 110, 0)
    (found["hand"],) = hands.run(frame, np.array([(178.1, 69.0), (273.1, 176.8)]))
np.savez(sys.argv[1], **found)
print("matplotlib" in sys.modules, "mediapipe.tasks.python.vision" in sys.modules)
"""
# What was deferred is itself, and works.
USED = """
import matplotlib.pyplot, mediapipe
assert mediapipe.solutions.drawing_utils.plt is matplotlib.pyplot
assert mediapipe.solutions.drawing_styles.get_default_hand_landmarks_style()
matplotlib.pyplot.Figure().add_subplot().plot([1, 2])
assert mediapipe.tasks.vision.FaceLandmarker and mediapipe.tasks.BaseOptions
assert mediapipe.solutions.holistic.Holistic and mediapipe.solutions.objectron.Objectron
with mediapipe.solutions.pose.Pose(static_image_mode=True) as pose:
    pass
print("mediapipe.tasks.python.vision" in sys.modules)
"""


def run(code: str, *arguments: str) -> list[str]:
    """A program's lines, in a process of its own."""
    paths = os.pathsep.join([str(SCRIPTS), str(ROOT / "tests")])
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What the networks find where mediapipe was imported as it imports itself."""
    path = tmp_path_factory.mktemp("plain") / "found.npz"
    assert run("import mediapipe" + NETWORKS, str(path)) == ["True True"]
    return dict(np.load(path))


def test_the_numbers_are_the_same(plain: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "found.npz"
    assert run(NETWORKS + USED, str(path)) == ["False False", "True"]
    found = dict(np.load(path))
    assert found.keys() == plain.keys()
    for name, expected in plain.items():
        assert expected.size and np.isfinite(expected).all()
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected, name)


def test_the_graphs_are_the_same() -> None:
    """Options that no message is registered for would be dropped from a graph without a word."""
    code = (
        "from talkingface.networks import mediapipe_solutions as of\n"
        "from talkingface.faces.mesh import FaceMesh\n"
        "opened = [FaceMesh(refine)._graph for refine in (False, True)]\n"
        "opened += [of.face_detection(model_selection=model) for model in (0, 1)]\n"
        "opened += [of.selfie_segmentation(model_selection=model) for model in (0, 1)]\n"
        "opened += [of.hands(static_image_mode=True, model_complexity=1)]\n"
        "for solution in opened:\n"
        "    print(len(solution._graph.text_config), solution._graph.text_config)\n"
    )
    found = run(code)
    assert len(found) > 1000 and found == run("import mediapipe\n" + code)


def test_matplotlib_stays_what_it_was() -> None:
    code = (
        "import sys, matplotlib.pyplot as before\n"
        "from talkingface.faces.hands import HandFinder\n"
        "HandFinder().close()\n"
        "import matplotlib.pyplot as after\n"
        "print(before is after, before.Figure is after.Figure)\n"
        "from mediapipe.python.solutions import drawing_utils\n"
        "print(drawing_utils.plt is before)\n"
    )
    assert run(code) == ["True True", "True"]


def test_threads_may_be_the_first_to_import() -> None:
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "import numpy as np, sys\n"
        "from talkingface.networks import mediapipe_solutions as of\n"
        "tasks = [lambda: of.face_detection(model_selection=0), lambda: of.hands(),\n"
        "         lambda: of.selfie_segmentation(model_selection=0),\n"
        "         lambda: of.normalized_rect(width=1)]\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    opened = list(pool.map(lambda task: task(), 2 * tasks))\n"
        "print(len(opened), 'matplotlib' in sys.modules, len(sys.meta_path))\n"
    )
    finders = run("import sys; print(len(sys.meta_path))")[0]
    found = run(code)[0].split()
    assert found[:2] == ["8", "False"] and int(found[2]) <= int(finders) + 1


def test_the_edges_are_mediapipes_and_import_none_of_it() -> None:
    code = (
        "import sys\n"
        "from talkingface.networks.mediapipe_solutions import face_mesh_edges\n"
        "edges = face_mesh_edges()\n"
        "print('mediapipe' in sys.modules)\n"
        "from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION\n"
        "print(edges == FACEMESH_TESSELATION, len(edges) > 2000)\n"
    )
    assert run(code) == ["False", "True True"]


def test_what_is_deferred_is_there() -> None:
    """A module that a new mediapipe has elsewhere would be imported at once, unnoticed."""
    code = "import mediapipe, sys\nprint(*set(sys.argv) & set(sys.modules))"
    assert set(run(code, *DEFERRED)[0].split()) == set(DEFERRED)
