"""Which release of this project the library is of."""

from __future__ import annotations

import re

from helpers.paths import ROOT
from talkingface.release import release


def test_it_is_the_one_that_the_project_says() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(rf'(?m)^version = "{re.escape(release())}"$', project)
    assert re.search(rf"(?m)^version: {re.escape(release())}$", citation)
