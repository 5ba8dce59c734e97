"""Marks: by keys and buttons, remembered, saved as decisions.csv and read again."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from talkingface.report.javascript import write_data
from talkingface.settings.decisions import read_decisions
from talkingface.text import plain_cell

from .conftest import Open, watched
from .test_clips import PHONE, names

NOTES = (
    'commas, "quotes", and more',
    "two\nlines, and\n\na third",
    "=1+1",
    "'=1+1",
    "@SUM(A1)",
    "<script>document.title='harmed'</script>",
    "it's plain, ünïcode 说话",
    " -1 with a blank before",
)


def saved(page: Page) -> str:
    """The content of decisions.csv as the page saves it now."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save decisions.csv").click()
    assert waiting.value.suggested_filename == "decisions.csv"
    return Path(waiting.value.path()).read_bytes().decode()


def rows_of(content: str) -> list[tuple[str, ...]]:
    """Rows of a decisions.csv, with apostrophes against formulas gone, as a run reads them."""
    rows = list(csv.reader(content.splitlines(keepends=True)))
    assert rows[0] == ["clip_id", "decision", "note"]
    return [tuple(map(plain_cell, row)) for row in rows[1:]]


def focus(page: Page, place: int) -> None:
    page.locator(f'[data-place="{place}"] a').focus()


def write_note(page: Page, place: int, note: str) -> None:
    focus(page, place)
    page.keyboard.press("n")
    page.locator("textarea").fill(note)
    page.keyboard.press("Enter")
    expect(page.locator("textarea")).to_have_count(0)


def obeyed(root: Path, decisions: dict[str, Any]) -> None:
    """As if the run of the report in `root` had obeyed these decisions."""
    path = root / "results/report/data/run.js"
    literal = re.search(r"JSON\.parse\((.*)\)\);", path.read_text(), re.DOTALL)
    assert literal
    run = json.loads(json.loads(literal[1])) | {"decisions": decisions}
    write_data("run", run, path)


@pytest.fixture
def own(middle: Path, tmp_path: Path) -> Path:
    """A copy of the report of `middle`, to change."""
    shutil.copytree(middle / "results/report", tmp_path / "results/report")
    (tmp_path / "results/preview").symlink_to(middle / "results/preview")
    return tmp_path


