"""Crops that follow the face, in the folders of VoxCeleb2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from talkingface.clips.clips import Encoding
from talkingface.clips.crops import crop_boxes, crop_planes
from talkingface.dataset.split import SIDES
from talkingface.export_tables import VOXCELEB, VOXCELEB_FRAMES
from talkingface.exports.clips import ExportClip
from talkingface.exports.recut import syncnet_measures, write_recut
from talkingface.exports.tree import Tree
from talkingface.job.files import atomic_path
from talkingface.job.tables import read_table, table_of_columns, table_of_rows, write_table
from talkingface.media.clip_files import Clip
from talkingface.shots.proxy import Proxy
from talkingface.tables import CLIPS, SYNC

# Side of VoxCeleb2's films.
SIDE = 224
# TalkingVideo keeps segments of 3 s, and the mean longer side of a face above 100 pixels; it says
# that VoxCeleb2's own segments come out with 50.
LEAST_FRAMES = 75
LEAST_FACE = 50


def make_voxceleb(
    media: str | Path,
    clips: Sequence[Clip],
    clips_manifest: str | Path,
    sync: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    proxy: Proxy,
    encoding: Encoding,
) -> None:
    """Write a film of every clip in which the face stays in the centre, its boxes, and a manifest.

    In `folder` there are `{clip}.mp4`, of 224 x 224 pixels with the clip's frames and sound, and
    `{clip}.csv`, the table VOXCELEB_FRAMES; `manifest` is the table VOXCELEB. `media` is the raw
    file and `proxy` what is known of it, `clips_manifest` the clips' table CLIPS, `sync` the
    video's table SYNC. The square of a frame is that of `clips.crop: follow`: centre and size are
    smoothed, and it may reach beyond the picture, where it is grey.
    """
    rows = read_table(clips_manifest, CLIPS)
    of_tracks = read_table(sync, SYNC)
    measured, parts = [], {}
    with atomic_path(folder) as partial:
        partial.mkdir()
        for clip, row in zip(clips, rows, strict=True):
            boxes = clip.boxes()
            faces = np.stack([boxes[name] for name in ("x", "y", "w", "h")], axis=1)
            picture = proxy.size_at(row.start_frame)
            squares = crop_boxes("follow", faces, picture, None)
            parts[clip.clip_id] = squares
            frames = table_of_columns(
                VOXCELEB_FRAMES,
                {
                    "frame": boxes.frame,
                    "source_frame": boxes.source_frame,
                    **dict(zip(("x", "y", "w", "h"), (squares / (picture * 2)).T, strict=True)),
                },
            )
            write_table(frames, partial / f"{clip.clip_id}.csv", VOXCELEB_FRAMES)
            measured.append(
                {
                    "clip_id": clip.clip_id,
                    "n_frames": clip.n_frames,
                    "face_size": faces[:, 2:].max(axis=1).mean(),
                    "outside_share": _outside(squares, picture).mean(),
                    **syncnet_measures(row, of_tracks),
                }
            )
        write_recut(
            media,
            rows,
            parts,
            partial,
            reading=proxy.reading,
            cut=crop_planes,
            side=SIDE,
            encoding=encoding,
        )
    write_table(table_of_rows(VOXCELEB, measured), manifest, VOXCELEB)


def lay_out(clips: Sequence[ExportClip], tree: Tree) -> None:
    """`<identity>/<video>/<segment>` with .mp4, .wav and .txt, and lists of either side."""
    taken = []
    for clip in clips:
        assert clip.measures is not None
        if clip.n_frames < LEAST_FRAMES:
            tree.skip(clip, "frames", clip.n_frames, LEAST_FRAMES)
            continue
        face = float(clip.measures.face_size)
        if face <= LEAST_FACE:
            tree.skip(clip, "mean longer side of the face (px)", face, f"more than {LEAST_FACE}")
            continue
        name = segment_path(clip)
        tree.link(clip.path("voxceleb"), f"{name}.mp4")
        tree.link(clip.path("audio"), f"{name}.wav")
        frames = read_table(clip.path("voxceleb_boxes"), VOXCELEB_FRAMES)
        tree.write_text(f"{name}.txt", metafile(clip, frames))
        taken.append(clip)
    for side in SIDES:
        names = [(clip.speaker, segment_path(clip)) for clip in taken if clip.side == side]
        tree.write_lines(f"{side}_list.txt", (f"{who} {name}.wav" for who, name in names))
        tree.write_lines(f"{side}.txt", (f"{name}.mp4" for _, name in names))


def segment_path(clip: ExportClip) -> str:
    """`<identity>/<video>/<first frame>_<track>`, which no other clip has, nor other clips change.

    VoxCeleb2 numbers the segments of a video, so that there a new one renames others.
    """
    segment = f"{int(clip.row.start_frame):06d}_{int(clip.row.track):02d}"
    return f"{clip.speaker}/{clip.video_id}/{segment}"


def metafile(clip: ExportClip, frames: np.recarray) -> str:
    """The text that VoxCeleb2 has of a segment: who it is, and where in the source it was cut.

    `frames` is the clip's table VOXCELEB_FRAMES. Frames are counted from 0 at 25 a second. Offset
    and confidence are SyncNet's, of the source; what was not measured is empty, as the confidence
    of the face's verification is.
    """
    assert clip.measures is not None
    offset, confidence = clip.measures.sync_offset, clip.measures.sync_confidence
    # Readers cut after the tabs, skip six lines, and look for columns that end with a blank.
    lines = [
        f"Identity  : \t{clip.speaker}",
        f"Reference : \t{clip.video_id}",
        f"Offset    : \t{'' if np.isnan(offset) else int(offset)}",
        "FV Conf   : \t",
        f"ASD Conf  : \t{'' if np.isnan(confidence) else f'{confidence:.3f}'}",
        "",
        "FRAME \tX \tY \tW \tH ",
        *_rows(frames),
    ]
    return "".join(f"{line}\n" for line in lines)


def _rows(frames: np.recarray) -> Iterable[str]:
    for row in frames:
        shares = (f"{row[name]:.3f}" for name in ("x", "y", "w", "h"))
        yield " \t".join([f"{row.source_frame:06d}", *shares]) + " "


def _outside(squares: np.ndarray, picture: tuple[int, int]) -> np.ndarray:
    """(N,) shares of squares (N, 4) that lie outside a picture of this width and height."""
    first = np.clip(squares[:, :2], 0, picture)
    last = np.clip(squares[:, :2] + squares[:, 2:], 0, picture)
    shares = 1 - (last - first).prod(axis=1) / squares[:, 2:].prod(axis=1)
    # A quotient a rounding above 1 is no share below 0.
    return np.clip(shares, 0, 1)
