"""What became of every candidate at last: by its ledger, by the dataset, or by a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from talkingface.clips.verdict import KEPT, Verdict, decided
from talkingface.dataset.gates import QualityThresholds, judge_quality
from talkingface.job.tables import read_rows, read_table
from talkingface.settings.decisions import KEEP, Decision
from talkingface.tables import REJECTED

_SIDE = ("clip_id", "split")
_REMEDY = "delete results/dataset and run again"


class LastVerdicts:
    """The last verdicts on candidates, by the tables of a dataset.

    sides: `train` or `eval` by the clip_id of every clip in the dataset.
    """

    def __init__(
        self,
        results: str | Path,
        thresholds: QualityThresholds,
        decisions: Mapping[str, Decision],
    ) -> None:
        """`thresholds` and `decisions`, by clip_id, are those that the dataset was made with."""
        folder = Path(results, "dataset")
        rejected = read_table(folder / "rejected.csv", REJECTED)
        self.sides = {row[0]: row[1] for row in read_rows(folder / "clips.csv", _SIDE)}
        self._left_out = dict(zip(rejected.clip_id.tolist(), verdicts_of(rejected), strict=True))
        self._left_out.pop("", None)
        self._thresholds = thresholds
        self._wanted = {name: each for name, each in decisions.items() if each.decision == KEEP}

    def judge(self, ledger: np.recarray, measures: np.recarray) -> list[Verdict]:
        """The verdict on every row of a video's ledger; `measures` is its table QUALITY.

        Of what the dataset left out it is the dataset's. What is in it though it misses a
        threshold is there by hand, which no table but this says. All else is as in the ledger.
        Raises ValueError where the dataset was made of another ledger.
        """
        by_hand = self._judge_wanted(measures)
        return [
            self._last(clip_id, verdict, by_hand)
            for clip_id, verdict in zip(ledger.clip_id.tolist(), verdicts_of(ledger), strict=True)
        ]

    def check_complete(self, clip_ids: Collection[str]) -> None:
        """Raise ValueError where the dataset has candidates that are not among `clip_ids`."""
        alone = (self.sides.keys() | self._left_out.keys()).difference(clip_ids)
        if alone:
            raise ValueError(f"candidate {min(alone)!r} of the dataset is in no ledger: {_REMEDY}")

    def _judge_wanted(self, measures: np.recarray) -> dict[str, Verdict]:
        """The verdicts on those clips that a person wanted, and that miss a threshold."""
        wanted = measures[[clip_id in self._wanted for clip_id in measures.clip_id]]
        return {
            clip_id: decided(verdict, *self._wanted[clip_id])
            for clip_id, verdict in judge_quality(wanted, self._thresholds).items()
            if verdict != KEPT
        }

    def _last(self, clip_id: str, verdict: Verdict, by_hand: Mapping[str, Verdict]) -> Verdict:
        if not clip_id:
            return verdict
        is_kept, is_left_out = clip_id in self.sides, clip_id in self._left_out
        if is_kept == is_left_out:
            raise ValueError(
                f"candidate {clip_id!r} is in {'both' if is_kept else 'neither'} of "
                f"dataset/clips.csv and dataset/rejected.csv: {_REMEDY}"
            )
        if is_left_out:
            return self._left_out[clip_id]
        if verdict.verdict != KEPT.verdict:
            raise ValueError(
                f"{clip_id!r} is in the dataset, but not kept in its ledger: {_REMEDY}"
            )
        return by_hand.get(clip_id, verdict)


def verdicts_of(table: np.recarray) -> list[Verdict]:
    """The verdicts in the rows of a ledger, or of a table with the same columns."""
    plain = np.asarray(table)
    columns = (plain[name].tolist() for name in Verdict._fields)
    return [Verdict(*cells) for cells in zip(*columns, strict=True)]
