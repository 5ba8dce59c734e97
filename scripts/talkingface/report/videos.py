"""The videos of the list as the report shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from talkingface.clips.verdict import KEPT
from talkingface.dataset.dataset import read_hashes
from talkingface.dataset.split import assign_splits, cell_text
from talkingface.dataset.summary import video_seconds
from talkingface.download.download import RETRIED
from talkingface.grid import FPS
from talkingface.job.files import damage_in, read_json
from talkingface.job.tables import read_rows, read_table
from talkingface.report.columns import number_column, table, text_column
from talkingface.stages import STAGES
from talkingface.table import Column
from talkingface.tables import SCENES
from talkingface.text import clean

# In the page's order; the columns of a record that may lack something are empty then.
VIDEO_COLUMNS = (
    Column("video_id", "text", "name of the video in videos.csv"),
    Column("source", "text", "where the video comes from, by videos.csv"),
    Column("identity", "text", "who speaks, by videos.csv"),
    Column("split", "text", "the side of its clips, also where it has none: `train` or `eval`"),
    Column("status", "text", "`ok`, or why the video could not be had"),
    Column("reason", "text", "the status in words"),
    Column("value", "float", "what was measured where it is more than allowed"),
    Column("threshold", "float", "what was allowed"),
    Column("tries", "int", "how many tries its last download took; empty where it was not noted"),
    Column("retried", "int", "1 where the target `retry_unavailable` has it tried again"),
    Column("kind", "text", "`local` for a file, `url` for what was downloaded"),
    Column("extractor", "text", "its site, by the name that yt-dlp has for it"),
    Column("title", "text", "title by its site"),
    Column("uploader", "text", "uploader by its site"),
    Column("channel", "text", "channel by its site"),
    Column("licence", "text", "licence by its site"),
    Column("upload_date", "text", "when it was uploaded, by its site"),
    Column("webpage_url", "text", "its page: an address of http or https, or nothing"),
    Column("duration_s", "float", "length by its file", "s"),
    Column("fps", "float", "frame rate of the source", "frames a second"),
    Column("width", "int", "width as shown", "pixels"),
    Column("height", "int", "height as shown", "pixels"),
    Column("frames", "int", "length on the grid of 25 frames a second", "frames"),
    Column("shots", "int", "number of shots"),
    Column("shot_frames", "int", "length of all shots", "frames"),
    Column("tracks", "int", "number of tracks of faces"),
    Column("track_frames", "int", "length of all tracks", "frames"),
    Column("candidates", "int", "number of candidate stretches"),
    Column("candidate_frames", "int", "length of all candidates", "frames"),
    Column("clips", "int", "number of clips that were made: the candidates that the ledger keeps"),
    Column("clip_frames", "int", "length of all clips that were made", "frames"),
    Column("gaps", "int", "number of gaps in its picture"),
    Column("gap_frames", "int", "length of all gaps", "frames"),
)
_OF_SITE = ("extractor", "title", "uploader", "channel", "licence")


def videos_table(
    videos: Sequence[Mapping[str, Any]],
    results: str | Path,
    *,
    eval_fraction: float,
    seed: int | str,
) -> dict[str, Any]:
    """A row for every one of `videos`, rows of videos.csv, in their order; see VIDEO_COLUMNS.

    What a site says is text on one line, and an address that leads elsewhere than to a page is left
    out. eval_fraction, seed: see `split.split_side`.

    Raises DamagedFile and OtherColumns as `read_json` and `read_table`, and as `assign_splits`.
    """
    results = Path(results)
    names = [cell_text(video["video_id"]) for video in videos]
    sides = assign_splits(videos, eval_fraction, seed, read_hashes(names, results))
    rows = [
        _row(video, results) | {"split": sides[name]}
        for name, video in zip(names, videos, strict=True)
    ]
    columns = {}
    for column in VIDEO_COLUMNS:
        make = text_column if column.kind == "text" else number_column
        columns[column.name] = make((row[column.name] for row in rows), column.meaning, column.unit)
    return table(len(rows), columns)


def _row(video: Mapping[str, Any], results: Path) -> dict[str, Any]:
    video_id = cell_text(video["video_id"])

    def path(stage: str) -> Path:
        return results / STAGES[stage].manifest.format(video=video_id)

    record = read_json(path("download"), "status")
    return {
        "video_id": video_id,
        **{name: cell_text(video.get(name)) for name in ("source", "identity")},
        **_described(record, path("download")),
        "frames": _grid_frames(record, path("proxy")),
        **_shots(path("scenes")),
        **_tracks(path("tracks")),
        **_stretches(path("segments")),
        "retried": int(record["status"] in RETRIED or _is_too_demanding(path("segments"))),
    }


def _described(record: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What the record of a download, read from `path`, says."""
    with damage_in(path, AttributeError, TypeError, ValueError):
        provenance = record.get("provenance") or {}
        picture = (record.get("probe") or {}).get("video") or {}
        return {
            "status": str(record["status"]),
            "reason": clean(record.get("reason") or ""),
            **{name: record.get(name) for name in ("value", "threshold", "tries")},
            "kind": str(provenance.get("kind") or ""),
            **{name: clean(provenance.get(name) or "") for name in _OF_SITE},
            "upload_date": _date(provenance.get("upload_date")),
            "webpage_url": _page(provenance.get("webpage_url")),
            "duration_s": video_seconds(record) or None,
            "fps": picture.get("fps"),
            "width": picture.get("display_width"),
            "height": picture.get("display_height"),
        }


