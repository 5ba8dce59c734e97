"""The list of videos."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from talkingface.dataset.split import assign_splits
from talkingface.settings.schema import ConfigError, load_schema, open_validator, plain_checks
from talkingface.settings.videos import (
    describe_absent,
    list_video_ids,
    read_videos,
    refuse_vanished,
)


def write(folder: Path, *lines: str) -> Path:
    path = folder / "videos.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_rows_are_read_with_and_without_the_optional_columns(tmp_path: Path) -> None:
    path = write(tmp_path, "video_id,source", "-a_B9,x y.mp4", 'NA,"https://a/b?c,d"')
    optional = dict.fromkeys(["identity", "split", "video_stream", "audio_stream"])
    assert read_videos(path) == [
        {"video_id": "-a_B9", "source": "x y.mp4"} | optional,
        {"video_id": "NA", "source": "https://a/b?c,d"} | optional,
    ]
    path = write(tmp_path, "\ufeffsource,split,identity,video_id", "a.mp4, eval ,Zoë,v")
    given = {"video_id": "v", "source": "a.mp4", "identity": "Zoë", "split": "eval"}
    assert read_videos(path) == [optional | given]
    path = write(tmp_path, "video_id,source,audio_stream", "v,a.mp4,1")
    assert read_videos(path)[0] == optional | {"video_id": "v", "source": "a.mp4"} | {
        "audio_stream": "1"
    }


@pytest.mark.parametrize("number", ["-1", "1.5", "first", "1000"])
def test_streams_are_numbered_from_0(tmp_path: Path, number: str) -> None:
    path = write(tmp_path, "video_id,source,audio_stream", f"v,a.mp4,{number}")
    with pytest.raises(ConfigError, match=f"line 2: audio_stream.*{number}"):
        read_videos(path)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("../x,a.mp4,,", ["video_id", "'../x'"]),
        ("a b,a.mp4,,", ["video_id", "'a b'"]),
        (";rm,a.mp4,,", ["video_id", "';rm'"]),
        ("ä,a.mp4,,", ["video_id", "'ä'"]),
        (f"{'a' * 101},a.mp4,,", ["video_id"]),
        (",a.mp4,,", ["video_id: empty"]),
        ("b,,,", ["source: empty"]),
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


def test_of_thousands_of_bad_rows_the_first_are_listed(tmp_path: Path) -> None:
    rows = [f"v{number},x" if number % 4 == 0 else f"v {number},x" for number in range(8000)]
    path = write(tmp_path, "video_id,source", *rows)
    with pytest.raises(ConfigError) as refusal:
        read_videos(path)
    head, *lines = str(refusal.value).splitlines()
    assert head == f"{path}: 6,000 of 8,000 rows cannot be used; the first:"
    bad = [number + 2 for number in range(8000) if number % 4]
    assert [line.split(":")[0] for line in lines] == [f"  line {line}" for line in bad[:20]]


def test_no_row_of_a_good_list_is_a_case_for_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To ask the schema takes half a minute for a list of this length."""
    monkeypatch.setattr(Draft202012Validator, "iter_errors", None)
    rows = [
        f"v{number}-x_{number % 7},https://www.youtube.com/watch?v={number:011},"
        f"p{number // 5},{('', 'train', 'eval')[number // 5 % 3]}"
        for number in range(110_000)
    ]
    path = write(tmp_path, "video_id,source,identity,split", *rows)
    videos = read_videos(path)
    refuse_vanished(videos, tmp_path)
    assert len(videos) == len(assign_splits(videos, 0.1, 0)) == 110_000
    assert videos[-1] == {
        "video_id": "v109999-x_1",
        "source": "https://www.youtube.com/watch?v=00000109999",
        "identity": "p21999",
        "split": None,
        "video_stream": None,
        "audio_stream": None,
    }


CELLS = ["a", "A-b_9", "x y", "ä", "", "-", "train", "Train", "a\0b", "a\nb", "\x1f", "x" * 101]


def test_plain_checks_accept_what_the_schema_accepts() -> None:
    schema = load_schema("videos")
    checks, validator = plain_checks(schema), open_validator(schema)
    accepted = 0
    for name in schema["properties"]:
        for cell in CELLS:
            row = {"video_id": "a", "source": "b"} | {name: cell}
            assert checks[name](cell) == validator.is_valid(row), (name, cell)
            accepted += checks[name](cell)
    assert accepted > 15
    # A property may say more than they know.
    part = {"type": "string", "pattern": "a", "maxLength": 3}
    for unknown in (part, {"type": ["string", "null"]}, {"type": "integer"}):
        assert not plain_checks({"properties": {"x": unknown}})["x"]("a")


HEADERS = ["video_id", "video_id,source,who", "video_id,source,source", ""]


@pytest.mark.parametrize("header", HEADERS)
def test_a_bad_header_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        read_videos(write(tmp_path, header, "a,b"))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("video_id;source;identity", "separated by semicolons: save it with commas"),
        ("video_id\tsource", "separated by tabs: save it with commas"),
        ("video_id|source|split", "separated by bars: save it with commas"),
        ("Video_ID,source", r"small letters and _, without blanks: got 'Video_ID' for video_id"),
        ("video id, source", "got 'video id' for video_id"),
        ("video_id , Source ", "got 'video_id ' for video_id, 'Source ' for source"),
        ("video-id,source", "got 'video-id' for video_id"),
        ("talk1,https://x/y.mp4", "must have video_id, source .*; got talk1, https://x/y.mp4"),
        ("video_id,\x1b[2Jsource", r"must have video_id, source .*; got video_id, \?\[2Jsource$"),
        ("x" * 99_999, "must have video_id, source .*; got x{150}\\.\\.\\.x{50}$"),
    ],
)
def test_a_header_says_what_it_is(tmp_path: Path, header: str, words: str) -> None:
    path = write(tmp_path, header, "a,b")
    with pytest.raises(ConfigError, match=rf"^{path}: line 1: .*{words}"):
        read_videos(path)


