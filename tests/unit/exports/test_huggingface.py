"""A folder as Hugging Face `datasets` loads it: the card says which files are which split, and
metadata.jsonl leads from its own folder to the files; a column's type is told by what is in it."""

from __future__ import annotations

import fnmatch
import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from helpers.exports import set_cells
from helpers.small_results import CLIPS, write_dataset
from helpers.tables import read_frame
from talkingface.exports.export import make_export
from talkingface.job.files import DamagedFile
from talkingface.stages import products_of

NAMES = [clip.clip_id for clip in CLIPS]
# Their rows in clips.csv.
TRAIN, EVAL = slice(0, 2), slice(2, 3)
SPLITS = {"train": NAMES[:2], "validation": NAMES[2:]}


def export(results: Path, folder: Path, features: list[str] | None = None) -> Path:
    """The export of `results` in a folder below `folder`."""
    folder = folder / "huggingface"
    make_export("huggingface", results, folder, {"features": features})
    return folder


def splits(card: Path) -> dict[str, list[Path]]:
    """The files of every split, by a card's header."""
    head, _, _ = card.read_text().removeprefix("---\n").partition("---\n")
    (config,) = yaml.safe_load(head)["configs"]
    files = [path for path in card.parent.rglob("*") if path.is_file()]
    return {
        part["split"]: [
            path
            for path in files
            if fnmatch.fnmatch(path.relative_to(card.parent).as_posix(), part["path"])
        ]
        for part in config["data_files"]
    }


def rows(folder: Path, column: str, split: str) -> list[dict[str, Any]]:
    lines = (folder / column / split / "metadata.jsonl").read_text().splitlines()
    return [json.loads(line, parse_constant=lambda name: pytest.fail(name)) for line in lines]


def test_the_card_leads_to_the_splits(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path)
    for card, suffix in ((folder / "README.md", ".mp4"), (folder / "audio/README.md", ".wav")):
        by_split = splits(card)
        assert set(by_split) == set(SPLITS)
        for split, names in SPLITS.items():
            media = {path.stem for path in by_split[split] if path.suffix == suffix}
            others = [path.name for path in by_split[split] if path.suffix != suffix]
            assert media == set(names)
            assert others == ["metadata.jsonl"]


def state(folder: Path, card: str = "README.md") -> str:
    head, _, _ = (folder / card).read_text().removeprefix("---\n").partition("---\n")
    (config,) = yaml.safe_load(head)["configs"]
    return str(config["description"])


def test_the_card_of_other_content_is_another(results: Path, tmp_path: Path) -> None:
    """`datasets` knows what it has read of a folder again by its name and by this alone."""
    note = results / "checksums/clips/talk1.csv"
    note.parent.mkdir(parents=True)
    note.write_text("path,size,crc32\nclips/talk1/x.mp4,1,00000001\n")
    told = [state(export(results, tmp_path))]
    assert told[0].startswith("3 clips, ")
    assert told[0] == state(export(results, tmp_path), "audio/README.md")
    told.append(state(export(results, tmp_path, features=["pose"])))
    set_cells(results, TRAIN, identity="somebody else")
    told.append(state(export(results, tmp_path)))
    note.write_text("path,size,crc32\nclips/talk1/x.mp4,1,00000002\n")
    told.append(state(export(results, tmp_path)))
    write_dataset(results, (CLIPS[0], CLIPS[2]))
    told.append(state(export(results, tmp_path)))
    assert len(set(told)) == len(told) == 5
    assert state(export(results, tmp_path)) == told[-1]


@pytest.mark.parametrize("column", ["video", "audio"])
def test_a_row_leads_to_its_file(finished: Path, tmp_path: Path, column: str) -> None:
    folder = export(finished, tmp_path)
    suffix = {"video": "mp4", "audio": "wav"}[column]
    for split, names in SPLITS.items():
        listed = rows(folder, column, split)
        assert [row["clip_id"] for row in listed] == names
        for row in listed:
            path = folder / column / split / row["file_name"]
            source = finished / f"clips/{row['video_id']}/{row['clip_id']}.{suffix}"
            assert path.samefile(source)


def test_all_other_files_are_found_from_the_top(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path)
    for split in SPLITS:
        for row in rows(folder, "video", split):
            (clip,) = (clip for clip in CLIPS if clip.clip_id == row["clip_id"])
            with wave.open(str(folder / row["audio_path"])) as sound:
                assert sound.getframerate() == 16_000
                assert sound.readframes(sound.getnframes()) == clip.samples.tobytes()
            pose = np.load(folder / row["pose_path"])
            assert np.allclose(pose, clip.angles, atol=1e-5)
            others = {name for name in row if name.endswith("_path")}
            assert all((folder / row[name]).is_file() for name in others)
            assert others == {
                f"{name}_path"
                for name in (
                    "audio", "boxes", "landmarks", "landmarks68", "pose", "expression",
                    "background", "mfcc", "mel", "hubert",
                )
            }  # fmt: skip


def test_features_can_be_chosen(finished: Path, tmp_path: Path) -> None:
    folder = export(finished, tmp_path, ["pose"])
    assert {path.name for path in (folder / "features").iterdir()} == {"boxes", "pose"}
    (row,) = rows(folder, "audio", "validation")
    assert {name for name in row if name.endswith("_path")} == {
        "video_path", "boxes_path", "pose_path",
    }  # fmt: skip


