"""The dataset's card: what is in it, where it comes from and how it was made, for its readers.

What users, sites and files say (titles, names, uploaders, licences) is text in it, never markup.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.dataset.card_header import card_header, with_data_files
from talkingface.dataset.card_text import (
    ABOUT,
    CITE,
    CLIP_FILES,
    COLUMNS_NOTE,
    ELSEWHERE_NOTE,
    LIMITS,
    ORIGINS_NOTE,
    PEOPLE,
    TAKE_OUT,
)
from talkingface.dataset.split import SIDES
from talkingface.dataset.statistics import MEASURES, Share, Statistics, dataset_statistics, largest
from talkingface.dataset.summary import duration
from talkingface.grid import FPS
from talkingface.job.files import DamagedFile, atomic_path, damage_in, read_json, write_json
from talkingface.models.store import weights_hash
from talkingface.release import release
from talkingface.settings.describe import markdown_table
from talkingface.settings.published import changed_settings
from talkingface.stages import products_of
from talkingface.tables import dataset_clips
from talkingface.text import clean, markdown_text

CARD, SETTINGS = "README.md", "settings.json"
NOT_STATED = "not stated"
FILL_IN = "unknown: fill in"
# Of identities, origins and sizes so many are listed, the largest.
MOST_LISTED = 50
# Between these lines stands what the files are, which another layout replaces.
FILES_BEGIN, FILES_END = "<!-- files -->\n", "<!-- end of files -->\n"
_QUANTILES = {"5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95}
_TITLES = ("least", *_QUANTILES, "most")
_SOURCE_UNITS = {"fps": "frames a second", "shorter_side": "pixels", "duration_s": "s"}


def make_card(
    results: str | Path,
    *,
    settings: Mapping[str, Any],
    versions: Mapping[str, int],
    models: Mapping[str, str],
    card: Mapping[str, Any],
) -> None:
    """Write README.md and settings.json beside the tables of the dataset in `results`.

    settings: those that the data depends on, see `published_settings`. versions: of the rule of
    every stage that was made, by its name. models: name in the store of the model that a stage's
    backend needs, of stages with one. card: `title`, `licence`, `language` and `contact`, empty
    where nobody said them. settings.json has all of these, so that whoever has the results can make
    the card again.

    Raises OtherColumns or DamagedFile for a table or a record that cannot be read, and OSError for
    one that is gone.
    """
    results = Path(results)
    folder = results / "dataset"
    summary_path = folder / "summary.json"
    summary = read_json(summary_path, "videos", "kept", "rejected", *SIDES)
    statistics = dataset_statistics(results, versions)
    records = {
        stage: read_json(results / f"models/{name}.json", "files") for stage, name in models.items()
    }
    with damage_in(summary_path, KeyError, TypeError, ValueError, AttributeError):
        clips = summary["kept"]["clips"]
        top, left_out = _top(card, summary), _rejected(summary)
        counts = _counts(summary, statistics)
    with open(folder / "clips.csv", "rb") as file:
        state = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    header = card_header(
        title=card["title"],
        licence=card["licence"],
        language=card["language"],
        clips=clips,
        state=state,
    )
    contact = _stated(card["contact"])
    parts = [
        header,
        top,
        _files(settings["features"]),
        counts,
        _distributions(statistics),
        _sources(statistics),
        _origins(statistics),
        left_out,
        _making(settings, versions, statistics, records),
        LIMITS,
        PEOPLE.format(contact=contact),
        TAKE_OUT.format(contact=contact),
        _citation(card),
    ]
    made_with = {"settings": settings, "versions": versions, "models": models, "card": card}
    write_json(made_with, folder / SETTINGS)
    with atomic_path(folder / CARD) as partial:
        partial.write_text("\n".join(parts), encoding="utf-8", errors="replace")


def card_of_layout(
    results: str | Path, *, clips: int, state: str, data_files: Mapping[str, str], files: str
) -> str:
    """The card of the dataset in `results` as that of another layout of it.

    clips: how many are in the layout. state: another one for other content. data_files: path or
    pattern of every split, relative to the card. files: what its files are, in Markdown.

    Raises FileNotFoundError where there is no card, and DamagedFile where it has lost its header.
    """
    path = Path(results, "dataset", CARD)
    head, begun, rest = path.read_text("utf-8").partition(FILES_BEGIN)
    _, ended, tail = rest.partition(FILES_END)
    if not ended:
        raise DamagedFile(path, "it has no part that says what its files are")
    text = f"{head}{begun}{files}{ended}\n{ELSEWHERE_NOTE}{tail}"
    return with_data_files(path, text, clips, state, data_files)


def _top(card: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    title = markdown_text(card["title"]) if card["title"] else "Talking-face clips"
    kept, videos = summary["kept"], summary["train"]["videos"] + summary["eval"]["videos"]
    rows = [
        ("licence of the dataset", _stated(card["licence"])),
        ("language", ", ".join(map(markdown_text, card["language"])) or NOT_STATED),
        ("contact", _stated(card["contact"])),
        ("made with", f"talkingface {release()}"),
    ]
    return (
        f"# {title}\n\n{kept['clips']:,} clips, {duration(kept['hours'])}, of {videos:,} videos. "
        f"{ABOUT}\n{markdown_table(('', ''), rows)}"
    )


def _files(features: Sequence[str]) -> str:
    rows = [
        (f"`{p.column}`", f"`{p.path}`", p.content, p.shape, p.dtype, p.unit)
        for p in products_of(list(features))
    ]
    titles = ("column", "file, relative to `results/`", "content", "shape", "dtype", "unit")
    return (
        f"## Files\n\n{FILES_BEGIN}{CLIP_FILES}\n{markdown_table(titles, rows)}{FILES_END}"
        f"\n{COLUMNS_NOTE}"
    )


def _counts(summary: Mapping[str, Any], statistics: Statistics) -> str:
    rows = [
        (
            side,
            f"{summary[side]['clips']:,}",
            duration(summary[side]["hours"]),
            *(f"{summary[side][key]:,}" for key in ("videos", "identities", "groups")),
        )
        for side in SIDES
    ]
    unnamed = sum(share.clips for share in statistics.origins.values())
    unnamed -= sum(share.clips for share in statistics.identities.values())
    split = summary.get("split", {})
    text = (
        "## Counts\n\n"
        + markdown_table(("side", "clips", "length", "videos", "identities", "groups"), rows)
        + "\nIdentities are those with a name. A group is what must not be divided: videos that "
        "share an identity, a source or a file; it is wholly in train or in eval, by the hash of "
        f"its name (share of eval {split.get('eval_fraction')}, seed {split.get('seed')}) or as "
        f"the list of videos says. {unnamed:,} clips are of videos without an identity.\n"
    )
    rows = [
        (markdown_text(identity), side, *_share_cells(share))
        for (identity, side), share in largest(statistics.identities, MOST_LISTED)
    ]
    if rows:
        text += f"\n{markdown_table(('identity', 'side', 'videos', 'clips', 'length'), rows)}"
        text += _more(len(statistics.identities), "identities")
    return text


def _distributions(statistics: Statistics) -> str:
    columns = {column.name: column for column in dataset_clips().columns}
    rows = [
        (
            f"`{name}`",
            columns[name].unit,
            *_quantiles(statistics.measures[name]),
            columns[name].meaning,
        )
        for name in MEASURES
    ]
    return (
        "## How clips are distributed\n\nOf all clips with a value, by column of `clips.csv`.\n\n"
        + markdown_table(("column", "unit", "clips", *_TITLES, "meaning"), rows)
        + "\n"
        + _sizes("size of clips", statistics.clip_sizes)
    )


def _quantiles(values: Iterable[float]) -> list[str]:
    """How many numbers there are, and least, quantiles and most; NaN is none."""
    known = np.asarray(values)
    known = known[~np.isnan(known)]
    if not len(known):
        return ["0", *([""] * len(_TITLES))]
    found = np.quantile(known, [0.0, *_QUANTILES.values(), 1.0])
    return [f"{len(known):,}", *(f"{value:.4g}" for value in found)]


def _sizes(title: str, sizes: Counter[tuple[int, int]]) -> str:
    frequent = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    rows = [(f"{width} x {height}", f"{count:,}") for (width, height), count in frequent[:10]]
    more = f"\n{len(sizes) - 10:,} more sizes.\n" if len(sizes) > 10 else ""
    return markdown_table((title, "count"), rows) + more


def _sources(statistics: Statistics) -> str:
    rows = [
        (f"`{name}`", unit, *_quantiles(statistics.sources[name]))
        for name, unit in _SOURCE_UNITS.items()
    ]
    return (
        "## Sources\n\nOf the videos that clips come from, as their files say. Clips have 25 "
        "frames a second and sound at 16 kHz whatever these had.\n\n"
        + markdown_table(("", "unit", "videos", *_TITLES), rows)
        + "\n"
        + _sizes("size of sources", statistics.source_sizes)
    )


def _origins(statistics: Statistics) -> str:
    rows = [
        (
            markdown_text(site) or NOT_STATED,
            markdown_text(uploader) or NOT_STATED,
            markdown_text(licence) or FILL_IN,
            *_share_cells(share),
        )
        for (site, uploader, licence), share in largest(statistics.origins, MOST_LISTED)
    ]
    by_licence: dict[str, Share] = {}
    for (_, _, licence), share in statistics.origins.items():
        total = by_licence.setdefault(licence, Share())
        total.videos += share.videos
        total.clips += share.clips
        total.frames += share.frames
    totals = [
        (markdown_text(licence) or FILL_IN, *_share_cells(share))
        for licence, share in largest(by_licence, MOST_LISTED)
    ]
    counted = ("videos", "clips", "length")
    return (
        f"## Licences by source\n\n{ORIGINS_NOTE}\n"
        + markdown_table(("licence", *counted), totals)
        + _more(len(by_licence), "licences")
        + "\n"
        + markdown_table(("site", "uploader", "licence", *counted), rows)
        + _more(len(statistics.origins), "origins")
    )


def _rejected(summary: Mapping[str, Any]) -> str:
    statuses = [
        (_code(status), f"{count:,}") for status, count in summary["videos"]["by_status"].items()
    ]
    rows = [
        (
            _code(row["stage"]),
            _code(row["reason"]),
            f"{row['count']:,}",
            f"{row['whole_videos']:,}",
            duration(row["hours"]),
        )
        for row in summary["rejected"]
    ]
    videos = summary["videos"]["count"]
    return (
        f"## What was left out, and why\n\n{videos:,} videos, {duration(summary['hours_in'])}, "
        f"were listed; of {summary['candidates']:,} candidate stretches "
        f"{summary['kept']['clips']:,} were kept. `rejected.csv` has each of the others with what "
        "was measured and the threshold. A row without a stretch is a whole video or a gap in one, "
        f"and has no length here.{_by_hand(summary)}\n\n"
        + markdown_table(("status of the download", "videos"), statuses)
        + "\n"
        + markdown_table(("stage", "reason", "count", "whole videos", "length"), rows)
    )


def _by_hand(summary: Mapping[str, Any]) -> str:
    """What is said of what a person decided; nothing where nobody did."""
    by_hand = summary.get("by_hand")
    if not by_hand:
        return ""
    return (
        " Somebody looked at clips and decided against what was measured: kept by hand "
        f"{by_hand['kept']:,}, left out by hand {by_hand['rejected']:,}."
    )


def _making(
    settings: Mapping[str, Any],
    versions: Mapping[str, int],
    statistics: Statistics,
    records: Mapping[str, Mapping[str, Any]],
) -> str:
    rows = []
    for stage, version in versions.items():
        makers = sorted((key, n) for key, n in statistics.makers.items() if key[0] == stage)
        model = records.get(stage)
        if not makers and model:
            makers = [((stage, "", ""), 0)]
        for (_, backend, sha256), clips in makers or [((stage, "", ""), 0)]:
            if model and not sha256:
                sha256 = weights_hash(model)
            hashes = ", ".join(f"`{part}`" for part in sha256.split())
            count = f"{clips:,}" if clips else ""
            rows.append((f"`{stage}`", str(version), markdown_text(backend), count, hashes))
    text = "## How it was made\n\n" + markdown_table(
        ("stage", "version", "backend or model", "clips", "sha256 of its weights"), rows
    )
    text += (
        "\nThe version of a stage is raised when the same input gives another result. A backend "
        "without a hash needs no weights but those of the packages.\n"
    )
    models = [
        (
            f"`{stage}`",
            markdown_text(record.get("model")),
            markdown_text(record.get("source") or NOT_STATED),
            markdown_text(record.get("revision") or ""),
            markdown_text(record.get("licence") or NOT_STATED),
        )
        for stage, record in records.items()
    ]
    if models:
        text += "\n" + markdown_table(
            ("stage", "model", "where it is from", "revision", "licence of the weights"), models
        )
    changed = changed_settings(settings)
    text += f"\n`{SETTINGS}` has every setting that the data depends on"
    if not changed:
        return text + "; all have their defaults.\n"
    listed = [
        (f"`{name}`", _value(value), _value(usual)) for name, (value, usual) in changed.items()
    ]
    return (
        f"{text}. These differ from the defaults of talkingface {release()}:\n\n"
        + markdown_table(("setting", "value", "default"), listed)
    )


def _citation(card: Mapping[str, Any]) -> str:
    # In BibTeX braces and backslashes are something; in a block that is indented nothing else is.
    title = card["title"] or "Talking-face clips"
    plain = " ".join("".join(c for c in str(title) if c not in "\\{}%#$&~^_").split())
    return CITE.format(title=plain, release=release())


def _share_cells(share: Share) -> tuple[str, str, str]:
    return f"{share.videos:,}", f"{share.clips:,}", duration(share.frames / FPS / 3600)


def _more(count: int, things: str) -> str:
    return f"\n{count - MOST_LISTED:,} more {things}.\n" if count > MOST_LISTED else ""


def _stated(text: str | None) -> str:
    return markdown_text(text) if text else NOT_STATED


def _code(word: str) -> str:
    return f"`{clean(word).replace('`', '')}`"


def _value(value: Any) -> str:
    return markdown_text(json.dumps(value, ensure_ascii=False))
