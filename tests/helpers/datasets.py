"""The dataset of a results folder that a test has filled, as the workflow would make it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.settings import CONFIG
from talkingface.dataset.dataset import make_dataset
from talkingface.dataset.gates import THRESHOLD_KEYS, QualityThresholds
from talkingface.stages import products_of

DEFAULTS = {key: CONFIG["quality"][key] for key in THRESHOLD_KEYS}


def make_default_dataset(
    videos: Sequence[Mapping[str, Any]],
    results: Path,
    *,
    features: Sequence[str] = tuple(CONFIG["features"]),
    thresholds: Mapping[str, Any] = DEFAULTS,
) -> None:
    """Make `results`/dataset of `videos`, rows of videos.csv, with the default settings.

    thresholds: of the section `quality`, by their keys; those that are not given are off.
    """
    make_dataset(
        videos,
        results,
        results / "dataset",
        products=products_of(list(features)),
        thresholds=QualityThresholds(**dict.fromkeys(THRESHOLD_KEYS) | thresholds),
        **CONFIG["split"],
    )
