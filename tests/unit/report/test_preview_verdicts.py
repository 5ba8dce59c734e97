"""What a preview says of voices and faces is all that their verdicts go by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from helpers.previews import SETTINGS, box_rows, preview, put
from talkingface import tables
from talkingface.clips.judgement import SegmentThresholds, judge, thresholds_for
from talkingface.clips.segments import make_segments
from talkingface.clips.verdict import Verdict
from talkingface.clips.voice import Voice
from talkingface.job.files import write_json
from talkingface.job.tables import empty_table, read_table, table_of_columns, table_of_rows
from talkingface.media.audio import write_wav
from talkingface.shots.proxy import Proxy, write_proxy
from talkingface.table import Table

_TRACKS = ("other_track", "other_speaker")
_VOICE = (
    "confidence", "probability", "other_probability", "mouth_motion", "speaking", "other_speaking",
)  # fmt: skip


def random_video(seed: int) -> Iterator[tuple[Table, np.recarray]]:
    """Tables of faces that speak or do not, now and then, sure or not, alone or not."""
    random = np.random.default_rng(seed)
    spans = [(start, start + int(random.integers(60, 300))) for start in random.integers(0, 500, 6)]
    boxes, synced, frames = [], [], []
    for number, (start, end) in enumerate(spans):
        grid, n = np.arange(start, end), end - start
        height = random.uniform(90, 300)
        beside = 0 if random.random() < 0.2 else 900 * number
        place = np.tile([beside + random.uniform(0, 100), 200.0, 0.8 * height, height], (n, 1))
        rows = box_rows(number, grid, place)
        rows.detected = random.random(n) < random.choice([1.0, 0.6])
        boxes.append(rows)
        if random.random() < 0.15:
            continue  # `sync` does not judge it.
        backend = str(random.choice(["mesh", "syncnet"]))
        offset = int(random.integers(-20, 21)) if random.random() < 0.5 else 0
        synced.append({
            "track": number, "offset": offset, "trusted": int(random.integers(2)),
            "backend": "mesh", "confidence": 0.1, "probability": 0.5,
        })  # fmt: skip
        level = random.choice([-0.1, 0.0, 0.02, 0.03, 0.15, 0.2])
        score = random.normal(level, 0.05, n).round(3)
        score[random.random(n) < 0.1] = np.nan
        opening = abs(random.normal(0.1, random.choice([0.0005, 0.05]), n)).round(4)
        frames.append(table_of_columns(tables.SYNC_FRAMES, {
            "track": number, "frame": grid, "score": score,
            "probability": random.random(n).round(3),
            "opening": opening if backend == "mesh" else np.nan,
        }))  # fmt: skip
    yield tables.TRACKS, np.concatenate(boxes).view(np.recarray)
    yield tables.SYNC, table_of_rows(tables.SYNC, synced)
    yield (
        tables.SYNC_FRAMES,
        np.concatenate([empty_table(tables.SYNC_FRAMES), *frames]).view(np.recarray),
    )
    speech = np.repeat(random.choice([0.02, 0.55, 0.98], 18), 50)
    columns = {"frame": np.arange(900), "probability": speech}
    yield tables.SPEECH, table_of_columns(tables.SPEECH, columns)


def judged_again(row: np.record, of_preview: np.record, limits: SegmentThresholds) -> Verdict:
    """The verdict by nothing but the ledger's columns and those of PREVIEW, as the page has them:
    numbers through JSON."""
    cells = {name: of_preview[name].item() for name in _VOICE}
    cells |= {n: None if np.isnan(of_preview[n]) else int(of_preview[n]) for n in _TRACKS}
    voice = None
    if of_preview.judged:
        voice = Voice(
            offset=int(row.offset), trusted=int(row.trusted), **json.loads(json.dumps(cells))
        )
    return judge(row, voice, bool(of_preview.alone), limits)


def random_limits(random: np.random.Generator) -> SegmentThresholds:
    """Thresholds that do not say how tracks are cut."""
    settings = SETTINGS | {
        "max_offset": None,
        "keep_unsure": bool(random.integers(2)),
        "min_probability": float(random.uniform(0.3, 0.95)),
        "unsure_probability": float(random.uniform(0.02, 0.3)),
        "min_mouth_motion": float(random.choice([0.0, 0.0005, 0.02])),
        "min_confidence": None if random.integers(3) else 0.02,
        "min_face_height": float(random.uniform(0, 200)),
        "max_other_face_share": float(random.uniform(0, 1)),
        "min_speech_share": float(random.uniform(0, 0.9)),
    }
    return thresholds_for("mesh", **settings)


def at_an_edge(
    limits: SegmentThresholds, found: np.recarray, random: np.random.Generator
) -> SegmentThresholds:
    """With a threshold that is exactly what one of the candidates has, or the next number above."""
    key, column = random.choice(
        [("min_probability", "probability"), ("min_mouth_motion", "mouth_motion")]
    )
    known = found[column][np.isfinite(found[column])]
    value = float(random.choice(known)) if len(known) else 0.5
    edge = float(np.nextafter(value, np.inf)) if random.integers(2) else value
    return replace(limits, **{key: edge})


def test_with_these_numbers_every_verdict_comes_out_again(tmp_path: Path) -> None:
    """The page's explorer relies on it: to the last digit, also with thresholds that the preview
    was not made with."""
    reasons: set[str] = set()
    for seed in range(12):
        results, random = tmp_path / str(seed), np.random.default_rng(seed)
        for definition, rows in random_video(seed):
            put(results, definition, rows, "v")
        put(results, tables.CLIPS, [], "v")
        (results / "clips/v").mkdir()
        write_json({"status": "ok", "reason": None}, results / "v.json")
        sound = random.normal(0, 2000, 900 * 640)
        sound[: 300 * 640] *= seed % 2
        (results / "proxy").mkdir()
        write_wav(results / "proxy/v.wav", sound.astype(np.int16), 16_000)
        write_proxy(Proxy("ok", None, 900), results / "proxy/v.json")
        found: np.recarray | None = None
        for _ in range(8):
            limits = random_limits(random)
            if found is not None:
                limits = at_an_edge(limits, found, random)
            assert limits.cut == "track"
            make_segments(
                "v",
                results / "v.json",
                results / "proxy/v.json",
                *(results / f"{name}/v.csv" for name in ("tracks", "speech", "sync")),
                results / "sync/v.frames.csv",
                results / "proxy/v.wav",
                results / "segments/v.csv",
                thresholds=limits,
            )
            ledger = read_table(results / "segments/v.csv", tables.SEGMENTS)
            found = preview(results, "v") if found is None else found
            assert found.clip_id.tolist() == ledger.clip_id.tolist()
            for row, of_preview in zip(ledger, found, strict=True):
                numbers = [None if row[n] != row[n] else row[n] for n in ("value", "threshold")]
                wanted = Verdict(row.verdict, row.stage, row.reason, row.detail, *numbers)
                assert judged_again(row, of_preview, limits) == wanted
                reasons.add(row.reason)
    faces = {"small_face", "face_lost", "other_face", "silent", "no_speech"}
    assert reasons >= faces | {"", "not_speaking", "offset", "other_speaks", "unsure"}
