"""The dataset's card: what it counts, what it shows of others' words, what the Hub reads."""

from __future__ import annotations

import html
import json
import re
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.finished_workspace import add_video as add_whole_video
from helpers.finished_workspace import card_values, finish
from helpers.settings import CONFIG
from talkingface.dataset.card import card_of_layout, make_card
from talkingface.dataset.card_header import card_header
from talkingface.dataset.statistics import Share, dataset_statistics
from talkingface.job.files import DamagedFile
from talkingface.job.tables import OtherColumns, empty_table, table_writer
from talkingface.settings.load import check_config
from talkingface.settings.published import changed_settings, published_settings
from talkingface.tables import dataset_clips
from talkingface.text import clean

# What others may call themselves.
NASTY = [
    "<script>alert(1)</script>",
    "</td></table><img src=x onerror=alert(1)>",
    "[click](https://evil.example) ![p](https://evil.example/p.png)",
    "a | b || c",
    "`code` **bold** _under_ ~~gone~~ $x^2$",
    "https://evil.example/x www.evil.example a@evil.example @somebody :smile:",
    "back\\slash\\| and &lt;b&gt; &amp;",
    "# heading\n---\nlicense: mit\n---\n- item",
    "\u202eeman\u202c \x1b[31mred",
    "<!-- end of files -->",
    "王小明 Ünal",
]
# The Hub's documentation of dataset cards.
SIZES = {0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 10_000: "10K<n<100K", 100_000: "100K<n<1M"}


add_video = partial(add_whole_video, files=False)


