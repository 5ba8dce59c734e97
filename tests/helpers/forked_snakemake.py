"""Snakemake's command line in a process that is forked from one that has imported it."""

from __future__ import annotations

import os
from pathlib import Path

# What snakemake and the Snakefile import of other projects, and what runs the tests.
IMPORTED = ["numpy", "pandas", "jsonschema", "pytest", "snakemake.cli", "snakemake.report"]


def run(arguments: list[str], folder: Path, stdout: Path, stderr: Path) -> None:
    """Run it in a folder and write what it prints to two files; the process ends with its status.

    It knows nothing of the library of this project, as a workspace may use another copy of it.
    """
    for output, file in ((1, stdout), (2, stderr)):
        with file.open("wb") as stream:
            os.dup2(stream.fileno(), output)
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("SNAKEMAKE")]:
        del os.environ[name]
    from snakemake.cli import main

    main(arguments)
