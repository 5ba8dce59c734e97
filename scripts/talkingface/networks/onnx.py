"""Networks in the form of ONNX, run by onnxruntime on the processor."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any


def open_packaged(package: str, file: str, threads: int) -> Any:
    """An onnxruntime InferenceSession of `file`, a path in the folder of `package`.

    The package is found but not imported: its model is all that is used of it. threads: see
    open_network. Raises ModuleNotFoundError without the package or onnxruntime, and onnxruntime's
    NoSuchFile where the package has no such file.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    return open_network(Path(spec.submodule_search_locations[0], file), threads)


def open_network(path: str | Path, threads: int) -> Any:
    """An onnxruntime InferenceSession of a file, which computes in `threads` threads.

    Raises onnxruntime's own exceptions for a file that is missing or broken.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
