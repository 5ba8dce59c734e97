"""The footage of real talkers on which lip-sync is fitted and judged.

`talkers.csv` beside this says of every video where it comes from and what is true of it. The videos
are other people's and no part of the project: they are looked for in folders, by their sha256.
"""

from __future__ import annotations

import csv
import hashlib
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import looks
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

TABLE = Path(__file__).with_suffix(".csv")
SUFFIXES = {".mp4", ".mov", ".avi", ".webm", ".mkv", ".mpg", ".wmv", ".m4v", ".flv"}
# Shorter faces are not judged.
SHORTEST = 50
# Changed when what `read_faces` keeps of a face changes.
CACHE_VERSION = 1


@dataclass(frozen=True)
class Video:
    """A row of talkers.csv.

    label: `talk` (one person is seen and heard, in step but for `offset`), `silent` (one who moves
    the face but does not speak), `several` (people) or `doubtful` (perhaps dubbed, mimed or made),
    of which nothing is used. offset: by how many frames the sound leads. use: `fit`, or `check` for
    those whom nothing is fitted or chosen on.
    """

    sha256: str
    file: str
    repository: str
    commit: str
    path: str
    person: str
    language: str
    label: str
    offset: float
    use: str


@dataclass
class Face:
    """One face of a video, followed through n frames.

    points: (n, 468, 3) float32 mesh in pixels of the analysis copy, NaN where it is not seen.
    sound: (640 n,) int16, speech: (n,) how likely somebody is heard. height: of the face box, in
    pixels of the source, median.
    """

    video: Video
    points: np.ndarray
    sound: np.ndarray
    speech: np.ndarray
    height: float


def read_videos() -> dict[str, Video]:
    """The rows of talkers.csv, by the sha256 of the file."""
    with TABLE.open(newline="") as file:
        rows = [row | {"offset": float(row["offset"])} for row in csv.DictReader(file)]
    return {row["sha256"]: Video(**row) for row in rows}


def find_videos(folders: Iterable[str | Path]) -> Iterator[tuple[Path, Video]]:
    """The files of talkers.csv that lie in some folders, each once, by name."""
    videos = read_videos()
    files = [p for folder in folders for p in Path(folder).rglob("*") if p.suffix in SUFFIXES]
    for path in sorted(files, key=lambda path: path.name):
        video = videos.pop(hashlib.sha256(path.read_bytes()).hexdigest(), None)
        if video is not None:
            yield path, video


def read_faces(path: Path, video: Video, cache: Path, look: str = "as it is") -> list[Face]:
    """The faces of a video that are seen for SHORTEST frames or more, as the workflow finds them;
    what takes time is kept in the folder `cache`. look: one of `looks.LOOKS`, what is done to the
    pictures first."""
    kept = cache / f"{video.sha256[:16]}-{look.replace(' ', '_')}-{CACHE_VERSION}.npz"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            changed = looks.change(path, Path(folder), look)
            found = _analyse(changed) if changed else {"count": 0}
        np.savez(kept, **found)
    with np.load(kept) as found:
        return [
            Face(
                video,
                found[f"points{i}"],
                found[f"sound{i}"],
                found[f"speech{i}"],
                float(found[f"height{i}"]),
            )
            for i in range(int(found["count"]))
        ]


def _analyse(path: Path) -> dict[str, np.ndarray | int | float]:
    """What `read_faces` keeps, by running the workflow's own stages."""
    from talkingface.faces.tracks import make_tracks
    from talkingface.job.tables import read_table
    from talkingface.media.audio import read_wav
    from talkingface.settings.load import check_config
    from talkingface.shots.proxy import encode_proxy, proxy_frames, write_proxy
    from talkingface.shots.scenes import make_scenes
    from talkingface.sound.speech import make_speech
    from talkingface.sync.comparison import rows_by_track
    from talkingface.sync.mouth import N_POINTS, follow_mouths
    from talkingface.tables import SPEECH, TRACKS

    settings = check_config({})
    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        proxy = encode_proxy(path, at / "v.mp4", at / "v.wav", **settings["proxy"])
        write_proxy(proxy, at / "v.json")
        if proxy.status != "ok":
            return {"count": 0}
        make_scenes(at / "v.mp4", at / "v.json", at / "scenes.csv", **settings["scenes"])
        make_tracks(
            at / "v.mp4", at / "v.json", at / "scenes.csv", at / "tracks.csv", **settings["tracks"]
        )
        make_speech(at / "v.wav", at / "v.json", at / "speech.csv", threads=1)
        speech = read_table(at / "speech.csv", SPEECH)["probability"]
        tracks = read_table(at / "tracks.csv", TRACKS)
        by_track = {n: r for n, r in rows_by_track(tracks).items() if len(r) >= SHORTEST}
        # The longest first: it is whom the video is about.
        by_track = dict(sorted(by_track.items(), key=lambda item: -len(item[1])))
        tracks = tracks[np.isin(tracks["track"], list(by_track))].view(np.recarray)
        points = follow_mouths(
            proxy_frames(at / "v.mp4"), tracks, proxy.scale_at, 2, lambda p: p.reshape(len(p), -1)
        )
        found: dict[str, np.ndarray | int | float] = {"count": len(by_track)}
        for i, (number, rows) in enumerate(by_track.items()):
            first, stop = int(rows["frame"][0]), int(rows["frame"][-1]) + 1
            found |= {
                f"points{i}": points[number].reshape(-1, N_POINTS, 3),
                f"sound{i}": read_wav(at / "v.wav", 640 * first, 640 * stop),
                f"speech{i}": speech[first:stop],
                f"height{i}": float(np.median(rows["h"])),
            }
        return found


def parts_of(people: list[str], count: int) -> list[set[str]]:
    """The people in so many parts of about the same size, at random but always the same."""
    order = np.random.default_rng(0).permutation(sorted(people))
    return [set(order[part::count].tolist()) for part in range(count)]
