"""The kept segments, cut, cropped and encoded once from the raw file, with their own sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import av
import numpy as np
import pandas as pd
from av.video.reformatter import VideoReformatter

from talkingface.clips.crops import crop_boxes, crop_planes, output_size
from talkingface.grid import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.files import write_table
from talkingface.job.progress import Progress
from talkingface.media.audio import SoundTrack, read_wav, sound_format, write_wav
from talkingface.media.prefetch import prefetch
from talkingface.media.video import (
    ShownFrame,
    bgr_frames,
    first_timestamp,
    limited_yuv420p,
    shown_frames,
)
from talkingface.media.writer import AAC_RATES, VideoWriter, frame_from_planes

COLUMNS = [
    "clip_id", "video_id", "scene", "track", "start_frame", "end_frame", "n_frames",
    "width", "height", "crop", "crop_x", "crop_y", "crop_w", "crop_h",
    "offset", "confidence", "audio_shift",
]  # fmt: skip
FRAME_COLUMNS = [
    "frame", "source_frame", "x", "y", "w", "h", "crop_x", "crop_y", "crop_w", "crop_h",
]  # fmt: skip


@dataclass(frozen=True)
class Encoding:
    """How a clip is written: x264's preset and crf; `threads` for all of the work.

    Decoding goes on beside encoding, so each gets all threads but one, and at least one: with two
    cores that is an eighth faster than two each.
    """

    preset: str = "superfast"
    crf: float = 18
    threads: int = 2

    @property
    def threads_each(self) -> int:
        """Threads of the decoder, and of the encoder."""
        return max(1, self.threads - 1)


@dataclass(eq=False)
class _Clip:
    row: pd.Series
    crops: np.ndarray
    size: tuple[int, int]
    writer: VideoWriter | None = None
    written: int = 0
    scaler: VideoReformatter = field(default_factory=VideoReformatter)
    # The last picture written, and what it was made of.
    picture: av.VideoFrame | None = None
    source: ShownFrame | None = None
    cropped: np.ndarray | None = None


def make_clips(
    media: str | Path,
    sound: str | Path,
    segments: pd.DataFrame,
    tracks: pd.DataFrame,
    folder: str | Path,
    *,
    frame_size: tuple[int, int],
    crop: str = "fixed",
    scale: float | None = None,
    size: int | None = 512,
    correct_offset: str = "trusted",
    encoding: Encoding = Encoding(),
) -> pd.DataFrame:
    """Write `{clip}.mp4`, `{clip}.wav` and `{clip}.csv` of every kept segment into `folder`.

    `media` is the raw file, `sound` its wav on the grid (see proxy), `segments` the ledger's kept
    rows, `tracks` the boxes in source pixels, `frame_size` the source's width and height. The
    raw file is decoded once for all clips. A clip of N frames has exactly N frames and 640 N
    samples; its csv gives, for every frame, the grid frame, the face box and the crop in source
    pixels. Gives the manifest, one row a clip.

    `correct_offset` says when the sound is moved by the measured offset: `trusted`, `always` or
    `never`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    clips = [_plan(row, tracks, frame_size, crop, scale, size) for _, row in segments.iterrows()]
    clips.sort(key=lambda clip: int(clip.row.start_frame))
    shifts = {clip.row.clip_id: _shift(clip.row, correct_offset) for clip in clips}
    rows = []
    for clip in clips:
        _write_sound(clip, sound, folder, shifts[clip.row.clip_id])
        _frame_table(clip, tracks).pipe(write_table, folder / f"{clip.row.clip_id}.csv")
        rows.append(_manifest_row(clip, crop, shifts[clip.row.clip_id]))
    _write_videos(media, clips, folder, shifts, encoding)
    return pd.DataFrame(rows, columns=COLUMNS)


def clip_frames(path: str | Path, n_frames: int) -> Iterator[np.ndarray]:
    """The frames of a clip in order, (H, W, 3) uint8 BGR.

    Raises ValueError when there are not exactly `n_frames`.
    """
    count = 0
    for k, image in bgr_frames(path):
        count = k + 1
        yield image
    if count != n_frames:
        raise ValueError(f"{path}: {count} frames, but its manifest says {n_frames}")


def face_boxes(table: pd.DataFrame, width: int, height: int) -> np.ndarray:
    """Face of every frame as (N, 4) x, y, w, h in clip pixels, from a clip's csv and its size."""
    scale_x, scale_y = width / table.crop_w, height / table.crop_h
    x, y = (table.x - table.crop_x) * scale_x, (table.y - table.crop_y) * scale_y
    return np.stack([x, y, table.w * scale_x, table.h * scale_y], axis=1)


def _plan(
    row: pd.Series,
    tracks: pd.DataFrame,
    frame_size: tuple[int, int],
    policy: str,
    scale: float | None,
    size: int | None,
) -> _Clip:
    crops = crop_boxes(policy, _boxes(row, tracks), frame_size, scale)
    return _Clip(row, crops, output_size(policy, crops[0], size))


def _boxes(row: pd.Series, tracks: pd.DataFrame) -> np.ndarray:
    """(N, 4) face boxes of a segment, one a frame."""
    of_track = tracks[tracks.track == row.track].set_index("frame")
    return of_track.loc[row.start_frame : row.end_frame - 1, ["x", "y", "w", "h"]].to_numpy(float)


