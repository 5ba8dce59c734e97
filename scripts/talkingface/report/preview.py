"""What the report shows of every stretch of a face: small pictures, curves, exact measures.

All of a video's candidates are shown, kept or not: the kept ones from their clips, the others from
the small copy of their video while that is there. Of these, what of the copy was deleted is left
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface.clips.beside import is_alone
from talkingface.clips.voice import FaceSync, judged_faces, measure_voice
from talkingface.faces.landmark_files import clip_landmarks
from talkingface.job.arrays import read_array
from talkingface.job.files import atomic_path
from talkingface.job.progress import Progress
from talkingface.job.tables import read_table, table_of_rows, write_table
from talkingface.media.clip_files import Clip, read_clips
from talkingface.media.own_window import picked_frames
from talkingface.report.cause import cause_frame
from talkingface.report.copy_pictures import CopyPictures
from talkingface.report.curves import (
    envelope,
    grid_sound,
    opening_curve,
    packed_boxes,
    packed_points,
    pose_curves,
    speech_curve,
    sync_curves,
)
from talkingface.report.javascript import write_data
from talkingface.report.strip import (
    PICTURES,
    face_square,
    square_picture,
    strip_frames,
    write_strip,
)
from talkingface.report.worst import worst_frames
from talkingface.sync.comparison import rows_by_track
from talkingface.tables import (
    CLIPS,
    PREVIEW,
    QUALITY_FRAMES,
    SEGMENTS,
    SPEECH,
    SYNC,
    SYNC_FRAMES,
    TRACKS,
)

# Columns of PREVIEW that are those of a `voice.Voice`.
_OF_VOICE = (
    "mouth_motion", "confidence", "probability", "other_probability", "other_track", "speaking",
    "other_speaking", "other_speaker",
)  # fmt: skip
# Of what is no clip the page knows no more.
_NO_CLIP: dict[str, Any] = {
    "width": 0, "height": 0, "yaw": None, "pitch": None, "roll": None, "points68": None,
    "boxes": None,
}  # fmt: skip


@dataclass(frozen=True)
class Tables:
    """What was found in a video: `boxes`, rows of TRACKS by track; `faces` that `sync` judged, by
    track; `speech`, how likely somebody is heard in every frame of the grid, (n,)."""

    boxes: Mapping[int, np.recarray]
    faces: Mapping[int, FaceSync]
    speech: np.ndarray


@dataclass(frozen=True)
class ClipFolders:
    """Where the stages after `clips` put what they made of a video's clips."""

    landmarks: Path
    pose: Path
    quality: Path


