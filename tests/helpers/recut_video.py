"""A video of known frames and faces and its clips, made as the workflow makes them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from helpers.synthetic import Film, Sound, write_film
from helpers.tiled import SOURCE, tiled_picture
from talkingface.clips.clips import Encoding, write_clips
from talkingface.grid import clip_name
from talkingface.job.tables import read_table, table_of_rows, write_table
from talkingface.media.clip_files import Clip, read_clips
from talkingface.shots.proxy import Proxy, encode_proxy
from talkingface.tables import CLIPS, SEGMENTS, SYNC, TRACKS

# Not 25 fps, so that frames cannot be counted.
FILM = Film(
    suffix=".mkv",
    fps=Fraction(30_000, 1001),
    seconds=6,
    size=SOURCE,
    flashes=(),
    sound=Sound("pcm_s16le", 16_000, "mono"),
    options={"crf": "8", "preset": "ultrafast"},
)
N_FRAMES = 140
# Start, end, track and the samples by which the sound is moved; two begin together.
SPANS = ((10, 90, 0, 2), (10, 60, 1, -3), (60, 130, 1, -3))
ENCODING = Encoding("ultrafast", 12, 25, 2)


class RecutVideo:
    """The video `v` in a results folder: its raw file, proxy, tracks, sync and clips."""

    def __init__(self, results: Path, backend: str = "mesh") -> None:
        self.results = results
        for folder in ("raw", "proxy", "sync", "clips"):
            (results / folder).mkdir(parents=True)
        self.media = results / "raw/v.mkv"
        noise = np.random.default_rng(1).normal(size=16_000 * 6)
        # Speech has little above 4 kHz, and AAC keeps little of it.
        samples = 0.2 * np.convolve(noise, np.hanning(9) / 4, "same")
        pictures = (tiled_picture(n) for n in range(len(FILM.frame_times)))
        write_film(self.media, FILM, pictures, samples.astype(np.float32))
        sound = results / "proxy/v.wav"
        self.proxy: Proxy = encode_proxy(self.media, results / "proxy/v.mp4", sound, long_side=320)
        assert self.proxy.status == "ok", self.proxy.reason
        self.clips_manifest, self.folder = results / "clips/v.csv", results / "clips/v"
        self.sync = results / "sync/v.csv"
        tracks = [
            {
                "track": track, "scene": 0, "frame": k, "confidence": 1, "detected": 1,
                **dict(zip("xywh", face_box(track, k), strict=True)),
            }
            for track in (0, 1)
            for k in range(N_FRAMES)
        ]  # fmt: skip
        segments = [
            {
                "clip_id": clip_name("v", start, end, track), "video_id": "v", "scene": 0,
                "track": track, "start_frame": start, "end_frame": end, "n_frames": end - start,
                "offset": offset, "trusted": 1, "confidence": 4.5, "verdict": "kept",
            }
            for start, end, track, offset in SPANS
        ]  # fmt: skip
        made = write_clips(
            self.media, sound, table_of_rows(SEGMENTS, segments), table_of_rows(TRACKS, tracks),
            self.folder, proxy=self.proxy, crop="fixed", scale=None, size=128,
            correct_offset="trusted", encoding=ENCODING,
        )  # fmt: skip
        write_table(made, self.clips_manifest, CLIPS)
        of_tracks = [
            {"track": track, "offset": 0, "trusted": 1, "backend": backend} for track in (0, 1)
        ]
        write_table(table_of_rows(SYNC, of_tracks), self.sync, SYNC)

    @property
    def clips(self) -> list[Clip]:
        return read_clips(self.folder, self.clips_manifest)

    @property
    def rows(self) -> np.recarray:
        return read_table(self.clips_manifest, CLIPS)


def face_box(track: int, frame: int) -> tuple[float, float, float, float]:
    """The face of a track: one walks through the picture, the other stands at its left edge."""
    if track == 0:
        return 260 + frame, 100 + 0.2 * frame, 150, 180
    return 10, 120, 140, 170
