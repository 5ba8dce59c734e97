"""What becomes of a candidate segment, in the words of the ledger."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from talkingface.settings.decisions import KEEP, REJECT


class Verdict(NamedTuple):
    """Columns of the ledger: whether a segment is kept, and if not, or only in doubt, why.

    stage: the stage that measured what the segment is rejected or doubted for. reason: one word for
    it, and detail: more, or nothing. value: what was measured, and threshold: what it was compared
    with; None where nothing was.
    """

    verdict: Literal["kept", "rejected"]
    stage: str = ""
    reason: str = ""
    detail: str = ""
    value: float | None = None
    threshold: float | None = None


KEPT = Verdict("kept")
# How `detail` begins where one reason has several causes. The report's page tells them apart by
# these words, in ledgers of earlier runs, too: another wording needs the old one beside it.
LIPS_STILL = "the lips are still while a voice is heard"
LIPS_APART = "lips and voice do not go together"
OTHER_IN_TURN = "mean over the frames; it is rather track"
OTHER_LIKELIER = "the voice is rather that of track"
BETWEEN_SPEECH = "cut: speaking; longest speech here"
# Stage and reason of a verdict that a person gave.
BY_HAND = ("decisions", "by hand")
_DECIDED: dict[str, Literal["kept", "rejected"]] = {KEEP: "kept", REJECT: "rejected"}


def rejected(
    stage: str,
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
    *,
    detail: str = "",
) -> Verdict:
    """The verdict on what is rejected."""
    return Verdict("rejected", stage, reason, detail, value, threshold)


def decided(measured: Verdict, decision: str, note: str) -> Verdict:
    """The verdict by a person's `decision`, KEEP or REJECT, for the reason in a `note`.

    It is the `measured` one where that is the same. Otherwise value and threshold stay, so that one
    sees against what was decided.
    """
    verdict = _DECIDED[decision]
    if measured.verdict == verdict:
        return measured
    stage, reason = BY_HAND
    return measured._replace(verdict=verdict, stage=stage, reason=reason, detail=note)


def kept(ledger: np.recarray) -> np.recarray:
    """The rows with verdict kept of a ledger, a table SEGMENTS."""
    return ledger[ledger.verdict == KEPT.verdict]
