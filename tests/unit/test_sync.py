from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from talkingface import detection
from talkingface.proxy import make_proxy, proxy_frames
from talkingface.sync import COLUMNS, FRAME_COLUMNS, sync_motion, unjudged
from talkingface.tracks import COLUMNS as TRACK_COLUMNS
from talkingface.tracks import track_faces

SAMPLES = Path(__file__).parents[3] / "shared" / "samples"


def test_no_track_gives_two_tables_with_headers(tmp_path: Path) -> None:
    tracks = pd.DataFrame(columns=TRACK_COLUMNS)
    table, frames = sync_motion([], tracks, tmp_path / "none.wav", scale=1.0)
    assert list(table) == COLUMNS and len(table) == 0
    assert list(frames) == FRAME_COLUMNS and len(frames) == 0
    assert [list(t) for t in unjudged()] == [COLUMNS, FRAME_COLUMNS]


@pytest.mark.parametrize("sample", ["FAzSK8PLmGI", "seated_woman"])
def test_the_samples_speak_in_step(sample: str, tmp_path: Path) -> None:
    media = SAMPLES / f"{sample}.mp4"
    if not media.exists():
        pytest.skip("shared samples are not here")
    video, sound = tmp_path / "v.mp4", tmp_path / "v.wav"
    proxy = make_proxy(media, video, sound)
    with detection.load(threads=2) as detector:
        shots = [(0, 0, proxy.n_frames)]
        tracks = track_faces(proxy_frames(video), shots, detector.follow, scale=proxy.scale)
    table, frames = sync_motion(proxy_frames(video), tracks, sound, scale=proxy.scale)
    assert len(table) == 1
    assert abs(table.offset[0]) <= 1
    assert table.confidence[0] > 3
    # No correction for a frame.
    assert table.trusted[0] == 0
    assert list(frames.frame) == list(range(proxy.n_frames))
