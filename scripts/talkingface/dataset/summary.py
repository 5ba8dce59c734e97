"""How much there is: a dataset's summary.json in a few lines for a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe(summary: Mapping[str, Any]) -> str:
    """What came in, what was kept, and why the rest was not."""
    kept, videos = summary["kept"], summary["videos"]
    lines = [
        f"{videos['count']} videos, {duration(summary['hours_in'])}; kept "
        f"{kept['clips']} clips, {duration(kept['hours'])} "
        f"(train {summary['train']['clips']}, eval {summary['eval']['clips']})"
    ]
    for row in summary["rejected"]:
        lines.append(f"  {row['count']:5d} not kept by {row['stage']}: {row['reason']}")
    return "\n".join(lines)


def video_seconds(record: Mapping[str, Any]) -> float:
    """Duration of a video by the probe in its record; 0 where it could not be had."""
    probe = record.get("probe") or {}
    return float(probe.get("duration") or (probe.get("video") or {}).get("duration") or 0)


def duration(hours: float) -> str:
    """Hours, or minutes where there are less than one, as text."""
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.1f} min"
