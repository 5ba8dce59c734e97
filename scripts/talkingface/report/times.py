"""Where the time of a run went, by the benchmarks that Snakemake writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def stage_times(results: str | Path) -> list[dict[str, Any]]:
    """Of every stage with benchmarks: jobs, seconds, processor seconds, peak memory, frames."""
    return []
