"""Results with everything that can happen to a video: odd names, failed downloads, gaps.

Twelve videos as `large_results` makes them, of sources and people with odd names; then videos that
could not be had, that could not be used, and two with gaps.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers.datasets import make_default_dataset
from helpers.large_results import make_large_results
from talkingface.job.tables import table_of_rows, write_table
from talkingface.tables import CLIPS, POSE, PREVIEW, QUALITY, SCENES, SEGMENTS, TRACKS

# Sources of the twelve videos by the site or folder that they are of.
SOURCES = {
    "Böb/../Ünal/": "Böb/../Ünal/talk {}.mp4",
    "<b>bold</b>/": "<b>bold</b>/{}.mp4",
    "a&b=c#d?e/100%/": "a&b=c#d?e/100%/{}.mp4",
    "videos.example.org": "https://www.videos.example.org/watch?v={}&a=b#c",
}
# Status, reason in words, and tries of videos that could not be had.
FAILED = (
    ("unavailable", "HTTP 503 <b>Service</b> Unavailable", 3),
    ("unavailable", "the connection was closed", 3),
    ("private", "this video is private", 1),
    ("not_found", "HTTP 404", 1),
    ("broken", "no video stream", 1),
)
# Stage and reason of videos that were had and could not be used; the length of each is 8 s.
UNUSABLE = (
    ("proxy", "no_audio"),
    ("tracks", "no_face"),
    ("tracks", "no_face"),
    ("proxy", "broken"),
)
# Reason, first frame and end, seconds, and detail of gaps, all of one video: it says that it has
# 60 s, and has 20.
GAPS = (
    ("gap", 100, 150, 2.0, "<i>stood</i> still"),
    ("clock_jump", 300, 300, 12.5, "a jump"),
    ("truncated", 500, 500, 40.0, "20.0 s of 60.0 s could be decoded"),
)


def make_odd_results(root: Path) -> list[dict[str, str]]:
    """Write `root`/results, and give the rows of videos.csv."""
    results = root / "results"
    rows = make_large_results(root, videos=12, kept=5, rejected=7, seed=2)
    for number, row in enumerate(rows):
        row["source"] = list(SOURCES.values())[number % len(SOURCES)].format(number)
    for number, (status, reason, tries) in enumerate(FAILED):
        rows.append(_row(f"failed{number}", f"https://gone.example.org/{number}"))
        _write(results, rows[-1], [("download", status)], status=status, reason=reason, tries=tries)
    rows[-1]["source"] = "javascript://host.example.org/%0aalert(1)"
    for number, verdict in enumerate(UNUSABLE):
        rows.append(_row(f"unusable{number}", f"Böb/../Ünal/unusable{number}.mp4"))
        _write(results, rows[-1], [verdict], seconds=8.0, shots=verdict[0] == "tracks")
    rows.append(_row("gappy", "gappy.mp4"))
    _write(results, rows[-1], [], seconds=60.0, gaps=GAPS, shots=True)
    make_default_dataset(rows, results)
    return rows


def _row(video: str, source: str) -> dict[str, str]:
    return {"video_id": video, "source": source, "identity": "", "split": ""}


def _write(
    results: Path,
    row: dict[str, str],
    whole: list[tuple[str, str]],
    *,
    status: str = "ok",
    reason: str | None = None,
    tries: int = 1,
    seconds: float = 0.0,
    gaps: tuple[tuple[str, int, int, float, str], ...] = (),
    shots: bool = False,
) -> None:
    video = row["video_id"]
    rejected = {"video_id": video, "verdict": "rejected"}
    ledger: list[dict[str, Any]] = [
        {**rejected, "stage": stage, "reason": why, "detail": reason or ""} for stage, why in whole
    ]
    ledger += [
        {
            **rejected, "stage": "proxy", "reason": why, "start_frame": start, "end_frame": end,
            "n_frames": end - start, "value": value, "threshold": 0.5, "detail": detail,
        }
        for why, start, end, value, detail in gaps
    ]  # fmt: skip
    end = 500 if gaps else int(seconds * 25)
    scenes = [{"scene": 0, "start_frame": 0, "end_frame": end}] if shots else []
    for definition, rows in (
        (SEGMENTS, ledger), (SCENES, scenes),
        (CLIPS, []), (QUALITY, []), (POSE, []), (PREVIEW, []), (TRACKS, []),
    ):  # fmt: skip
        path = results / definition.path.format(video=video)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_table(table_of_rows(definition, rows), path, definition)
    record = {
        "video_id": video, "source": row["source"], "status": status, "reason": reason,
        "tries": tries, "value": None, "threshold": None,
        "probe": {"duration": seconds, "video": {"fps": 25.0}} if status == "ok" else None,
        "provenance": {"kind": "local" if status == "ok" else "url", "sha256": video},
    }  # fmt: skip
    (results / f"videos/{video}.json").write_text(json.dumps(record))