def test_a_cell_without_end_is_named(tmp_path: Path) -> None:
    rows = [f"v{number},x{number}.mp4" for number in range(20_000)]
    path = write(tmp_path, "video_id,source", "first,a.mp4", 'open,"b.mp4', *rows)
    with pytest.raises(ConfigError, match=rf"^{path}: line 3: a cell of more than 131,072 .*quot"):
        read_videos(path)
    path = write(tmp_path, "video_id,source", "first,a.mp4", 'open,"b.mp4', *rows[:50])
    with pytest.raises(ConfigError) as refusal:
        read_videos(path)
    assert "line 3: source goes on over 51 lines: is a quotation mark not" in str(refusal.value)
    path = write(tmp_path, "video_id,source,identity", 'a b,x,"Ann', 'Lee"')
    with pytest.raises(ConfigError, match=r"line 2: identity goes(.|\n)*line 2: video_id: 'a b'"):
        read_videos(path)
    path = write(tmp_path, "video_id,source", f"first,{'x' * 140_000}")
    with pytest.raises(ConfigError, match=rf"^{path}: line 2: a cell of more than 131,072"):
        read_videos(path)


def test_long_cells_are_not_repeated_in_full(tmp_path: Path) -> None:
    path = write(tmp_path, "video_id,source,split", f"{'a' * 90_000},x,{'b' * 90_000}")
    with pytest.raises(ConfigError, match="line 2") as refusal:
        read_videos(path)
    assert len(str(refusal.value)) < 1500


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    path = write(tmp_path, "video_id,source,identity", 'a,x,"two\nlines"', "", "b b,y,")
    with pytest.raises(ConfigError, match="line 5: video_id: 'b b'"):
        read_videos(path)
    path.write_bytes(b"video_id,source\r\na,x\r\n\r\nb b,y\r\n")
    with pytest.raises(ConfigError, match="line 4: video_id: 'b b'"):
        read_videos(path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_named(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "videos.csv"
    path.write_text("video_id,source\na,a.mp4\n", encoding=encoding)
    with pytest.raises(ConfigError, match=rf"^{path}: UTF-16 text.*; save it as 'CSV UTF-8'"):
        read_videos(path)


@pytest.mark.parametrize(
    "row", [b"a\0,x.mp4,", b"a,x\0.mp4,", b"a,x.mp4,an\0n", b"\0" * 200_000 + b",,"]
)
def test_zeros_are_named_by_their_row(tmp_path: Path, row: bytes) -> None:
    path = tmp_path / "videos.csv"
    path.write_bytes(b"video_id,source,identity\nfirst,a.mp4,\n" + row + b"\n")
    with pytest.raises(ConfigError, match=rf"^{path}:\s+line 3: "):
        read_videos(path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(ConfigError, match=f"{name}: a folder or a pipe, not a file"):
            read_videos(tmp_path / name)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere.csv"):
        read_videos(tmp_path / "nowhere.csv")


def test_a_list_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "videos.csv"
    path.write_bytes("video_id,source,identity\na,a.mp4,Zoë\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"videos\.csv: not UTF-8 text .on line 2.; save it as"):
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
    for damaged in (b"", b"[]", b"{", b'{"a": 1}', b"\xff"):
        (tmp_path / "b.json").write_bytes(damaged)
        with pytest.raises(ConfigError, match="b.mp4"):
            refuse_vanished(videos, tmp_path)
    refuse_vanished(videos, tmp_path / "nowhere")


def test_of_a_disk_that_is_gone_the_first_files_are_named(tmp_path: Path) -> None:
    videos = [{"video_id": f"v{n}", "source": str(tmp_path / f"{n}.mp4")} for n in range(50)]
    for row in videos:
        (tmp_path / f"{row['video_id']}.json").write_text('{"status": "ok"}')
    with pytest.raises(ConfigError) as refusal:
        refuse_vanished(videos, tmp_path)
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1 + 20 + 1 and lines[-1] == "  and 30 more"


@pytest.mark.parametrize("content", [b"", b'{"status": "o', b"[1]", b"{}", b"\xff", b"[" * 5000])
def test_with_a_damaged_record_a_file_counts_as_used(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    videos = [{"video_id": "a", "source": str(tmp_path / "a.mp4")}]
    with pytest.raises(ConfigError, match=r"a\.mp4"):
        refuse_vanished(videos, tmp_path)
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


def test_a_list_of_nothing_and_files_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").touch()
    sources = ["a.mp4", "film/b.mp4", "https://example.org/c.mp4", "/no/such/d.mp4"]
    rows = [{"video_id": f"v{n}", "source": source} for n, source in enumerate(sources)]
    text = describe_absent(rows, "videos.csv")
    assert "2 of 4 videos" in text
    assert text.splitlines()[1:] == [f"  v1: {tmp_path}/film/b.mp4", "  v3: /no/such/d.mp4"]
    assert describe_absent([rows[0], rows[2]], "videos.csv") == ""
    assert describe_absent([], "list.csv").startswith("list.csv lists no video. ")
