"""The report knows on which side a video's clips are, or would be."""

from __future__ import annotations

from pathlib import Path

from helpers.small_report import VIDEOS, make_small_report_results
from talkingface.report.videos import videos_table


def test_a_video_without_clips_has_its_side_too(tmp_path: Path) -> None:
    """`gone` pins no side: all of those go where the fraction says."""
    results = make_small_report_results(tmp_path)
    for fraction, side in ((0.0, "train"), (1.0, "eval")):
        split = {"eval_fraction": fraction, "seed": 0}
        column = videos_table(VIDEOS, results, **split)["columns"]["split"]
        sides = [column["texts"][code] for code in column["codes"]]
        assert sides == ["train", "eval", side]
