"""What a run is about to do, and why, in one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

# Reasons that Snakemake does not know: that of a job whose folder lacks something.
INCOMPLETE = "with files gone"
# That of one whose ledger does not say what a person decided.
BY_HAND = "decided by hand"
# Snakemake's names of reasons, as a person would say them; the first that is given counts.
REASONS = {
    INCOMPLETE: INCOMPLETE,
    BY_HAND: BY_HAND,
    "forced": "forced",
    "incomplete output files": "interrupted before",
    "output files have to be generated": "not there yet",
    "params have changed since last execution": "settings or version changed",
    "set of input files has changed since last execution": "other inputs",
    "updated input files": "newer input",
}


def describe_plan(jobs: Iterable[tuple[str, Iterable[str]]], order: Sequence[str]) -> str:
    """One line on the jobs of a run.

    `jobs` are (rule, Snakemake's reasons) pairs, `order` the rules in the order in which they
    are to be named. A job whose only reason is another job counts as following from it.
    """
    causes: dict[str, Counter[str]] = {}
    following: Counter[str] = Counter()
    for rule, reasons in jobs:
        given = set(reasons)
        cause = next((words for name, words in REASONS.items() if name in given), None)
        if cause is None:
            following[rule] += 1
        else:
            causes.setdefault(rule, Counter())[cause] += 1
    position = {rule: i for i, rule in enumerate(order)}
    parts = []
    for rule in sorted(causes, key=lambda rule: position.get(rule, len(order))):
        why = ", ".join(f"{count} {cause}" for cause, count in causes[rule].most_common())
        parts.append(f"{rule} ({why})")
    names = sorted(following, key=lambda rule: position.get(rule, len(order)))
    consequences = ", ".join(f"{rule} ({following[rule]})" for rule in names)
    return "to do: " + "; then ".join(filter(None, [", ".join(parts), consequences]))
