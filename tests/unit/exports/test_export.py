"""What all exports share: links, skipped clips, names, what is refused."""

from __future__ import annotations

import importlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from helpers.exports import make_stage
from helpers.small_results import CLIPS, FEATURES, write_dataset
from helpers.tables import read_frame
from talkingface.exports.aniportrait import make_aniportrait
from talkingface.exports.export import make_export
from talkingface.exports.export_clips import folder_name, read_export_clips, speaker_names
from talkingface.exports.table import EXPORTS, Export, check_exports, followed_exports
from talkingface.exports.tree import Tree
from talkingface.job.tables import OtherColumns
from talkingface.settings.load import check_config
from talkingface.settings.schema import ConfigError, load_schema
from talkingface.stages import FEATURES as STAGE_FEATURES
from talkingface.stages import STAGES

NAME = "talking_face_preprocessing"
NAMES = [clip.clip_id for clip in CLIPS]
SHM = Path("/dev/shm")


def export(results: Path) -> Path:
    folder = results / "exports" / NAME
    make_export(NAME, results, folder, {})
    return folder


def all_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_are_links_of_the_dataset_s(results: Path) -> None:
    folder = export(results)
    for clip in CLIPS:
        made = folder / f"audios/audios_16k/{clip.clip_id}.wav"
        assert made.samefile(results / f"clips/{clip.video}/{clip.clip_id}.wav")
        assert not made.is_symlink()
    record = json.loads((folder / "export.json").read_text())
    assert record["made_of"] == ["hard links"]
    assert (record["clips"], record["skipped"]) == (3, 0)


def test_an_export_outlives_the_results(results: Path) -> None:
    folder = export(results)
    shutil.rmtree(results / "clips")
    assert all((folder / f"videos/videos_25fps/{name}.mp4").stat().st_size > 1000 for name in NAMES)


def test_what_left_the_dataset_leaves_the_export(results: Path) -> None:
    folder = export(results)
    before = all_files(folder)
    write_dataset(results, CLIPS[:2])
    export(results)
    gone = before - all_files(folder)
    assert gone
    assert all(CLIPS[2].clip_id in path for path in gone)
    assert not any("talk2" in path.read_text("latin-1") for path in folder.rglob("*.txt"))
    write_dataset(results, CLIPS)
    export(results)
    assert all_files(folder) == before