def make_preview(
    segments: str | Path,
    clip_folder: str | Path,
    clip_table: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    tracks: str | Path,
    speech: str | Path,
    sync: str | Path,
    sync_frames: str | Path,
    landmarks: str | Path,
    pose: str | Path,
    quality: str | Path,
    proxy: str | Path,
    proxy_sound: str | Path,
    proxy_record: str | Path,
    speech_threshold: float,
) -> None:
    """Write `folder` with strips and curves of a video's candidates, and `manifest` (PREVIEW).

    segments: the video's ledger. clip_folder, clip_table: its clips and the table CLIPS. tracks,
    speech, sync, sync_frames: these tables. landmarks, pose, quality: folders of what was made of
    the clips. proxy, proxy_sound, proxy_record: the small copy, which may have been deleted.
    speech_threshold: of `segments`.

    Of every row of the ledger with a clip_id there are `{clip}.js`, the `Detail` of the page (see
    `curves` for its clocks), and `{clip}.jpg`, a strip; of rejected ones also `{clip}.why.jpg`, a
    picture with all faces (see `cause`), and of a video with pictures and without any candidate
    `{video}.why.jpg`. Raises DamagedFile where one of the files cannot be read.
    """
    ledger = read_table(segments, SEGMENTS)
    tables = Tables(
        rows_by_track(read_table(tracks, TRACKS)),
        judged_faces(read_table(sync, SYNC), read_table(sync_frames, SYNC_FRAMES)),
        read_table(speech, SPEECH).probability,
    )
    clips = {clip.clip_id: clip for clip in read_clips(clip_folder, clip_table)}
    shifts = {row.clip_id: int(row.audio_shift) for row in read_table(clip_table, CLIPS)}
    of_clips = ClipFolders(Path(landmarks), Path(pose), Path(quality))
    pictures = CopyPictures(proxy, proxy_record)
    rows = []
    candidates = ledger[ledger.clip_id != ""]
    with atomic_path(folder) as partial, Progress() as progress:
        partial.mkdir()
        for row in candidates:
            clip = clips.get(row.clip_id)
            start, end = int(row.start_frame), int(row.end_frame)
            cells = measures(row, tables, speech_threshold)
            frames = tables.faces[row.track].frames if row.track in tables.faces else None
            detail = {"clip_id": row.clip_id, "n_frames": end - start}
            detail |= sync_curves(frames, start, end)
            if clip is None:
                cells["cause_frame"] = cause_frame(row, tables.boxes, tables.faces, tables.speech)
                cells["pictures"] = pictures.want(row, cells["cause_frame"], tables.boxes, partial)
                detail |= _NO_CLIP
                detail["speech"] = speech_curve(tables.speech, start, end, 0)
                detail["sound"] = grid_sound(proxy_sound, start, end)
            else:
                cells["pictures"] = _write_clip_strip(clip, partial)
                detail["speech"] = speech_curve(tables.speech, start, end, shifts[clip.clip_id])
                found, worst = _of_clip(clip, of_clips, detail["opening"])
                detail |= found
                cells |= worst
            write_data(row.clip_id, detail, partial / f"{row.clip_id}.js")
            rows.append(cells)
            progress.add(end - start, f"{len(rows)} of {len(candidates)} candidates")
        if not rows and len(ledger):
            pictures.want_whole(partial / f"{ledger.video_id[0]}.why.jpg")
        pictures.write()
    write_table(table_of_rows(PREVIEW, rows), manifest, PREVIEW)


def measures(row: np.record, tables: Tables, speech_threshold: float) -> dict[str, Any]:
    """Cells of PREVIEW of a row of the ledger: what it was judged by beside the ledger's own
    columns, with all digits. Whose voice it is, is missing where `sync` did not judge the face."""
    number, start, end = int(row.track), int(row.start_frame), int(row.end_frame)
    cells: dict[str, Any] = {
        "clip_id": row.clip_id,
        "n_frames": end - start,
        "alone": int(is_alone(number, start, end, tables.boxes)),
        "judged": int(number in tables.faces),
    }
    if number in tables.faces:
        voice = measure_voice(number, start, end, tables.faces, tables.speech, speech_threshold)
        cells |= {name: getattr(voice, name) for name in _OF_VOICE}
    return cells


def _write_clip_strip(clip: Clip, folder: Path) -> int:
    """Write the strip of a clip; how many pictures it has."""
    faces, size = clip.face_boxes(), (clip.width, clip.height)
    wanted = strip_frames(clip.n_frames)
    if clip.width == clip.height:
        squares = dict.fromkeys(wanted, (0, 0, clip.width))
    else:
        longer = float(np.median(faces[:, 2:].max(axis=1)))
        squares = {k: face_square(faces[k], longer, size) for k in wanted}
    frames = picked_frames(clip.video, sorted(squares))
    shown = {k: square_picture(image, squares[k]) for k, image in frames}
    write_strip([shown[k] for k in wanted], folder / f"{clip.clip_id}.jpg")
    return PICTURES


def _of_clip(
    clip: Clip, folders: ClipFolders, opening: list[float | None] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What only clips have: parts of the `Detail`, and cells of PREVIEW. opening: by `sync`, None
    where that does not measure it."""
    marks = clip_landmarks(folders.landmarks, clip)
    angles = read_array(folders.pose / f"{clip.clip_id}.npy")
    measured = read_table(folders.quality / f"{clip.clip_id}.csv", QUALITY_FRAMES)
    detail = {
        "width": clip.width,
        "height": clip.height,
        "opening": opening_curve(marks.points) if opening is None else opening,
        **pose_curves(angles),
        "sound": envelope(clip.sound(), clip.n_frames),
        "points68": packed_points(marks, clip.width, clip.height),
        "boxes": packed_boxes(clip.face_boxes(), clip.width, clip.height),
    }
    return detail, worst_frames(measured, marks.present, angles)
