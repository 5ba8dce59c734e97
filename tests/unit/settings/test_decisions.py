"""What a person decided about single clips."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from talkingface.settings import lists
from talkingface.settings.decisions import (
    Decision,
    describe_unknown,
    kept_by_hand,
    read_decisions,
    without_clips,
)
from talkingface.settings.schema import ConfigError, load_schema, open_validator, plain_checks

ONE, TWO = "talk-1_000000_000100_00", "a_b_000100_1000000_101"


def write(folder: Path, *lines: str) -> Path:
    path = folder / "decisions.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_rows_are_read_with_and_without_notes(tmp_path: Path) -> None:
    path = write(tmp_path, "clip_id,decision,note", f'{ONE},keep,"Zoë, ""live"""', f"{TWO},,só so")
    assert read_decisions(path) == {
        ONE: Decision("keep", 'Zoë, "live"'),
        TWO: Decision("", "só so"),
    }
    path = write(tmp_path, "\ufeffdecision , clip_id".replace(" ", ""), f"reject, {TWO} ", "")
    assert read_decisions(path) == {TWO: Decision("reject", "")}
    assert read_decisions(write(tmp_path, "clip_id,decision,note")) == {}


def test_where_there_is_no_file_nothing_is_decided(tmp_path: Path) -> None:
    assert read_decisions(tmp_path / "decisions.csv") == {}
    # On a disk that is not there, what was kept by hand would be forgotten.
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(ConfigError, match=r"link: a link to .*elsewhere\.csv, which is not there"):
        read_decisions(tmp_path / "link")


def test_notes_are_text_on_one_line(tmp_path: Path) -> None:
    """An apostrophe that keeps a spreadsheet from reading a formula is no part of the note."""
    notes = {
        "'=SUM(A1)": "=SUM(A1)",
        "'+1": "+1",
        "''-x": "'-x",
        "'tis": "'tis",
        "=1": "=1",
        "<b>a</b>\x1b[31m\u202e b": "<b>a</b> b",
        "x" * 600: "x" * 497 + "...",
    }
    rows = [f"v_{k:06d}_000100_00,keep,{note}" for k, note in enumerate(notes)]
    read = read_decisions(write(tmp_path, "clip_id,decision,note", *rows))
    assert [note for _, note in read.values()] == list(notes.values())
    # A name may begin with a hyphen.
    path = write(tmp_path, "clip_id,decision", f"'-{ONE},keep")
    assert read_decisions(path) == {f"-{ONE}": Decision("keep")}


def test_several_rows_of_a_clip_are_one(tmp_path: Path) -> None:
    path = write(
        tmp_path, "clip_id,decision,note",
        f"{ONE},,dark", f"{ONE},keep,", f"{TWO},reject,a\x07", f"{TWO},reject,a\x07",
        f"{ONE},,loud",
    )  # fmt: skip
    assert read_decisions(path) == {
        ONE: Decision("keep", "dark; loud"),
        TWO: Decision("reject", "a"),
    }


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"{TWO},maybe,", ["decision: got 'maybe'", "keep, reject"]),
        (f"{TWO},Keep,", ["decision: got 'Keep'"]),
        (",keep,", ["clip_id: empty"]),
        (",,a note", ["clip_id: empty"]),
        ("talk1,keep,", ["clip_id", "'talk1'"]),
        ("../x_000000_000100_00,keep,", ["clip_id"]),
        (f"{TWO},keep,,more", ["more cells than the header has"]),
        (f"{ONE},reject,", [f"{ONE!r}: 'reject', but 'keep' on line 2", "has to go"]),
        (f'{TWO},keep,"two\nlines"', ["note goes on over 2 lines: is a quotation mark not"]),
        (f'{TWO},keep,"open\n{ONE},reject,', ["note goes on over 2 lines"]),
        (f"{TWO},keep,a\0b", []),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, words: list[str]) -> None:
    path = write(tmp_path, "clip_id,decision,note", f"{ONE},keep,", row)
    with pytest.raises(ConfigError) as refusal:
        read_decisions(path)
    for word in [f"{path}:", "line 3: ", *words]:
        assert word in str(refusal.value)
    assert len(str(refusal.value)) < 1000


