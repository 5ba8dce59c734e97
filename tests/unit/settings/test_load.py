from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.paths import ROOT
from talkingface.settings.load import (
    ConfigError,
    check_config,
    describe_config,
    read_videos,
    refuse_vanished,
    settings_table,
)


def shipped() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def test_config_yaml_gives_every_default_of_the_schema() -> None:
    assert shipped() == check_config({})


def test_config_yaml_says_something_on_every_line() -> None:
    for line in (ROOT / "config.yaml").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            assert len(line.split("#", 1)[-1].split()) >= 2 and "#" in line, line


def test_readme_has_the_table_of_settings() -> None:
    readme = (ROOT / "README.md").read_text()
    assert settings_table() in readme, "run make docs"
    for key, _, description in describe_config():
        assert f"`{key}`" in readme
        assert len(description) > 15


def test_what_is_left_out_comes_from_the_defaults() -> None:
    config = check_config({"clips": {"size": 256}, "scenes": None})
    assert config["clips"]["size"] == 256
    assert config["clips"]["crop"] == "fixed"
    assert config["scenes"]["detector"] == "content"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"clip": {}}, ["clip", "unknown", "clips"]),
        ({"clips": {"sise": 1}}, ["clips.sise", "unknown", "size"]),
        ({"clips": {"crop": "round"}}, ["clips.crop", "'round'", "fixed, follow, none"]),
        ({"clips": {"size": 511}}, ["clips.size", "511"]),
        ({"features": ["landmark"]}, ["features", "'landmark'", "landmarks"]),
        ({"segments": {"min_frames": "many"}}, ["segments.min_frames", "many"]),
        ({"segments": {"min_frames": 100, "max_frames": 80}}, ["max_frames", "min_frames"]),
        ({"segments": {"trim_frames": 40}}, ["trim_frames", "min_frames"]),
        ({"segments": {"cut": "speech"}}, ["segments.cut", "'speech'", "track, speaking"]),
        (
            {"segments": {"cut": "speaking"}, "sync": {"backend": "none"}},
            ["segments.cut", "sync.backend", "motion", "syncnet"],
        ),
        ({"split": 3}, ["split", "3"]),
        ({"tracks": {"max_gap": 3}}, ["tracks.max_gap", "tracks.every"]),
        ({"download": {"cookies": "nowhere.txt"}}, ["download.cookies", "/nowhere.txt"]),
    ],
)
def test_refusals_name_the_key_and_what_is_allowed(
    config: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as refusal:
        check_config(config)
    for word in words:
        assert word in str(refusal.value)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "videos.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_rows_are_read_with_and_without_the_optional_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "video_id,source", "-a_B9,x y.mp4", 'NA,"https://a/b?c,d"')
    assert read_videos(path) == [
        {"video_id": "-a_B9", "source": "x y.mp4", "identity": None, "split": None},
        {"video_id": "NA", "source": "https://a/b?c,d", "identity": None, "split": None},
    ]
    path = write(tmp_path, "\ufeffsource,split,identity,video_id", "a.mp4, eval ,Zoë,v")
    assert read_videos(path) == [
        {"video_id": "v", "source": "a.mp4", "identity": "Zoë", "split": "eval"}
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("../x,a.mp4,,", ["video_id", "'../x'"]),
        ("a b,a.mp4,,", ["video_id", "'a b'"]),
        (";rm,a.mp4,,", ["video_id", "';rm'"]),
        ("ä,a.mp4,,", ["video_id", "'ä'"]),
        (f"{'a' * 101},a.mp4,,", ["video_id"]),
        (",a.mp4,,", ["video_id", "must be given"]),
        ("b,,,", ["source", "must be given"]),
        ("b,b.mp4,,test", ["split", "'test'", "train, eval"]),
        ("b,b.mp4,,,more", ["more cells than the header has"]),
        ("First,b.mp4,,", ["line 2", "'First'"]),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, words: list[str]) -> None:
    path = write(tmp_path, "video_id,source,identity,split", "first,a.mp4,,", row)
    with pytest.raises(ConfigError) as refusal:
        read_videos(path)
    for word in [str(path), "line 3", *words]:
        assert word in str(refusal.value)


def test_all_bad_rows_are_listed_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "video_id,source", "a b,x", "ok,y", "c d,z")
    with pytest.raises(ConfigError) as refusal:
        read_videos(path)
    assert "line 2" in str(refusal.value) and "line 4" in str(refusal.value)
    assert "line 3" not in str(refusal.value)


HEADERS = ["video_id", "video_id,source,who", "video_id,source,source", ""]


@pytest.mark.parametrize("header", HEADERS)
def test_a_bad_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        read_videos(write(tmp_path, header, "a,b"))


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere.csv"):
        read_videos(tmp_path / "nowhere.csv")


def test_a_list_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "videos.csv"
    path.write_bytes("video_id,source,identity\na,a.mp4,Zoë\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"videos\.csv: not UTF-8"):
        read_videos(path)


def test_files_that_were_used_and_are_gone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"status": "ok"}')
    (tmp_path / "b.json").write_text('{"status": "missing"}')
    videos = [
        {"video_id": name, "source": str(tmp_path / f"{name}.mp4")} for name in ("a", "b", "c")
    ]
    with pytest.raises(ConfigError) as refusal:
        refuse_vanished(videos, tmp_path)
    assert "a.mp4" in str(refusal.value)
    assert "b.mp4" not in str(refusal.value) and "c.mp4" not in str(refusal.value)
    (tmp_path / "a.mp4").touch()
    refuse_vanished(videos, tmp_path)
