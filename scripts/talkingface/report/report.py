"""The report: a page that shows what happened to every video and every stretch of a face.

It needs no server and no network: what it shows lies beside it as scripts (see `javascript`), and
pictures and films are those of the results folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface.dataset.gates import GATES
from talkingface.job.files import atomic_path, read_json
from talkingface.pictures.parsing.labels import LABELS, PALETTE
from talkingface.release import release
from talkingface.report.candidates import candidates_table
from talkingface.report.javascript import write_data
from talkingface.report.settings import fixed_settings, threshold_settings
from talkingface.report.strip import PICTURES, SIDE
from talkingface.report.times import stage_times
from talkingface.report.videos import videos_table
from talkingface.stages import products_of
from talkingface.sync.calibrations import TRUSTED_CERTAINTY

# The page as `make report-page` builds it of what is in `web`.
PAGE = Path(__file__).parent / "page"


def make_report(
    videos: Sequence[Mapping[str, Any]],
    results: str | Path,
    folder: str | Path,
    *,
    features: Sequence[str],
    settings: Mapping[str, Any],
) -> None:
    """Write the report on the dataset in `results` to `folder`, with index.html to open.

    videos: rows of videos.csv. features: that were made. settings: a whole config, or at least
    its sections `segments`, `quality`, `sync` and `split`.
    """
    results = Path(results)
    run = {
        "release": release(),
        "summary": read_json(results / "dataset/summary.json"),
        "settings": threshold_settings(settings),
        "fixed": fixed_settings(settings),
        "gates": [gate._asdict() for gate in GATES],
        "trusted_certainty": TRUSTED_CERTAINTY,
        "times": stage_times(results),
        "features": list(features),
        "products": {product.column: product.path for product in products_of(list(features))},
        "labels": [
            [name, "#%02x%02x%02x" % (int(red), int(green), int(blue))]
            for name, (blue, green, red) in zip(LABELS, PALETTE, strict=True)
        ],
        "strip": {"pictures": PICTURES, "side": SIDE},
        "decisions": {},
    }
    with atomic_path(folder) as partial:
        shutil.copytree(PAGE, partial)
        write_data("run", run, partial / "data/run.js")
        table = videos_table(videos, results, split=settings["split"])
        write_data("videos", table, partial / "data/videos.js")
        write_data("candidates", candidates_table(videos, results), partial / "data/candidates.js")