def test_what_is_marked_is_saved_and_read_again(
    open_report: Open, middle: Path, tmp_path: Path
) -> None:
    page = open_report(middle, "#clips")
    clips = names(page, len(NOTES) + 2)
    for place, note in enumerate(NOTES):
        write_note(page, place, note)
    for place in range(0, len(NOTES), 3):
        focus(page, place)
        page.keyboard.press("k")
    focus(page, len(NOTES))
    page.keyboard.press("r")
    page.locator(f'[data-place="{len(NOTES) + 1}"]').get_by_role("button", name="reject").click()
    content = saved(page)
    wanted = [
        # A run has notes on one line, and so has the page.
        (clip, "keep" if place % 3 == 0 else "", " ".join(note.split()))
        for place, (clip, note) in enumerate(zip(clips, NOTES, strict=False))
    ]
    wanted += [(clip, "reject", "") for clip in clips[len(NOTES) :]]
    assert rows_of(content) == sorted(wanted)
    # No cell is a formula of a spreadsheet.
    cells = [cell for row in csv.reader(content.splitlines(keepends=True)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]

    path = tmp_path / "decisions.csv"
    path.write_bytes(content.encode())
    other = open_report(middle, "#clips")
    assert other.locator('[aria-pressed="true"]:is(.keep, .reject)').count() == 0
    other.locator("input[type=file]").set_input_files(path)
    expect(other.locator(".said")).to_contain_text(f"{len(wanted)} decisions read")
    assert saved(other) == content


def test_marks_are_remembered_and_taken_back(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    clips = names(page, 3)
    focus(page, 0)
    for key in ("k", "j", "r", "j", "k", "Backspace"):
        page.keyboard.press(key)
    keep = page.locator('[data-place="0"] .keep')
    expect(keep).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(keep).to_have_attribute("aria-pressed", "true")
    assert rows_of(saved(page)) == [(clips[0], "keep", ""), (clips[1], "reject", "")]
    focus(page, 1)
    page.keyboard.press("k")
    page.keyboard.press("u")
    expect(page.locator('[data-place="1"] .reject')).to_have_attribute("aria-pressed", "true")
    # The same key again takes the decision off.
    page.keyboard.press("r")
    page.get_by_role("button", name="Undo").click()
    page.keyboard.press("Tab")
    keep.click()
    assert rows_of(saved(page)) == [(clips[1], "reject", "")]


def test_earlier_decisions_stay_unless_they_are_changed(open_report: Open, own: Path) -> None:
    page = open_report(own, "#clips")
    clips = sorted(names(page, 3))
    gone = "a_clip_000000_000100_00"
    before = {
        gone: {"decision": "reject", "note": "of other settings"},
        clips[0]: {"decision": "keep", "note": "good"},
        clips[1]: {"decision": "reject", "note": ""},
        clips[2]: {"decision": "", "note": "only seen"},
    }
    obeyed(own, before)
    page = open_report(own, "#clips?decision=reject&decision=keep&decision=note&sort=clip_id")
    assert names(page, 3) == clips
    expect(page.locator(".markbar")).to_contain_text("1 keep, 2 reject, 1 only a note")
    expect(page.locator(".markbar")).to_contain_text("1 mark is of clips that this report does")
    focus(page, 1)
    page.keyboard.press("k")
    focus(page, 2)
    page.keyboard.press("Backspace")
    expect(page.locator(".found strong")).to_have_text("2")
    assert rows_of(saved(page)) == [
        (gone, "reject", "of other settings"),
        (clips[0], "keep", "good"),
        (clips[1], "keep", ""),
    ]


def test_a_file_changed_after_it_was_saved_goes_before_the_browser(
    browser: Browser, own: Path
) -> None:
    with watched(browser) as found:
        page = found.page
        page.goto((own / "results/report/index.html").as_uri() + "#clips")
        page.wait_for_selector("[data-place]")
        first, second, third = names(page, 3)
        for place in range(3):
            focus(page, place)
            page.keyboard.press("k")
        saved(page)
        focus(page, 1)
        page.keyboard.press("r")
        # The first was changed by hand in the file, the second in the page since it was saved, and
        # the third was not changed.
        obeyed(
            own,
            {
                first: {"decision": "reject", "note": "by hand"},
                second: {"decision": "keep", "note": ""},
                third: {"decision": "keep", "note": ""},
            },
        )
        page.reload()
        page.wait_for_selector("[data-place]")
        assert rows_of(saved(page)) == sorted(
            [(first, "reject", "by hand"), (second, "reject", ""), (third, "keep", "")]
        )


def test_a_page_from_before_a_run_keeps_what_that_obeyed(browser: Browser, own: Path) -> None:
    with watched(browser) as found:
        before = found.page
        url = (own / "results/report/index.html").as_uri() + "#clips"
        before.goto(url)
        before.wait_for_selector("[data-place]")
        first, second = names(before, 2)
        focus(before, 0)
        before.keyboard.press("k")
        saved(before)
        obeyed(own, {first: {"decision": "keep", "note": ""}})
        after = before.context.new_page()
        after.goto(url)
        after.wait_for_selector("[data-place]")
        # What is marked in one is seen in the other, so it knows what this has remembered.
        focus(after, 1)
        after.keyboard.press("r")
        expect(before.locator('[data-place="1"] .reject')).to_have_attribute("aria-pressed", "true")
        expect(before.locator('[data-place="0"] .keep')).to_have_attribute("aria-pressed", "true")
        assert rows_of(saved(before)) == sorted([(first, "keep", ""), (second, "reject", "")])


def test_what_is_marked_can_be_filtered(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips?decision=")
    expect(page.locator(".found strong")).to_have_text("144")
    clips = names(page, 3)
    focus(page, 0)
    page.keyboard.press("r")
    # The next clip takes its place, with the focus, so that one key after the other decides.
    expect(page.locator(".found strong")).to_have_text("143")
    expect(page.locator('[data-place="0"] .clip-name')).to_have_attribute("title", clips[1])
    expect(page.locator('[data-place="0"] a')).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(".found strong")).to_have_text("142")
    assert rows_of(saved(page)) == [(clips[0], "reject", ""), (clips[1], "keep", "")]
    write_note(page, 0, "seen & heard")
    page.evaluate("location.hash = '#clips?note=seen+%26+heard&note=other'")
    expect(page.locator(".found strong")).to_have_text("1")
    assert names(page, 1) == [clips[2]]


def test_rows_without_a_name_cannot_be_marked(open_report: Open, small: Path) -> None:
    page = open_report(small, "#clips?kind=gap&kind=video")
    expect(page.locator('[data-place="1"]')).to_be_visible()
    assert page.locator(".rows .marks").count() == 0
    focus(page, 0)
    for key in ("k", "r", "n", "Backspace"):
        page.keyboard.press(key)
    expect(page.locator(".markbar")).to_contain_text("0 keep, 0 reject, 0 only a note")


def test_a_browser_that_remembers_nothing_says_so(browser: Browser, middle: Path) -> None:
    with watched(browser) as found:
        found.page.add_init_script(
            "Storage.prototype.setItem = () => { throw new DOMException('full'); };"
        )
        found.page.goto((middle / "results/report/index.html").as_uri() + "#clips")
        found.page.wait_for_selector("[data-place]")
        focus(found.page, 0)
        found.page.keyboard.press("k")
        expect(found.page.get_by_role("alert")).to_contain_text("until the page is closed")
        assert len(rows_of(saved(found.page))) == 1


FAULTS = {
    "clip_id\na": "it has no columns clip_id and decision",
    "clip_id,decision\na,maybe\n": "line 2: the decision is neither",
    "clip_id,decision,note\na,keep,\"x\ny\"\n,reject,\n": "line 4: no clip_id",
    'clip_id,decision,note\na,keep,"x\n': "line 2: a quote is not closed",
    "clip_id,decision\na,keep\na,\na,reject\n": "line 4: a is decided twice",
    "clip_id,decision,note\na,keep,small, but sharp\n": "line 2: more cells than the header has",
    "clip_id;decision;note\na;keep;small\n": "its cells are separated by semicolons",
    b"clip_id,decision,note\na,keep,sch\xf6n\n": "it is not UTF-8 text",
    "\ufeffclip_id,decision\na,keep\n".encode("utf-16-le"): "it is not UTF-8 text",
}  # fmt: skip


@pytest.mark.parametrize("content", FAULTS)
def test_a_file_with_faults_changes_nothing(
    open_report: Open, middle: Path, tmp_path: Path, content: str | bytes
) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    page = open_report(middle, "#clips")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.locator(".said")).to_contain_text(f"mine.csv was not read: {FAULTS[content]}")
    expect(page.locator(".markbar")).to_contain_text("0 keep, 0 reject, 0 only a note")


OF_OTHERS = {
    # As spreadsheets save it: a mark of UTF-8, and lines that end in two characters.
    '\ufeffclip_id,decision,note\r\nA,keep,"x, ""y"""\r\n\r\nB,,\'=1': [
        ("A", "keep", 'x, "y"'),
        ("B", "", "=1"),
    ],
    # Columns in another order, and one that is nothing to the page.
    'who,decision,clip_id\n"x, ""y""",keep,A\n': [("A", "keep", "")],
}


@pytest.mark.parametrize("content", OF_OTHERS)
def test_files_of_others_are_read(
    open_report: Open, middle: Path, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(content, newline="")
    page = open_report(middle, "#clips")
    page.locator("input[type=file]").set_input_files(path)
    read = re.compile(rf"^{len(OF_OTHERS[content])} decisions? read")
    expect(page.locator(".said")).to_have_text(read)
    assert rows_of(saved(page)) == OF_OTHERS[content]


def test_a_file_is_read_as_a_run_reads_it(open_report: Open, middle: Path, tmp_path: Path) -> None:
    """What somebody wrote by hand: rows of one clip on several lines, blanks behind commas."""
    page = open_report(middle, "#clips")
    one, other = sorted(names(page, 2))
    path = tmp_path / "decisions.csv"
    path.write_text(
        f"clip_id, decision, note\n{one},keep,sharp\n{one},keep,sharp\n"
        f'{other}, reject, "dark, and small"\n{one},,look again\n'
    )
    page.locator("input[type=file]").set_input_files(path)
    expect(page.locator(".said")).to_contain_text("2 decisions read")
    wanted = [(one, "keep", "sharp; look again"), (other, "reject", "dark, and small")]
    assert rows_of(saved(page)) == wanted
    assert [(clip, *found) for clip, found in read_decisions(path).items()] == wanted


def test_a_note_has_all_that_is_typed(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips")
    clip = names(page, 1)[0]
    page.locator('[data-place="0"] a').focus()
    page.keyboard.press("n")
    page.keyboard.type("red")
    page.keyboard.press("Enter")
    assert rows_of(saved(page)) == [(clip, "", "red")]


def test_marks_on_a_phone(open_report: Open, middle: Path) -> None:
    page = open_report(middle, "#clips", **PHONE)
    clip = names(page, 1)[0]
    page.locator('[data-place="0"] .note').click()
    page.locator("textarea").fill("seen on a phone")
    page.get_by_role("button", name="Save note").click()
    page.locator('[data-place="0"] .keep').click()
    assert rows_of(saved(page)) == [(clip, "keep", "seen on a phone")]


def test_a_run_reads_what_was_saved(open_report: Open, middle: Path, tmp_path: Path) -> None:
    page = open_report(middle, "#clips")
    clips = names(page, len(NOTES))
    for place, note in enumerate(NOTES):
        write_note(page, place, note)
        page.keyboard.press("k")
    path = tmp_path / "decisions.csv"
    path.write_bytes(saved(page).encode())
    read = read_decisions(path)
    assert {clip: tuple(found) for clip, found in read.items()} == {
        clip: ("keep", " ".join(note.split())) for clip, note in zip(clips, NOTES, strict=True)
    }