def _date(text: Any) -> str:
    """A day that yt-dlp writes as 20240131, as 2024-01-31; "" for anything else."""
    digits = str(text)
    if len(digits) != 8 or not (digits.isascii() and digits.isdigit()):
        return ""
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _page(url: Any) -> str:
    """An address that a link may lead to; "" for anything else."""
    text = str(url)
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    is_page = parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc
    return text if is_page and text == clean(text) and " " not in text else ""


def _grid_frames(record: Mapping[str, Any], proxy: Path) -> int:
    """A video's length on the grid; about, by its file, where its small copy has been deleted."""
    if record["status"] != "ok":
        return 0
    if proxy.exists():
        return int(read_json(proxy, "n_frames")["n_frames"])
    return round(video_seconds(record) * FPS)


def _shots(path: Path) -> dict[str, int]:
    shots = read_table(path, SCENES)
    frames = int((shots.end_frame - shots.start_frame).sum())
    return {"shots": len(shots), "shot_frames": frames}


def _tracks(path: Path) -> dict[str, int]:
    # Of this table, with a row for every face in every frame, no more is read than is counted.
    frames = 0
    numbers = set()
    for (number,) in read_rows(path, ("track",)):
        frames += 1
        numbers.add(number)
    return {"tracks": len(numbers), "track_frames": frames}


def _stretches(ledger: Path) -> dict[str, int]:
    """What the ledger has of candidates, kept ones and gaps, in numbers and frames."""
    counts = dict.fromkeys(
        ("candidates", "candidate_frames", "clips", "clip_frames", "gaps", "gap_frames"), 0
    )
    for clip_id, start, verdict, n_frames in read_rows(
        ledger, ("clip_id", "start_frame", "verdict", "n_frames")
    ):
        kinds = [("candidates", "candidate_frames")] if clip_id else []
        kinds += [("clips", "clip_frames")] if verdict == KEPT.verdict else []
        kinds += [("gaps", "gap_frames")] if start and not clip_id else []
        for number, length in kinds:
            counts[number] += 1
            counts[length] += int(float(n_frames))
    return counts


def _is_too_demanding(ledger: Path) -> bool:
    """Whether a video was had, but what its file claims was refused."""
    rows = read_rows(ledger, ("clip_id", "start_frame", "stage", "reason"))
    return ("", "", "proxy", "too_demanding") in rows
