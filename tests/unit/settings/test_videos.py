"""The list of videos."""

from __future__ import annotations

from pathlib import Path

import pytest

from talkingface.settings.schema import ConfigError
from talkingface.settings.videos import list_video_ids, read_videos, refuse_vanished


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
        # What Snakemake takes for a circle.
        (f"{'a' * 25},b.mp4,,", ["'aaaaa", "'a'"]),
        (f"x{'ab-' * 20},b.mp4,,", ["'ab-' twenty times"]),
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


def test_the_names_alone_are_listed_without_a_check(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffsource,video_id", "x.mp4, a ", "y.mp4,b/c", ",", "z.mp4,")
    assert list_video_ids(path) == ["a", "b/c"]


def test_names_that_only_look_repeated_are_taken(tmp_path: Path) -> None:
    names = ["a" * 19, "a" * 20 + "b", "ab" * 19, "12345" * 19]
    path = write(tmp_path, "video_id,source", *(f"{name},a.mp4" for name in names))
    assert [row["video_id"] for row in read_videos(path)] == names


def test_identities_are_one_clean_short_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "video_id,source,identity",
        "a,a.mp4,\x1b[31mAnn\u202e",
        'b,b.mp4,"Ann\nLee"',
        f"c,c.mp4,{'x' * 600}",
        "d,d.mp4,\u200b",
    )
    identities = [row["identity"] for row in read_videos(path)]
    assert identities == ["Ann", "Ann Lee", "x" * 497 + "...", None]


def test_a_path_that_cannot_be_looked_at_is_as_good_as_gone(tmp_path: Path) -> None:
    videos = [{"video_id": "a", "source": str(tmp_path / ("x" * 300))}]
    refuse_vanished(videos, tmp_path)
    (tmp_path / "a.json").write_text('{"status": "ok"}')
    with pytest.raises(ConfigError, match="gone"):
        refuse_vanished(videos, tmp_path)