def _shift(row: pd.Series, correct_offset: str) -> int:
    """Samples by which the sound is delayed: a positive offset means that it leads."""
    wanted = correct_offset == "always" or (correct_offset == "trusted" and bool(row.trusted))
    return int(row.offset) * SAMPLES_PER_FRAME if wanted and pd.notna(row.offset) else 0


def _write_sound(clip: _Clip, sound: str | Path, folder: Path, shift: int) -> None:
    """Cut exactly 640 N samples out of the grid's wav, silence beyond its ends."""
    start = int(clip.row.start_frame) * SAMPLES_PER_FRAME - shift
    stop = int(clip.row.end_frame) * SAMPLES_PER_FRAME - shift
    samples = np.zeros(stop - start, np.int16)
    part = read_wav(sound, max(start, 0), max(stop, 0))
    offset = max(0, -start)
    samples[offset : offset + len(part)] = part
    write_wav(folder / f"{clip.row.clip_id}.wav", samples, SAMPLE_RATE)


def _write_videos(
    media: str | Path,
    clips: list[_Clip],
    folder: Path,
    shifts: dict[str, int],
    encoding: Encoding,
) -> None:
    if not clips:
        return
    rate, _ = sound_format(media)
    rate = rate if rate in AAC_RATES else 48_000
    track = SoundTrack(media, origin=first_timestamp(media), rate=rate, channels=1)
    waiting = list(clips)
    open_clips: list[_Clip] = []
    stretches = [(int(c.row.start_frame), int(c.row.end_frame)) for c in clips]
    with Progress() as progress:
        for shown in prefetch(shown_frames(media, stretches, threads=encoding.threads_each)):
            if not open_clips and not (waiting and waiting[0].row.start_frame < shown.end):
                continue
            # Once for all clips that show this frame.
            shown = replace(shown, frame=limited_yuv420p(shown.frame, scaler=shown.scaler))
            for k in range(shown.start, shown.end):
                while waiting and waiting[0].row.start_frame <= k:
                    clip = waiting.pop(0)
                    delay = shifts[clip.row.clip_id] * rate // SAMPLE_RATE
                    clip.writer = _open(clip, folder, encoding, shown.frame, track, delay)
                    open_clips.append(clip)
                for clip in open_clips:
                    _write_frame(clip, shown, k)
                progress.add(len(open_clips))
                open_clips = [clip for clip in open_clips if not _finished(clip, k)]
    for clip in clips:
        expected = int(clip.row.end_frame - clip.row.start_frame)
        written = clip.writer.frames if clip.writer else clip.written
        if written != expected:
            raise RuntimeError(f"{clip.row.clip_id}: {written} frames written, expected {expected}")


def _open(
    clip: _Clip,
    folder: Path,
    encoding: Encoding,
    colour: av.VideoFrame,
    track: SoundTrack,
    delay: int,
) -> VideoWriter:
    """Begin a clip; `delay` is in samples of `track`."""
    first = int(clip.row.start_frame) * track.rate // FPS - delay
    return VideoWriter(
        folder / f"{clip.row.clip_id}.mp4",
        *clip.size,
        preset=encoding.preset,
        crf=encoding.crf,
        threads=encoding.threads_each,
        sound=lambda start, stop: track.read(first + start, first + stop),
        sound_rate=track.rate,
        channels=track.channels,
        colour=colour,
    )


def _write_frame(clip: _Clip, shown: ShownFrame, k: int) -> None:
    """Write grid frame `k`; a picture that stays, in a crop that stays, is cropped once."""
    crop = clip.crops[k - int(clip.row.start_frame)]
    if clip.picture is None or clip.source is not shown or (crop != clip.cropped).any():
        clip.picture = frame_from_planes(*crop_planes(shown, crop, clip.size, clip.scaler))
        clip.source, clip.cropped = shown, crop
    assert clip.writer is not None
    clip.writer.write(clip.picture)


def _finished(clip: _Clip, k: int) -> bool:
    if k + 1 < clip.row.end_frame:
        return False
    assert clip.writer is not None
    clip.writer.close()
    clip.written = clip.writer.frames
    clip.writer = clip.picture = clip.source = None  # an encoder holds some 10 MB
    return True


def _frame_table(clip: _Clip, tracks: pd.DataFrame) -> pd.DataFrame:
    count = len(clip.crops)
    source = np.arange(count) + int(clip.row.start_frame)
    numbers = np.column_stack([np.arange(count), source])
    table = pd.DataFrame(numbers, columns=FRAME_COLUMNS[:2])
    boxes = np.column_stack([_boxes(clip.row, tracks), clip.crops]).round(2)
    return pd.concat([table, pd.DataFrame(boxes, columns=FRAME_COLUMNS[2:])], axis=1)


def _manifest_row(clip: _Clip, policy: str, shift: int) -> dict[str, object]:
    row = clip.row
    crop = np.median(clip.crops, axis=0).round(2)
    return {
        **{name: row[name] for name in COLUMNS[:7]},
        "width": clip.size[0],
        "height": clip.size[1],
        "crop": policy,
        **dict(zip(COLUMNS[10:14], crop, strict=True)),
        "offset": row.offset,
        "confidence": row.confidence,
        "audio_shift": shift,
    }
