"""The report: a page that shows what happened to every video and every stretch of a face.

It needs no server and no network: what it shows lies beside it as scripts (see `javascript`), and
pictures and films are those of the results folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface.clips import verdict
from talkingface.dataset.gates import GATES, THRESHOLD_KEYS, QualityThresholds
from talkingface.job.files import atomic_path, read_json
from talkingface.pictures.parsing.labels import LABELS, PALETTE
from talkingface.release import release
from talkingface.report.candidates import candidates_table
from talkingface.report.javascript import write_data
from talkingface.report.settings import fixed_settings, threshold_settings
from talkingface.report.strip import PICTURES, SIDE
from talkingface.report.times import Lengths, stage_times
from talkingface.report.videos import videos_table
from talkingface.settings.decisions import Decision
from talkingface.stages import products_of
from talkingface.sync.calibrations import TRUSTED_CERTAINTY

# How the page tells the causes of one reason apart, by the names that `Run` has for them.
_DETAILS = {
    "lips_still": verdict.LIPS_STILL,
    "lips_apart": verdict.LIPS_APART,
    "other_in_turn": verdict.OTHER_IN_TURN,
    "other_likelier": verdict.OTHER_LIKELIER,
    "between_speech": verdict.BETWEEN_SPEECH,
}
# The page as `make report-page` builds it of what is in `web`.
PAGE = Path(__file__).parent / "page"


def make_report(
    videos: Sequence[Mapping[str, Any]],
    results: str | Path,
    folder: str | Path,
    *,
    features: Sequence[str],
    settings: Mapping[str, Any],
    decisions: Mapping[str, Decision] | None = None,
) -> None:
    """Write the report on the dataset in `results` to `folder`, with index.html to open.

    videos: rows of videos.csv. features: that were made. settings: a whole config, or at least
    its sections `segments`, `quality`, `split` and `sync`. decisions: what a person said of
    clips, by clip_id; the page begins with it.

    Raises FileNotFoundError where the page is not built, as in a checkout of the source, or a table
    is missing, OtherColumns and DamagedFile for one of another version or one that is damaged, and
    ValueError for tables that do not fit together. Nothing is written then.
    """
    if not (PAGE / "index.html").is_file():
        raise FileNotFoundError(
            f"{PAGE}: the report's page is not built: run make report-page, which needs Node.js"
        )
    results, decisions = Path(results), decisions or {}
    thresholds = QualityThresholds(**{key: settings["quality"][key] for key in THRESHOLD_KEYS})
    of_videos = videos_table(videos, results, **settings["split"])
    with atomic_path(folder) as partial:
        shutil.copytree(PAGE, partial)
        data = partial / "data"
        run = _run(results, features, settings, decisions, _lengths(of_videos))
        write_data("run", run, data / "run.js")
        write_data("videos", of_videos, data / "videos.js")
        rows = candidates_table(videos, results, thresholds=thresholds, decisions=decisions)
        write_data("candidates", rows, data / "candidates.js")


def _run(
    results: Path,
    features: Sequence[str],
    settings: Mapping[str, Any],
    decisions: Mapping[str, Decision],
    lengths: Mapping[str, Lengths],
) -> dict[str, Any]:
    """What the page knows of the run as a whole: `Run` of web/src/data/data.ts."""
    return {
        "release": release(),
        "summary": read_json(results / "dataset/summary.json"),
        "settings": threshold_settings(settings),
        "fixed": fixed_settings(settings),
        "gates": [gate._asdict() for gate in GATES],
        "details": _DETAILS,
        "trusted_certainty": TRUSTED_CERTAINTY,
        "times": stage_times(results, lengths),
        "products": {product.column: product.path for product in products_of(list(features))},
        "labels": [
            [name, "#%02x%02x%02x" % (int(red), int(green), int(blue))]
            for name, (blue, green, red) in zip(LABELS, PALETTE, strict=True)
        ],
        "strip": {"pictures": PICTURES, "side": SIDE},
        "decisions": {clip_id: each._asdict() for clip_id, each in decisions.items()},
    }


def _lengths(of_videos: Mapping[str, Any]) -> dict[str, Lengths]:
    """Frames of every video, by its name, from the table of videos."""
    columns = of_videos["columns"]
    names = columns["video_id"]["texts"]
    frames = (columns[name]["values"] for name in ("frames", "candidate_frames", "clip_frames"))
    return {
        names[code]: Lengths(*cells)
        for code, *cells in zip(columns["video_id"]["codes"], *frames, strict=True)
    }
