"""Downloads from a server of these tests, as the stage makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.settings import default_settings
from helpers.streaming_server import Served, streaming_server
from talkingface.download.download import download

SETTINGS = {key: value for key, value in default_settings("download").items() if key != "local"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A server that answers as it is told, to which no proxy leads."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with streaming_server() as served:
        yield served


@pytest.fixture
def get(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Download a source in one try, with other settings where they are given; its record."""

    def get(source: str, **given: Any) -> dict[str, Any]:
        options = SETTINGS | {"tries": 1, "retries": 0, "timeout": 30, "private_addresses": True}
        options |= {"attempt": 1, "backoff": 0}
        media, record = tmp_path / "raw/v.media", tmp_path / "v.json"
        return download(source, media, record, video_id="v", **options | given)

    return get
