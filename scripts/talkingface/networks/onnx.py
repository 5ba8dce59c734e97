"""Networks in the form of ONNX that come inside a package's wheel, run by onnxruntime."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any


def open_packaged(package: str, file: str, threads: int) -> Any:
    """An onnxruntime InferenceSession of `file`, a path in the folder of `package`.

    The package is found but not imported: its model is all that is used of it. The network runs on
    the processor, in `threads` threads. Raises ModuleNotFoundError without the package or
    onnxruntime, and onnxruntime's NoSuchFile where the package has no such file.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    path = Path(spec.submodule_search_locations[0], file)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
