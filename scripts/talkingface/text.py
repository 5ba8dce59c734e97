"""Text from outside, such as a site's titles or a list's names: made safe to print and to open."""

from __future__ import annotations

import re
import unicodedata

# Characters of one text that are printed at most.
LONGEST = 500
# Sequences with which a text steers a terminal: CSI, OSC and the like (ECMA-48), and two letters.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]?"
)
# Joiners are letters' business in Persian, Indian scripts and emoji; what else has no width (text
# that changes direction, controls, halves of surrogate pairs) is left out.
_JOINERS = "\u200c\u200d"
_LEFT_OUT = ("Cc", "Cf", "Cs")
# What Markdown, as GitHub and the Hub read it, takes for something: marks, links, addresses (which
# are links without marks), names that are called, formulas; and what HTML does. A bar is left: it
# is something in tables only, whose writer escapes it. GitHub makes links of e-mail addresses all
# the same, each to what it shows.
_MARKUP = re.compile(r"[\\`*_{}\[\]()#!~$@:]|(?<=www)\.", re.IGNORECASE)
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What a spreadsheet takes for the beginning of a formula, behind any number of quotes.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def clean(text: object, longest: int = LONGEST) -> str:
    """A text on one line, without what steers terminals or hides, of `longest` characters at most.

    White space of any kind becomes a blank. What is cut ends in "...".
    """
    text = str(text)
    if not text.isprintable():
        text = _TERMINAL.sub("", text[: 20 * longest])
        text = "".join(" " if letter.isspace() else letter for letter in text)
        text = "".join(
            letter
            for letter in text
            if letter in _JOINERS or unicodedata.category(letter) not in _LEFT_OUT
        )
        text = re.sub(" +", " ", text).strip()
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def markdown_text(text: object, longest: int = LONGEST) -> str:
    """A text, made `clean`, that Markdown and HTML show as it is, inside a line or a cell."""
    return _MARKUP.sub(r"\\\g<0>", clean(text, longest)).translate(_HTML)


def spreadsheet_cell(text: str) -> str:
    """A text as a cell that no spreadsheet takes for a formula: with ' before it, where it is one.

    `plain_cell` gives the text again.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(cell: str) -> str:
    """The text of which `spreadsheet_cell` made a cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
