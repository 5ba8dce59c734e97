"""mediapipe's solutions, without the time that importing all of mediapipe takes.

`import mediapipe` takes 0.5 s of processor time, more than many a job's work on a clip. Nine
tenths of it are for modules that no network uses: helpers that draw (they bring matplotlib) or
download, and the newer Tasks interface. mediapipe's packages import them by name, so they cannot
be avoided by importing less.

They are therefore deferred with `importlib.util.LazyLoader`: each stands in `sys.modules` as the
real module and is executed when somebody first uses it. Nothing is replaced or left out: drawing
helpers and Tasks work after this as ever, and matplotlib is imported then.

All of the solutions are imported as ever, those that are not used as well. For they register the
messages that hold the calculators' options, and what of a graph has no registered message, is
silently dropped: the face mesh does not work without some that only the solution Holistic
registers. The messages that the Tasks register are of their own graphs.

The options of the functions are those of the classes in `mediapipe.python.solutions`. Several
threads may call them at once. Starting a solution writes to standard error: see `quiet_stderr`.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

# Modules that mediapipe's packages import, no network uses and no message comes from.
DEFERRED = (
    "mediapipe.python.solutions.download_utils",
    "mediapipe.python.solutions.drawing_styles",
    "mediapipe.python.solutions.drawing_utils",
    "mediapipe.tasks.python",
)

_lock = threading.Lock()


class _Deferring(MetaPathFinder):
    """Finds the modules of DEFERRED where they are, to be executed at their first use."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in DEFERRED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def _deferred() -> Iterator[None]:
    """What of DEFERRED is imported meanwhile is executed at its first use; one thread at a time."""
    finder = _Deferring()
    with _lock:
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)


def face_detection(**options: Any) -> Any:
    """An opened `FaceDetection`."""
    with _deferred():
        from mediapipe.python.solutions.face_detection import FaceDetection
    return FaceDetection(**options)


def hands(**options: Any) -> Any:
    """An opened `Hands`."""
    with _deferred():
        from mediapipe.python.solutions.hands import Hands
    return Hands(**options)


def selfie_segmentation(**options: Any) -> Any:
    """An opened `SelfieSegmentation`."""
    with _deferred():
        from mediapipe.python.solutions.selfie_segmentation import SelfieSegmentation
    return SelfieSegmentation(**options)


def face_mesh_graph(config: str, **options: Any) -> Any:
    """An opened `SolutionBase` that runs a graph with nodes of the face mesh.

    `config` is the graph as text of the message CalculatorGraphConfig; `options` are the other
    arguments of `SolutionBase`.
    """
    with _deferred():
        from google.protobuf import text_format
        from mediapipe.framework import calculator_pb2
        from mediapipe.python.solution_base import SolutionBase
        from mediapipe.python.solutions import face_mesh  # noqa: F401  registers the options
    graph = text_format.Parse(config, calculator_pb2.CalculatorGraphConfig())
    return SolutionBase(graph_config=graph, **options)


def normalized_rect(**fields: float) -> Any:
    """A message NormalizedRect, for a graph's input: fields in shares of the picture's sides."""
    with _deferred():
        from mediapipe.framework.formats import rect_pb2
    return rect_pb2.NormalizedRect(**fields)


def face_mesh_edges() -> frozenset[tuple[int, int]]:
    """FACEMESH_TESSELATION: the edges of the face mesh, both ways, as pairs of vertices.

    Read from its own file, which imports nothing: whoever wants the edges need not run a network.
    """
    package = importlib.util.find_spec("mediapipe")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'mediapipe'", name="mediapipe")
    path = Path(package.submodule_search_locations[0], "python/solutions/face_mesh_connections.py")
    spec = importlib.util.spec_from_file_location("face_mesh_connections", path)
    assert spec is not None and spec.loader is not None
    connections = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(connections)
    return connections.FACEMESH_TESSELATION
