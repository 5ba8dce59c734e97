"""Films cut anew have the frames and the sound of their clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from helpers.recut_video import ENCODING, FILM, SPANS, RecutVideo
from helpers.synthetic import decode_pictures, decode_sound, shown_at
from helpers.tiled import read_tiles
from talkingface.clips.crops import crop_planes, warp_planes
from talkingface.exports.recut import syncnet_measures, write_recut
from talkingface.grid import clip_name
from talkingface.job.tables import read_table
from talkingface.tables import SYNC

SQUARE = np.array([200.0, 60.0, 250.0, 250.0])
SIDE = 200


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> RecutVideo:
    return RecutVideo(tmp_path_factory.mktemp("recut"))


def squares_of(video: RecutVideo) -> dict[str, np.ndarray]:
    """A square that creeps to the right."""
    return {
        clip.clip_id: SQUARE + np.outer(np.arange(clip.n_frames), [0.5, 0.1, 0, 0])
        for clip in video.clips
    }


def recut(video: RecutVideo, folder: Path, parts: dict[str, np.ndarray], cut=crop_planes) -> None:
    folder.mkdir()
    write_recut(
        video.media, video.rows, parts, folder,
        reading=video.proxy.reading, cut=cut, side=SIDE, encoding=ENCODING,
    )  # fmt: skip


def to_film(square: np.ndarray, turned: float = 0) -> np.ndarray:
    """(3, 3) map from source pixels to the film's, which is turned about its centre by radians."""
    x, y, w, h = square
    scaled = np.array([[SIDE / w, 0, -x * SIDE / w], [0, SIDE / h, -y * SIDE / h], [0, 0, 1]])
    c, s = np.cos(turned), np.sin(turned)
    to_centre = np.array([[1, 0, -SIDE / 2], [0, 1, -SIDE / 2], [0, 0, 1]])
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return np.linalg.inv(to_centre) @ turn @ to_centre @ scaled


@pytest.mark.parametrize("degrees", [None, 0, 10, -45])
def test_a_film_shows_the_clip_s_frames_where_it_was_told(video, tmp_path, degrees) -> None:
    squares = squares_of(video)
    maps = {
        name: np.stack([to_film(square, np.radians(degrees or 0)) for square in parts])
        for name, parts in squares.items()
    }
    if degrees is None:
        recut(video, tmp_path / "films", squares)
    else:
        parts = {name: np.linalg.inv(matrices)[:, :2] for name, matrices in maps.items()}
        recut(video, tmp_path / "films", parts, warp_planes)
    for start, end, track, _ in SPANS:
        name = clip_name("v", start, end, track)
        pictures = decode_pictures(tmp_path / f"films/{name}.mp4")
        times = [float(time) for time, _ in pictures]
        assert times == pytest.approx([k / 25 for k in range(end - start)])
        for k, (_, picture) in enumerate(pictures):
            assert picture.shape == (SIDE, SIDE, 3)
            numbers = read_tiles(picture, maps[name][k, :2])
            assert len(numbers) >= 2
            assert set(numbers) == {shown_at(FILM, start + k)}


def test_a_film_has_the_clip_s_sound(video, tmp_path) -> None:
    recut(video, tmp_path / "films", squares_of(video))
    for clip, row in zip(video.clips, video.rows, strict=True):
        made, rate = decode_sound(tmp_path / f"films/{clip.clip_id}.mp4")
        of_clip, _ = decode_sound(clip.video)
        assert np.array_equal(made, of_clip)
        wav, rate_of_wav = soundfile.read(clip.folder / f"{clip.clip_id}.wav")
        assert rate == rate_of_wav == 16_000
        lags = range(-40, 41)
        part = wav[2000:-2000]
        agreement = [part @ made[2000 + lag : 2000 + lag + len(part)] for lag in lags]
        assert lags[int(np.argmax(agreement))] == 0
        assert row.audio_shift == 640 * row.offset != 0


def test_frames_that_are_not_there(video, tmp_path) -> None:
    rows = video.rows.copy()
    rows.start_frame += 100
    rows.end_frame += 100
    (tmp_path / "films").mkdir()
    with pytest.raises(RuntimeError, match="frames written, expected"):
        write_recut(
            video.media, rows, squares_of(video), tmp_path / "films",
            reading=video.proxy.reading, cut=crop_planes, side=SIDE, encoding=ENCODING,
        )  # fmt: skip


@pytest.mark.parametrize(("backend", "known"), [("syncnet", True), ("mesh", False)])
def test_only_syncnet_s_numbers_are_syncnet_s(video, backend, known) -> None:
    sync = read_table(video.sync, SYNC)
    sync.backend = backend
    row = video.rows[0]
    measures = syncnet_measures(row, sync)
    if known:
        assert measures == {"sync_offset": row.offset, "sync_confidence": 4.5}
    else:
        assert np.isnan(list(measures.values())).all()
