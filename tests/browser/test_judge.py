"""The judging in the page gives the verdicts of the workflow's own, on measures of all kinds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from talkingface.clips.judgement import SegmentThresholds, judge
from talkingface.clips.verdict import Verdict
from talkingface.clips.voice import Voice
from talkingface.dataset.gates import GATES, THRESHOLD_KEYS, QualityThresholds, judge_quality
from talkingface.job.tables import empty_table
from talkingface.sync.calibrations import TRUSTED_CERTAINTY
from talkingface.tables import QUALITY

from .conftest import Open

CASES = 20_000
# Of the gates: sets of thresholds, and clips judged by each.
SETS, CLIPS = 200, 100
NAN = float("nan")
# Measures and thresholds are drawn from the same few values, so that many meet exactly, and of
# numbers beside them. With an odd multiple of 1/32 lies one halfway between two of 4 digits.
SHARES = [0.0, 0.2, 0.35, 0.35000000000000003, 0.34999999999, 0.5, 0.50004999, 0.7, 1.0,
          1 / 32, 3 / 32, 5 / 32, 27 / 32]  # fmt: skip
MOTIONS = [0.0, 0.003, 0.01, 0.0100000001, 0.00999999, 0.05, 1 / 32, 3 / 32]
SCORES = [-1.5, -1 / 32, -3 / 32, 0.0, 0.0564, 2.1, 3.0, 3.0000001, 7.25]

# Texts go to and fro in a moment, where objects of as many numbers take a minute. NaN, which JSON
# has not, is null in columns, where nothing else is, and "NaN" in verdicts.
ASK = """(asked) => {
  const { columns, thresholds, more, which } = JSON.parse(asked);
  const measures = {};
  for (const name in columns) {
    measures[name] = Float64Array.from(columns[name], (value) => value ?? NaN);
  }
  const verdicts = thresholds.map((each, row) => (
    talkingface[which](measures, row, each, ...more)));
  return JSON.stringify(verdicts, (_, value) => Number.isNaN(value) ? "NaN" : value);
}"""


def _ask(
    page: Page, which: str, columns: dict[str, list[Any]], thresholds: list[Any], *more: Any
) -> list[dict[str, Any]]:
    """The verdict of the page on every row of `columns`, with the row's own `thresholds`."""
    plain = {
        name: [None if value != value else value for value in column]
        for name, column in columns.items()
    }
    asked = {"columns": plain, "thresholds": thresholds, "more": more, "which": which}
    verdicts = json.loads(page.evaluate(ASK, json.dumps(asked, allow_nan=False)))
    return [
        {name: NAN if cell == "NaN" else cell for name, cell in verdict.items()}
        for verdict in verdicts
    ]


@pytest.fixture
def page(open_report: Open, middle: Path) -> Page:
    return open_report(middle, "#run")


def _same(verdict: Verdict, found: dict[str, Any]) -> bool:
    """Whether all is the same that the page says of a verdict; NaN is NaN, None nothing."""
    for expected, got in ((verdict.value, found["value"]), (verdict.threshold, found["threshold"])):
        if expected is None or got is None:
            if expected is not got:
                return False
        elif not (expected == got or (math.isnan(expected) and math.isnan(got))):
            return False
    return (verdict.verdict == "kept", verdict.stage, verdict.reason) == (
        found["kept"], found["stage"], found["reason"],
    )  # fmt: skip