def row(video: str, identity: str = "", split: str = "", source: str = "") -> dict[str, str]:
    return {
        "video_id": video,
        "source": source or f"https://example.org/{video}",
        "identity": identity,
        "split": split,
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three videos with 1, 2 and 3 clips of 4 frames, and one with none."""
    add_video(tmp_path, "one", clips=1, provenance={"kind": "local", "path": "/home/me/one.mp4"})
    site = {"kind": "url", "extractor": "vimeo", "uploader": "U", "licence": "CC BY 4.0"}
    add_video(tmp_path, "two", clips=2, provenance=site | {"sha256": "2"})
    add_video(tmp_path, "three", clips=3, provenance=site | {"licence": None, "sha256": "3"})
    add_video(tmp_path, "none", clips=0)
    rows = [row("one", "ann", "train"), row("two", "ben", "eval"), row("three", "ann"), row("none")]
    finish(tmp_path, rows, export=False)
    return tmp_path


def read(root: Path) -> tuple[dict[str, Any], str]:
    """Header and body of the card."""
    text = (root / "results/dataset/README.md").read_text("utf-8")
    assert text.startswith("---\n")
    header, body = text.removeprefix("---\n").split("\n---\n", 1)
    return yaml.safe_load(header), body


def section(body: str, title: str) -> str:
    return body.split(f"\n## {title}\n")[1].split("\n## ")[0]


def cells(line: str) -> list[str]:
    """Cells of a row of a table as GitHub's Markdown takes them apart, and as it shows them."""
    parts = re.split(r"(?<!\\)(?:\\\\)*\|", line.strip())[1:-1]
    return [html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", part.strip())) for part in parts]


def table(text: str, title: str) -> list[list[str]]:
    """The rows of the table whose first title this is."""
    lines = text.splitlines()
    begin = next(
        i for i, line in enumerate(lines) if line.startswith(f"| {title} |".replace("  ", " "))
    )
    end = next((i for i, x in enumerate(lines) if i > begin and not x.startswith("|")), len(lines))
    return [cells(line) for line in lines[begin + 2 : end]]


def test_what_there_is_is_counted(root: Path) -> None:
    header, body = read(root)
    # 6 clips of 4 frames at 25 a second are 0.016 minutes.
    assert "\n6 clips, 0.0 min, of 3 videos." in body
    counts = section(body, "Counts")
    assert table(counts, "side") == [
        ["train", "4", "0.0 min", "2", "1", "1"],
        ["eval", "2", "0.0 min", "1", "1", "1"],
    ]
    assert table(counts, "identity") == [
        ["ann", "train", "2", "4", "0.0 min"],
        ["ben", "eval", "1", "2", "0.0 min"],
    ]
    assert "0 clips are of videos without an identity" in counts
    assert header["size_categories"] == ["n<1K"]
    left_out = section(body, "What was left out, and why")
    assert table(left_out, "stage") == [["`tracks`", "`no_face`", "1", "1", "0.0 min"]]
    assert "4 videos, 0.1 min, were listed; of 6 candidate stretches 6 were kept" in left_out


def test_what_was_decided_by_hand_is_said_where_there_is_any(root: Path) -> None:
    assert "by hand" not in read(root)[1]
    path = root / "results/dataset/summary.json"
    summary = json.loads(path.read_text())
    by_hand = {"by_hand": {"kept": 3, "rejected": 1200, "unknown": 7}}
    path.write_text(json.dumps(summary | by_hand))
    make_card(root / "results", **card_values())
    left_out = section(read(root)[1], "What was left out, and why")
    assert "kept by hand 3, left out by hand 1,200." in left_out


def test_frames_are_counted_by_identity_and_origin(root: Path) -> None:
    """Clips have 4 frames each; lengths of the small ones are 0.0 min in the card."""
    statistics = dataset_statistics(root / "results", card_values()["versions"])
    assert statistics.identities == {
        ("ann", "train"): Share(2, 4, 16),
        ("ben", "eval"): Share(1, 2, 8),
    }
    assert {key[0]: share.frames for key, share in statistics.origins.items() if not key[2]} == {
        "local file": 4,
        "vimeo": 12,
    }
    assert statistics.clip_sizes == {(32, 16): 6}


def test_distributions_are_those_of_the_clips(root: Path) -> None:
    body = read(root)[1]
    rows = {r[0]: r for r in table(section(body, "How clips are distributed"), "column")}
    # Heights are 203 once, 203 twice and 205 three times.
    assert rows["`face_height`"][1:9] == [
        "source pixels", "6", "203", "203", "203", "204", "205", "205",
    ]  # fmt: skip
    assert rows["`duration_s`"][1:4] == ["s", "6", "0.16"]
    assert rows["`probability`"][2:] == [
        "0",
        *[""] * 7,
        "how likely the voice heard is this face's own",
    ]
    sources = {r[0]: r for r in table(section(body, "Sources"), "")}
    assert sources["`fps`"][2:4] == ["3", "30"]
    assert sources["`shorter_side`"][2:4] == ["3", "480"]
    assert table(section(body, "Sources"), "size of sources") == [["640 x 480", "3"]]


def test_licences_are_told_by_source_and_unknown_ones_are_seen(root: Path) -> None:
    body = read(root)[1]
    part = section(body, "Licences by source")
    assert table(part, "licence") == [
        ["unknown: fill in", "2", "4", "0.0 min"],
        ["CC BY 4.0", "1", "2", "0.0 min"],
    ]
    assert table(part, "site") == [
        ["vimeo", "U", "unknown: fill in", "1", "3", "0.0 min"],
        ["vimeo", "U", "CC BY 4.0", "1", "2", "0.0 min"],
        ["local file", "not stated", "unknown: fill in", "1", "1", "0.0 min"],
    ]
    assert "/home/me" not in body


def test_what_nobody_stated_is_said_so(root: Path) -> None:
    header, body = read(root)
    assert header["license"] == "unknown" and "language" not in header
    assert body.count("not stated") >= 6
    said = {"title": "Talks", "licence": "cc-by-4.0", "language": ["en"], "contact": "me@x.org"}
    make_card(root / "results", **card_values(**said))
    header, body = read(root)
    assert (header["pretty_name"], header["license"]) == ("Talks", "cc-by-4.0")
    assert header["language"] == ["en"]
    assert "# Talks\n" in body
    assert cells("| contact | me\\@x.org |") in [cells(line) for line in body.splitlines()]


@pytest.mark.parametrize("name", NASTY)
def test_what_others_say_is_text(tmp_path: Path, name: str) -> None:
    site = {"kind": "url", "extractor": name, "uploader": name, "licence": name, "sha256": "x"}
    add_video(tmp_path, "a", provenance=site)
    shown = clean(name)
    finish(tmp_path, [row("a", shown.replace(",", ";"))], export=False)
    make_card(tmp_path / "results", **card_values(title=name, contact=name, licence=name))
    header, body = read(tmp_path)
    assert header["pretty_name"] == shown and header["license"] == "other"
    assert set(header) == {
        "pretty_name", "license", "license_name", "task_categories", "annotations_creators",
        "tags", "size_categories", "configs",
    }  # fmt: skip
    assert re.fullmatch(r"[a-z0-9.-]+", header["license_name"])
    part = section(body, "Licences by source")
    assert table(part, "site") == [[shown, shown, shown, "1", "1", "0.0 min"]]
    assert table(section(body, "Counts"), "identity")[0][0] == shown.replace(",", ";")
    # HTML of the card's own is the two comments around the files; an indented block has none.
    plain = re.sub(r"(?m)^    .*$", "", body)
    assert re.findall(r"<[^\n]*?>", plain) == ["<!-- files -->", "<!-- end of files -->"]
    assert not re.search(r"(?<!\\)\[|https?:/|www\.|(?<!\\)\$|\w@", plain)
    assert len([line for line in body.splitlines() if line.startswith("# ")]) == 1


def test_how_it_was_made(root: Path) -> None:
    results = root / "results"
    config = check_config(
        {"segments": {"min_frames": 30}, "download": {"cookies": None, "proxy": "http://u:pw@p"}}
    )
    hashes = {"model.safetensors": {"size": 1, "sha256": "ab" * 32}}
    record = {"model": "own-net", "source": "https://x.org/n", "revision": "r1", "licence": None}
    (results / "models").mkdir()
    (results / "models/own-net.json").write_text(json.dumps(record | {"files": hashes}))
    values = card_values() | {"settings": published_settings(config), "models": {"sync": "own-net"}}
    make_card(results, **values)
    part = section(read(root)[1], "How it was made")
    rows = {r[0]: r for r in table(part, "stage")}
    assert rows["`clips`"] == ["`clips`", "1", "", "", ""]
    # Each of 6 clips by what its manifest says.
    assert rows["`landmarks`"] == ["`landmarks`", "1", "dlib", "6", ""]
    assert rows["`parsing`"] == ["`parsing`", "1", "bisenet", "6", f"`{'cd' * 32}`"]
    assert rows["`depth`"][2:4] == ["not recorded", "6"]
    assert rows["`sync`"][4] == f"`{'ab' * 32}`"
    assert ["`sync`", "own-net", "https://x.org/n", "r1", "not stated"] in [
        cells(line) for line in part.splitlines() if line.startswith("|")
    ]
    assert table(part, "setting") == [["`segments.min_frames`", "30", "75"]]
    both = (results / "dataset/README.md").read_text() + (
        results / "dataset/settings.json"
    ).read_text()
    assert "pw" not in both and "proxy:" not in both


def test_settings_that_are_told_hold_nothing_of_the_user_s() -> None:
    told = published_settings(CONFIG, leave_out=("mel",))
    assert not {"videos", "models", "device", "card", "exports", "mel"} & set(told)
    assert set(told["download"]) == {"format", "resolution", "max_duration", "max_size"}
    assert changed_settings(told) == {}
    odd = told | {"split": {"eval_fraction": 0.5, "seed": 0}, "unheard": 1}
    assert changed_settings(odd) == {"split.eval_fraction": (0.5, 0.1), "unheard": (1, None)}


def test_it_is_made_again_of_what_lies_beside_it(root: Path) -> None:
    folder = root / "results/dataset"
    make_card(root / "results", **card_values(title="Ünal's", language=["de", "en"]))
    before = (folder / "README.md").read_bytes()
    (folder / "README.md").unlink()
    make_card(root / "results", **json.loads((folder / "settings.json").read_text()))
    assert (folder / "README.md").read_bytes() == before


def test_a_dataset_without_clips_has_a_card(tmp_path: Path) -> None:
    add_video(tmp_path, "none", clips=0)
    finish(tmp_path, [row("none")], export=False)
    assert "\n0 clips, 0.0 min, of 0 videos." in read(tmp_path)[1]


@pytest.mark.parametrize(
    ("broken", "error", "said"),
    [
        ("dataset/summary.json", DamagedFile, "summary.json: damaged .it has no kept"),
        ("dataset/clips.csv", OtherColumns, "clips.csv: it has no column video_id"),
        ("videos/two.json", DamagedFile, "two.json: damaged"),
        ("parsing/two.csv", OtherColumns, "two.csv: it has no column"),
    ],
)
def test_what_is_broken_is_named(root: Path, broken: str, error: type, said: str) -> None:
    path = root / "results" / broken
    text = {"dataset/summary.json": '{"videos": {}}', "dataset/clips.csv": "clip_id\nx\n"}
    path.write_text(text.get(broken, "{"))
    with pytest.raises(error, match=said):
        make_card(root / "results", **card_values())


def test_memory_does_not_grow_with_the_tables(root: Path) -> None:
    """Of a clip the card keeps 19 numbers of 8 bytes, and while it is at a video their names of 80.
    The texts of a row are 2,000."""
    count, peaks = 3_000, []
    for clips in (count, 2 * count):
        write_clips(root / "results/dataset/clips.csv", clips)
        tracemalloc.start()
        make_card(root / "results", **card_values())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 500 * count


def write_clips(path: Path, count: int) -> None:
    """A table of so many clips of the video `one`."""
    definition = dataset_clips()
    many = empty_table(definition, count)
    many["clip_id"] = [f"one_{k:06d}_{k + 9:06d}_00" for k in range(count)]
    many["video_id"], many["split"] = "one", "train"
    with table_writer(path, definition) as append:
        append(many)


@pytest.mark.parametrize(("clips", "size"), SIZES.items())
def test_the_size_is_called_as_the_hub_does(clips: int, size: str) -> None:
    header = card_header(title=None, licence=None, language=[], clips=clips, state="")
    assert yaml.safe_load(header.strip("-\n"))["size_categories"] == [size]


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        (None, {"license": "unknown"}),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("cc-by-3.0", {"license": "cc-by-3.0"}),
        ("cc-by-nd-4.0", {"license": "cc-by-nd-4.0"}),
        ("My Licence 2", {"license": "other", "license_name": "my-licence-2"}),
        ("自有许可", {"license": "other", "license_name": "custom"}),
    ],
)
def test_a_licence_is_called_as_the_hub_does(licence: str | None, told: dict[str, str]) -> None:
    text = card_header(title=None, licence=licence, language=[], clips=1, state="")
    header = yaml.safe_load(text.strip("-\n"))
    assert {k: v for k, v in header.items() if k.startswith("license")} == told


