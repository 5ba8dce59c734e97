"""Settings files that are more than settings, found in their text."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from helpers.paths import ROOT
from talkingface.settings.config_file import check_config_file
from talkingface.settings.schema import ConfigError


def laughs(opening: str, closing: str) -> str:
    """Nine levels of nine aliases each: 9 ** 9 values in a few lines."""
    lines = [f"a: &a {opening}{'x' if opening == '[' else 'x: 1'}{closing}"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        key = "" if opening == "[" else "k{}: "
        parts = ", ".join(f"{key.format(i)}*{before}" for i in range(9))
        lines.append(f"{name}: &{name} {opening}{parts}{closing}")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("videos: a\n__use_yte__: true\n", 2, "__use_yte__: with this Snakemake runs"),
        ("__use_yte__: false\n", 1, "__use_yte__"),
        ('"__use\\x5fyte__": true\n', 1, "__use_yte__"),
        ("? &k !!str __use_yte__\n: true\n", 1, "__use_yte__"),
        ("<<: {__use_yte__: 1}\n", 1, "__use_yte__"),
        (f"split:\n  seed: {'9' * 5000}\n", 2, "a number of 5,000 characters"),
        (f"split: {{seed: 0x{'9' * 5000}}}\n", 1, "a number of 5,002 characters"),
        (f"split: [{'9:' * 5000}9]\n", 1, "a number of 10,001 characters"),
        (f"features: {'[' * 100_000}", 1, "nested more than 10 deep"),
        ("features: " + "{a: " * 100_000, 1, "nested more than 10 deep"),
        (laughs("[", "]"), 5, "more than 10,000 values"),
        (laughs("{", "}"), 5, "more than 10,000 values"),
        ("features: [" + "a, " * 10_001 + "a]", 1, "more than 10,000 values"),
        ("videos: x\nfeatures: &a [b, *a]\n", 2, r"\*a stands for what it is in"),
    ],
    ids=lambda part: str(part)[:40],
)
def test_what_is_no_plain_data_is_refused_at_once(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    began = time.process_time()
    with pytest.raises(ConfigError, match=rf"^{path}, line {line}: {words}") as error:
        check_config_file(path)
    assert time.process_time() - began < 2
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_file_that_is_no_text_or_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"videos: \xff\n")
    with pytest.raises(ConfigError, match=rf"^{path}: not UTF-8 text$"):
        check_config_file(path)
    path.write_text("# \n" * 400_000)
    with pytest.raises(ConfigError, match=rf"^{path}: longer than 1,048,576 bytes"):
        check_config_file(path)


def test_plain_settings_are_left_alone(tmp_path: Path) -> None:
    for path in (ROOT / "config.yaml", ROOT / "config/learned.yaml"):
        check_config_file(path)
    path = tmp_path / "mine.yaml"
    for text in (
        "",
        "segments: &s {min_frames: 80}\nother: *s\n",
        'download: {format: "' + "9" * 500 + '"}',
        '{"videos": "a.csv", "split": {"seed": 12}}',
        "videos: [a\n",  # Snakemake says what is wrong with it.
    ):
        path.write_text(text)
        check_config_file(path)
    check_config_file(tmp_path / "nowhere.yaml")
    os.mkfifo(tmp_path / "pipe")
    check_config_file(tmp_path / "pipe")