def test_all_bad_rows_are_listed_at_once_of_many_the_first(tmp_path: Path) -> None:
    path = write(tmp_path, "clip_id,decision", "x,keep", f"{ONE},keep", f"{TWO},no")
    with pytest.raises(ConfigError) as refusal:
        read_decisions(path)
    assert [line.split(":")[0] for line in str(refusal.value).splitlines()[1:]] == [
        "  line 2", "  line 4",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="5,000 of 5,000 rows cannot be used; the first:"):
        read_decisions(write(tmp_path, "clip_id,decision", *["x,keep"] * 5000))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("clip_id", "must have clip_id, decision and may have note"),
        ("clip_id,decision,why", "got clip_id, decision, why"),
        ("clip_id;decision", "separated by semicolons: save it with commas"),
        ("Clip_ID,decision", "got 'Clip_ID' for clip_id"),
        ("", "got nothing"),
    ],
)
def test_a_bad_header_is_refused(tmp_path: Path, header: str, words: str) -> None:
    path = write(tmp_path, header, f"{ONE},keep")
    with pytest.raises(ConfigError, match=rf"^{path}: line 1: .*{words}"):
        read_decisions(path)


def test_what_is_no_such_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "decisions.csv"
    path.write_bytes(f"clip_id,decision,note\n{ONE},keep,Zoë\n".encode("latin-1"))
    with pytest.raises(ConfigError, match=r"not UTF-8 text .on line 2.; save it as 'CSV UTF-8'"):
        read_decisions(path)
    path.write_text("clip_id,decision\n", encoding="utf-16")
    with pytest.raises(ConfigError, match="UTF-16 text"):
        read_decisions(path)
    monkeypatch.setattr(lists, "MOST_BYTES", 30)
    with pytest.raises(ConfigError, match="longer than 30 bytes"):
        read_decisions(write(tmp_path, "clip_id,decision", f"{ONE},keep"))
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="a folder or a pipe, not a file. It lists what was dec"):
        read_decisions(path)


def test_no_row_of_a_good_list_is_a_case_for_the_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every job reads the list, and the schema takes seconds for one of this length."""
    monkeypatch.setattr(Draft202012Validator, "iter_errors", None)
    rows = [f"v{k}_000000_000100_00,{('keep', 'reject', '')[k % 3]},of {k}" for k in range(20_000)]
    read = read_decisions(write(tmp_path, "clip_id,decision,note", *rows))
    assert len(read) == 20_000
    assert len(kept_by_hand(read)) == 6_667
    assert kept_by_hand(read)["v3_000000_000100_00"] == "of 3"


CELLS = [ONE, TWO, "keep", "reject", "Keep", "a note", "a\nb", "a\r", "a\0", "", "v_1_2_3", "ä"]


def test_plain_checks_accept_what_the_schema_accepts() -> None:
    schema = load_schema("decisions")
    checks, validator = plain_checks(schema), open_validator(schema)
    for name in schema["properties"]:
        accepted = [cell for cell in CELLS if checks[name](cell)]
        assert accepted == [
            cell for cell in CELLS if validator.is_valid({"clip_id": ONE} | {name: cell})
        ]
        assert 0 < len(accepted) < len(CELLS)


def test_rows_of_videos_go_and_the_rest_stays_byte_for_byte() -> None:
    """`a_000000` is another video than `a`."""
    given = (
        '\ufeffnote,clip_id,decision\r\n"x, y",a_000000_000100_00,keep\n'
        f' z ,a_000000_000000_000100_00,\r\n=1, \'-a_000000_000100_00 ,reject\n"",{TWO},keep'
    ).encode()
    left = given.replace(b'"x, y",a_000000_000100_00,keep\n', b"")
    assert without_clips(given, ["a"]) == left
    assert without_clips(given, ["-a", "a_b"]) == given[: given.index(b"=1")]
    assert without_clips(given, ["v"]) == given


def test_of_unknown_clips_the_first_are_named() -> None:
    assert describe_unknown([ONE]).startswith(
        f"decided by hand, but there are no such clips (1): {ONE}. "
    )
    text = describe_unknown([f"v{k}" for k in range(12)])
    assert "(12): v0, v1, " in text and "v9, ..." in text and "v10" not in text
    assert "\n" not in text