def test_another_layout_has_its_own_files(root: Path) -> None:
    results = root / "results"
    before = (results / "dataset/README.md").read_text()
    splits = {"train": "train/**", "validation": "eval/**"}
    text = card_of_layout(
        results, clips=12_000, state="ab12", data_files=splits, files="A folder a side.\n"
    )
    header = yaml.safe_load(text.split("---\n")[1])
    files = [{"split": split, "path": path} for split, path in splits.items()]
    told = {"description": "12000 clips, state ab12", "data_files": files}
    assert header["configs"] == [{"config_name": "default", **told}]
    assert header["size_categories"] == ["10K<n<100K"] and header["license"] == "unknown"
    assert "<!-- files -->\nA folder a side.\n<!-- end of files -->" in text
    assert "landmarks68" not in text and text.endswith(before[-5000:])
    assert "not here" not in before
    note = text.index("`rejected.csv` and `settings.json` below is in the folder `dataset` of")
    assert text.index("<!-- end of files -->") < note < text.index("`rejected.csv` has each")
    for broken in ("# no header\n<!-- files -->\n<!-- end of files -->\n", "---\na: b\n---\n"):
        (results / "dataset/README.md").write_text(broken)
        with pytest.raises(DamagedFile, match=r"README.md: damaged"):
            card_of_layout(results, clips=1, state="", data_files=splits, files="")
