"""Text from outside."""

from __future__ import annotations

import csv
import io

import pytest

from talkingface.text import clean, markdown_text, plain_cell, spreadsheet_cell


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("Ünïcode — 日本語, fine", "Ünïcode — 日本語, fine"),
        ("two\nlines\r\nand\ta tab", "two lines and a tab"),
        ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mC1", "C1"),
        ("\x1b]0;the terminal's title\x07text", "text"),
        ("\x1b]8;;https://evil.example\x1b\\a link\x1b]8;;\x1b\\", "a link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("never ended \x1b]0;title", "never ended"),
        ("file\u202egpj.exe", "filegpj.exe"),
        ("isolates \u2066a\u2069", "isolates a"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("paragraph\u2029line\u2028", "paragraph line"),
        ("half \ud800 a pair", "half a pair"),
        ("nul\x00, del\x7f, nel\x85end", "nul, del, nel end"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("no\xa0break", "no break"),
    ],
)
def test_what_steers_or_hides_is_left_out(given: str, cleaned: str) -> None:
    assert clean(given) == cleaned
    assert clean(given).isprintable() or "\u200c" in cleaned


def test_long_text_is_cut_and_says_so() -> None:
    assert clean("a" * 500) == "a" * 500
    assert clean("a" * 501) == "a" * 497 + "..."
    assert len(clean("\x1b[31m" + "b" * 10**7)) == 500


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''-x"])
def test_formulas_become_text_and_come_back(text: str) -> None:
    cell = spreadsheet_cell(text)
    assert cell == f"'{text}" and plain_cell(cell) == text
    line = io.StringIO()
    csv.writer(line).writerow([cell])
    line.seek(0)
    assert plain_cell(next(csv.reader(line))[0]) == text


@pytest.mark.parametrize("text", ["", "a=b", "'quoted'", "it's", "1-2", " =1", "https://a/?b=c"])
def test_other_text_is_left_alone(text: str) -> None:
    assert spreadsheet_cell(text) == text == plain_cell(text)


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("Ünal, O'Neil & 王; 3-4.5%", "Ünal, O'Neil &amp; 王; 3-4.5%"),
        ("<b>a</b>", "&lt;b&gt;a&lt;/b&gt;"),
        ("[a](b) ![c](d)", r"\[a\]\(b\) \!\[c\]\(d\)"),
        ("*a* _b_ `c` ~d~ #e $f$", r"\*a\* \_b\_ \`c\` \~d\~ \#e \$f\$"),
        ("https://x.org www.x.org a@x.org", r"https\://x.org www\.x.org a\@x.org"),
        ("a\\ b|c", r"a\\ b|c"),
        ("two\nlines\n---", "two lines ---"),
    ],
)
def test_text_in_markdown_is_text(given: str, written: str) -> None:
    assert markdown_text(given) == written