def test_a_clip_whose_file_is_gone_is_skipped(
    results: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = results / f"pose/talk1/{NAMES[1]}.npy"
    gone.unlink()
    folder = export(results)
    table = read_frame(folder / "skipped.csv")
    assert table.clip_id.tolist() == [NAMES[1]]
    assert table.needed[0] == f"pose/talk1/{NAMES[1]}.npy"
    assert f"{gone} is gone: run snakemake again" in caplog.text
    assert (folder / "train.txt").read_text().split() == [NAMES[0]]


@pytest.mark.parametrize("wrong", ["lost", "added"])
@pytest.mark.parametrize(
    "name", ["aniportrait", "liveportrait_train", "talking_face_preprocessing", "webdataset"]
)
def test_a_clip_with_other_pictures_than_frames_is_skipped(
    results: Path, caplog: pytest.LogCaptureFixture, name: str, wrong: str
) -> None:
    """All behind a lost picture would be taken for those of the frames before."""
    pictures = results / f"frames/talk1/{NAMES[1]}"
    if wrong == "lost":
        (pictures / "000005.png").unlink()
    else:
        (pictures / ".DS_Store").touch()
    if name in STAGES:
        make_stage(results, name, make_aniportrait)
    settings: dict[str, object] = {}
    if name == "webdataset":
        settings = {"max_shard": 1e9, "features": ["frames"]}
    folder = results / f"exports/{name}"
    make_export(name, results, folder, settings)
    table = read_frame(folder / "skipped.csv")
    found = table[table.condition == "files of frames"]
    count = "89" if wrong == "lost" else "91"
    assert [tuple(row) for row in found.values] == [(NAMES[1], "files of frames", count, "90")]
    assert f"{pictures}: damaged ({count} files)" in caplog.text
    assert not [path for path in folder.rglob("*") if NAMES[1] in path.as_posix()]


def test_a_dataset_of_another_version_is_refused(results: Path) -> None:
    path = results / "dataset/clips.csv"
    path.write_text(path.read_text().replace("start_frame", "begin", 1))
    with pytest.raises(OtherColumns, match=f"{path}: its columns"):
        export(results)
    assert not (results / "exports" / NAME).exists()


def test_a_product_of_another_version_is_refused(results: Path) -> None:
    path = results / "dataset/clips.csv"
    path.write_text(path.read_text().replace(",hubert\n", ",gaze\n", 1))
    with pytest.raises(OtherColumns, match="it has gaze"):
        export(results)


@pytest.mark.skipif(not SHM.is_dir(), reason="no second file system here")
def test_a_disk_that_cannot_have_the_links_gets_symbolic_ones(results: Path) -> None:
    """Hard links do not reach over to another file system, where /dev/shm is."""
    other = SHM / f"talkingface-{os.getpid()}"
    other.mkdir()
    try:
        assert other.stat().st_dev != results.stat().st_dev
        (results / "exports").symlink_to(other)
        folder = export(results)
        made = folder / f"audios/audios_16k/{NAMES[0]}.wav"
        assert made.is_symlink()
        assert made.samefile(results / f"clips/talk1/{NAMES[0]}.wav")
        record = json.loads((folder / "export.json").read_text())
        assert record["made_of"] == ["symbolic links"]
    finally:
        shutil.rmtree(other)


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    tree = Tree(tmp_path, tmp_path)
    tree.write_text("a/b.txt", "")
    with pytest.raises(ValueError, match="'a/b.txt': two"):
        tree.write_text("a/b.txt", "")


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "a/../../b", "a//b", ""])
def test_no_name_leads_out_of_an_export(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no path inside"):
        Tree(tmp_path / "tree", tmp_path).path(name)


def test_pictures_get_their_new_names(results: Path, tmp_path: Path) -> None:
    tree = Tree(tmp_path / "tree", tmp_path / "final")
    clip = read_export_clips(results)[0]
    count = tree.link_folder(clip.path("frames"), "x", lambda name: f"{int(name[:6]) - 1}.png")
    assert count == 60
    assert {path.name for path in (tmp_path / "tree/x").iterdir()} == {
        f"{k}.png" for k in range(60)
    }
    assert tree.absolute("x/0.png") == str(tmp_path / "final/x/0.png")


def test_clips_know_what_was_made_of_them(results: Path) -> None:
    write_dataset(results, CLIPS, tuple(name for name in FEATURES if name != "hubert"))
    clips = read_export_clips(results)
    assert [clip.clip_id for clip in clips] == NAMES
    assert [clip.side for clip in clips] == ["train", "train", "eval"]
    assert [clip.n_frames for clip in clips] == [60, 90, 170]
    assert clips[0].has("mel")
    assert not clips[0].has("hubert")
    assert clips[2].path("frames") == results / f"frames/talk2/{NAMES[2]}"


def test_names_of_speakers_are_safe_and_nobody_else_s() -> None:
    names = speaker_names(
        [("v1", "alice"), ("v2", "Alice"), ("v3", "../../etc"), ("v4", "Böb Ünal"), ("v5", ""),
         ("v6", "李"), ("v7", "王"), ("v8", "alice"), ("v9", "a" * 300)]
    )  # fmt: skip
    assert names["v1"] == names["v8"] == "alice"
    assert names["v5"] == "v5"
    assert names["v4"].startswith("Bob_Unal-")
    different = [name.casefold() for video, name in names.items() if video != "v8"]
    assert len(set(different)) == 8
    assert all(name.replace("-", "").replace("_", "").isalnum() for name in names.values())
    assert all(name.isascii() and len(name) < 80 for name in names.values())
    assert folder_name("Alice") == names["v2"]


def test_a_video_called_like_somebody_else_is_nobody_of_theirs() -> None:
    """Without an identity it is on a side of its own, so it must not pass for that person."""
    names = speaker_names([("ann", ""), ("v1", "ann"), ("Ben", ""), ("v2", "Ben"), ("v3", "")])
    assert names["v1"] == "ann" and names["v2"] == folder_name("Ben") and names["v3"] == "v3"
    assert len({name.casefold() for name in names.values()}) == 5
    assert names["ann"].startswith("video_ann-")


def test_exports_with_absolute_paths_are_told_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule has the place among its params, so a copied workspace has lists of its own."""
    monkeypatch.chdir(tmp_path)
    folder = Path(importlib.import_module("talkingface.exports").__path__[0])
    for name, entry in EXPORTS.items():
        absolute = ".absolute(" in (folder / f"{name}.py").read_text()
        assert entry.place == (str(tmp_path / "results/exports" / name) if absolute else None)


def test_what_an_export_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    config = check_config({"features": ["landmarks", "mel"]})
    with pytest.raises(ConfigError, match=r"needs pose: features: \[landmarks, mel, pose\]"):
        check_exports([NAME], config)
    check_exports([], config)


def test_an_export_that_is_there_follows_the_dataset(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = check_config({})
    assert followed_exports(tmp_path / "none", config) == []
    (tmp_path / NAME).mkdir()
    (tmp_path / ".partial-wav2lip").mkdir()
    assert followed_exports(tmp_path, config) == [NAME]
    assert followed_exports(tmp_path, config | {"exports": [NAME]}) == [NAME]
    assert not caplog.messages
    assert followed_exports(tmp_path, config | {"features": []}) == []
    (message,) = caplog.messages
    assert f"{tmp_path / NAME} stays as it is" in message
    assert "needs landmarks, pose" in message


@pytest.mark.parametrize("export", EXPORTS.values(), ids=EXPORTS)
def test_an_export_is_refused_without_a_feature_that_it_needs(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = check_config({"features": list(STAGE_FEATURES)})
    assert export.faults(config) == []
    for name in export.needs:
        others = [feature for feature in STAGE_FEATURES if feature != name]
        (fault,) = export.faults(config | {"features": others})
        assert fault.startswith(f"export {export.name} needs {name}: features: [")


@pytest.mark.parametrize(
    ("export", "key", "allowed"),
    [(export, key, allowed) for export in EXPORTS.values() for key, allowed in export.settings],
)
def test_an_export_is_refused_with_a_setting_that_it_cannot_be_made_with(
    export: Export, key: str, allowed: tuple[Any, ...]
) -> None:
    section, name = key.split(".")
    config = check_config({"features": list(STAGE_FEATURES)})
    choices = load_schema("config")["properties"][section]["properties"][name]["enum"]
    assert {*allowed} < {*choices}
    for value in choices:
        faults = export.faults(config | {section: config[section] | {name: value}})
        assert bool(faults) == (value not in allowed)
        assert all(f"needs {key}: " in fault for fault in faults)