@pytest.mark.parametrize("cut", ("track", "speaking"))
def test_segments_are_judged_as_by_the_workflow(page: Page, cut: str) -> None:
    random = np.random.default_rng(5)

    def draw(values: list[float], n: int = CASES, missing: float = 0.0) -> list[float]:
        drawn = random.choice(np.array(values), n)
        drawn[random.random(n) < missing] = NAN
        return drawn.tolist()

    columns = {
        "n_frames": random.integers(73, 90, CASES).tolist(),
        "face_height": draw([99.9, 100.0, 100.1, 101.0, 400.0]),
        "detected_share": draw([0.699, 0.7, 0.9, 1.0]),
        "other_face_share": draw([0.0, 0.0, 0.1, 0.101]),
        "loudness": draw([-50.1, -50.0, -20.0, -20.0]),
        "speech_share": draw([0.199, 0.2, 0.5, 0.5]),
        "offset": random.integers(-18, 19, CASES).tolist(),
        "mouth_motion": draw(MOTIONS, missing=0.3),
        "confidence": draw(SCORES, missing=0.1),
        "probability": draw(SHARES, missing=0.15),
        "other_probability": draw(SHARES, missing=0.05),
        "other_track": draw([0.0, 1.0, 7.0], missing=0.5),
        "speaking": draw(SHARES, missing=0.05),
        "other_speaking": draw(SHARES, missing=0.05),
        "alone": random.integers(0, 2, CASES).tolist(),
        "judged": (random.random(CASES) < 0.9).astype(int).tolist(),
    }
    limits = {
        "min_frames": random.integers(70, 78, CASES).tolist(),
        "min_face_height": draw([90.0, 100.0, 100.1]),
        "min_detected_share": draw([0.5, 0.7]),
        "max_other_face_share": draw([0.1, 1.0]),
        "min_loudness": draw([-50.0, -60.0]),
        "min_speech_share": draw([0.0, 0.2]),
        "min_mouth_motion": draw(MOTIONS[:3]),
        "min_probability": draw(SHARES),
        "unsure_probability": draw(SHARES),
        "keep_unsure": (random.random(CASES) < 0.5).tolist(),
        "min_confidence": [None if math.isnan(v) else v for v in draw(SCORES, missing=0.6)],
        "max_offset": random.integers(0, 19, CASES).tolist(),
    }
    cutting = {
        "cut": cut, "max_frames": 500, "trim_frames": 0, "speech_threshold": 0.5,
        "speaking_probability": 0.5, "speaking_score": None, "speaking_gap": 15, "speaking_trim": 5,
    }  # fmt: skip
    thresholds = [{name: column[k] for name, column in limits.items()} for k in range(CASES)]
    found = _ask(page, "judge", columns, [each | {"cut": cut} for each in thresholds])
    seen = set()
    for k, each in enumerate(thresholds):
        row = {name: column[k] for name, column in columns.items()}
        other = None if math.isnan(row["other_track"]) else int(row["other_track"])
        voice = Voice(
            trusted=1,
            other_track=other,
            other_speaker=other,
            **{
                name: row[name]
                for name in ("offset", "confidence", "probability", "other_probability",
                             "mouth_motion", "speaking", "other_speaking")
            },
        )  # fmt: skip
        expected = judge(
            row, voice if row["judged"] else None, bool(row["alone"]),
            SegmentThresholds(**each, **cutting),
        )  # fmt: skip
        assert _same(expected, found[k]), (row, each, expected, found[k])
        seen.add((expected.verdict, expected.reason))
    rejections = {"too_short", "small_face", "face_lost", "other_face", "silent", "no_speech",
                  "not_speaking", "other_speaks", "offset"}  # fmt: skip
    assert {reason for verdict, reason in seen if verdict == "rejected"} >= rejections
    assert ("kept", "") in seen
    if cut == "track":
        assert {("kept", "unsure"), ("rejected", "unsure")} <= seen


def test_clips_pass_the_gates_as_in_the_workflow(page: Page) -> None:
    random = np.random.default_rng(6)
    steps = {gate.measure: [0.0, 0.2, 0.9, 1.0, 20.0, 25.0, 45.0, -45.0, 235.0] for gate in GATES}
    steps["residual_certainty"] = [0.0, 0.9, TRUSTED_CERTAINTY, 0.97999999, 1.0]
    columns = {}
    for measure, values in steps.items():
        drawn = random.choice(np.array(values), SETS * CLIPS)
        drawn[random.random(SETS * CLIPS) < 0.1] = NAN
        columns[measure] = drawn
    sets: list[dict[str, float | None]] = []
    for _ in range(SETS):
        # Most are off, or hardly any clip would come to the last of them.
        given = random.random(len(GATES)) < 0.25
        sets.append(
            {
                gate.key: float(random.choice(np.abs(steps[gate.measure]))) if on else None
                for gate, on in zip(GATES, given, strict=True)
            }
        )
    found = _ask(
        page,
        "judgeQuality",
        {name: column.tolist() for name, column in columns.items()},
        [each for each in sets for _ in range(CLIPS)],
        [gate._asdict() for gate in GATES],
        TRUSTED_CERTAINTY,
    )
    assert set(sets[0]) == set(THRESHOLD_KEYS)
    reasons = set()
    for k, each in enumerate(sets):
        rows = slice(k * CLIPS, (k + 1) * CLIPS)
        table = empty_table(QUALITY, CLIPS)
        table.clip_id = [f"clip{i}" for i in range(CLIPS)]
        for name, column in columns.items():
            table[name] = column[rows]
        expected = judge_quality(table, QualityThresholds(**each)).values()
        for row, verdict, got in zip(table, expected, found[rows], strict=True):
            assert _same(verdict, got), (row, each, verdict, got)
            reasons.add(verdict.reason)
    assert reasons == {"", *(gate.reason for gate in GATES)}