def test_the_measures_are_those_of_the_dataset(finished: Path, tmp_path: Path) -> None:
    (row,) = rows(export(finished, tmp_path), "video", "validation")
    assert row["identity"] == "Böb/../Ünal"
    assert (row["n_frames"], row["duration_s"], row["width"]) == (170, 6.8, 256)
    assert row["probability"] == 0.9
    assert row["source"] == "talk2.mp4"


def test_a_column_has_one_type_in_both_splits(results: Path, tmp_path: Path) -> None:
    """The reader refuses splits of which one has a column empty, or dates in it, and the other
    numbers or texts."""
    nothing = float("nan")
    set_cells(results, TRAIN, offset=nothing, source="2021-05-04")
    set_cells(results, EVAL, speech_quality=nothing, identity="")
    folder = export(results, tmp_path)
    told = []
    for split in SPLITS:
        found: dict[str, set[str]] = {}
        for row in rows(folder, "video", split):
            for name, value in row.items():
                found.setdefault(name, set()).add(type(value).__name__)
        told.append(found)
    assert told[0] == told[1]
    assert all(len(types) == 1 for types in told[0].values())
    assert not {"speech_quality", "offset", "identity", "source"} & set(told[0])
    assert {"video_id", "sharpness", "crop"} <= set(told[0])


def test_a_number_that_one_clip_lacks_is_null(results: Path, tmp_path: Path) -> None:
    set_cells(results, slice(None), speech_quality=[np.nan, 3.25, 2.5])
    listed = rows(export(results, tmp_path), "video", "train")
    assert [row["speech_quality"] for row in listed] == [None, 3.25]


def test_a_video_called_like_a_split_stays_in_its_own(results: Path, tmp_path: Path) -> None:
    """`datasets` takes any folder called `test` for the split of that name, were it not for the
    card's patterns."""
    for product in products_of(["pose"]):
        source = results / product.path.format(video="talk1", clip=NAMES[0])
        named = NAMES[0].replace("talk1", "test")
        path = results / product.path.format(video="test", clip=named)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
    write_dataset(results, (replace(CLIPS[0], video="test"),), ("pose",))
    by_split = splits(export(results, tmp_path) / "README.md")
    assert {path.name for path in by_split.pop("train")} == {f"{named}.mp4", "metadata.jsonl"}
    assert by_split == {}


def test_a_side_without_clips_is_no_split(results: Path, tmp_path: Path) -> None:
    write_dataset(results, CLIPS[:2])
    folder = export(results, tmp_path)
    assert set(splits(folder / "README.md")) == {"train"}
    assert not (folder / "video/validation").exists()
    write_dataset(results, ())
    assert splits(export(results, tmp_path) / "README.md") == {}


def test_the_card_is_the_dataset_s_own(results: Path, tmp_path: Path) -> None:
    """With the files of the layout in the place of the dataset's."""
    card = (
        "---\nlicense: cc-by-4.0\nconfigs: []\n---\n# Faces of mine\n\n"
        "<!-- files -->\ntrain.csv lists them\n<!-- end of files -->\n\nGiven by friends.\n"
    )
    (results / "dataset/README.md").write_text(card)
    folder = export(results, tmp_path)
    for path in (folder / "README.md", folder / "audio/README.md"):
        text = path.read_text()
        assert yaml.safe_load(text.split("---\n")[1])["license"] == "cc-by-4.0"
        assert "# Faces of mine" in text
        assert "Given by friends." in text
        assert "train.csv" not in text
        assert set(splits(path)) == set(SPLITS)


def test_a_damaged_card_is_named(results: Path, tmp_path: Path) -> None:
    path = results / "dataset/README.md"
    path.write_text("# Faces\n")
    with pytest.raises(DamagedFile, match=f"{path}: damaged"):
        export(results, tmp_path)


def test_a_clip_of_which_a_file_is_gone_is_in_neither_list(results: Path, tmp_path: Path) -> None:
    (results / f"background/talk1/{NAMES[0]}.png").unlink()
    folder = export(results, tmp_path)
    for column in ("video", "audio"):
        assert [row["clip_id"] for row in rows(folder, column, "train")] == NAMES[1:2]
    assert not list(folder.rglob(f"{NAMES[0]}*"))
    assert read_frame(folder / "skipped.csv").clip_id.tolist() == [NAMES[0]]


def test_the_dataset_s_card_is_told_its_own_files(results: Path, tmp_path: Path) -> None:
    whole = (
        "---\nlicense: cc-by-4.0\nconfigs:\n- data_files: train.csv\n---\n\n# Talks\n\n"
        "<!-- files -->\nthe dataset's\n<!-- end of files -->\n\n## People\n"
    )
    (results / "dataset/README.md").write_text(whole)
    text = (export(results, tmp_path) / "README.md").read_text()
    assert text.startswith("---\nlicense: cc-by-4.0\n") and text.count("\n# ") == 1
    assert "path: video/train/**" in text and "train.csv" not in text
    assert "load_dataset" in text and "the dataset's" not in text and text.endswith("## People\n")
