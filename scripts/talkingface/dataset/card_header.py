"""The header of a dataset's card: what the Hub of Hugging Face reads of it, in YAML.

Its keys: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from talkingface.job.files import DamagedFile
from talkingface.text import clean

# Licences that the Hub knows by these names, of those that data is given under;
# https://huggingface.co/docs/hub/repositories-licenses
HUB_LICENCES = (
    "apache-2.0", "mit", "bsd", "bsd-2-clause", "bsd-3-clause", "c-uda",
    "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0",
    "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0",
    "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
    "cdla-sharing-1.0", "cdla-permissive-1.0", "cdla-permissive-2.0", "etalab-2.0",
    "eupl-1.1", "eupl-1.2", "gfdl", "odc-by", "odbl", "pddl", "unlicense", "wtfpl", "openrail",
    "openmdw-1.0", "openmdw-1.1", "unknown", "other",
)  # fmt: skip
# Beside the card in the dataset's folder.
DATA_FILES = {"train": "train.csv", "eval": "eval.csv"}
TAGS = ("talking-face", "talking-head", "lip-sync", "audio-driven", "face", "speech", "video")
# From so many clips on, the Hub's name of the size is another.
_SIZES = (
    (0, "n<1K"),
    (10**3, "1K<n<10K"),
    (10**4, "10K<n<100K"),
    (10**5, "100K<n<1M"),
    (10**6, "1M<n<10M"),
    (10**7, "10M<n<100M"),
)
_HEADER = re.compile(r"---\n(.*?\n)---\n", re.DOTALL)


def card_header(
    *,
    title: str | None,
    licence: str | None,
    language: Sequence[str],
    clips: int,
    state: str,
    data_files: Mapping[str, str] = DATA_FILES,
) -> str:
    """The header, with the lines `---` around it.

    title, licence, language: as in the section `card` of the settings; without a licence it is the
    Hub's `unknown`, and one that the Hub has no name for is `other` with its name. clips: how many
    there are. state: another one for other content, see `_of_files`. data_files: path or pattern of
    every split, relative to the card.
    """
    header: dict[str, Any] = {"pretty_name": clean(title) if title else "Talking-face clips"}
    header |= _licence(licence)
    if language:
        header["language"] = list(language)
    header["task_categories"] = ["image-to-video"]
    header["annotations_creators"] = ["machine-generated"]
    header["tags"] = list(TAGS)
    return _text(header | _of_files(clips, state, data_files))


def with_data_files(
    path: str | Path, card: str, clips: int, state: str, data_files: Mapping[str, str]
) -> str:
    """A card whose header says the files, the number of clips and the state of another layout.

    Raises DamagedFile, naming `path`, where the card has no header.
    """
    found = _HEADER.match(card)
    header = yaml.safe_load(found[1]) if found else None
    if found is None or not isinstance(header, dict):
        raise DamagedFile(path, "it has no YAML header")
    return _text(header | _of_files(clips, state, data_files)) + card[found.end() :]


def _of_files(clips: int, state: str, data_files: Mapping[str, str]) -> dict[str, Any]:
    """What a header says of its files.

    `datasets` keeps what it has read of a local folder under the folder's name and what this part
    of the header says, whatever is in the files: without the state, it would give the clips of
    another workspace, or ones that were taken out, for those that are there.
    """
    files = [{"split": split, "path": path} for split, path in data_files.items()]
    size = [name for least, name in _SIZES if clips >= least][-1]
    told = f"{clips} clips, state {state}"
    configs = [{"config_name": "default", "description": told, "data_files": files}]
    return {"size_categories": [size], "configs": configs}


def _licence(licence: str | None) -> dict[str, Any]:
    if not licence:
        return {"license": "unknown"}
    name = clean(licence)
    if name.lower() in HUB_LICENCES:
        return {"license": name.lower()}
    # The Hub wants an id here.
    slug = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
    return {"license": "other", "license_name": slug or "custom"}


def _text(header: Mapping[str, Any]) -> str:
    plain = yaml.safe_dump(dict(header), sort_keys=False, allow_unicode=True, width=1 << 30)
    return f"---\n{plain}---\n"
