"""The kept segments, cut, cropped and encoded once from the raw file, with their own sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from talkingface.clips.crops import crop_boxes, crop_planes, output_size
from talkingface.clips.verdict import kept
from talkingface.grid import FPS, SAMPLE_RATE, SAMPLES_PER_FRAME
from talkingface.job.files import atomic_path
from talkingface.job.progress import Progress
from talkingface.job.tables import read_table, table_of_columns, table_of_rows, write_table
from talkingface.media.audio import SoundTrack, read_wav, sound_format, write_wav
from talkingface.media.prefetch import prefetch
from talkingface.media.reading import Reading
from talkingface.media.video import ShownFrame, limited_yuv420p, shown_frames
from talkingface.media.writer import AAC_RATES, VideoWriter, frame_from_planes
from talkingface.shots.proxy import Proxy
from talkingface.tables import CLIP_FRAMES, CLIPS, SEGMENTS, TRACKS

# Names of a box's columns in the tables, x, y, width and height: of a face, and of a crop.
_FACE = ("x", "y", "w", "h")
_CROP = ("crop_x", "crop_y", "crop_w", "crop_h")


@dataclass(frozen=True)
class Encoding:
    """How a clip is written: x264's preset and crf, and the most frames from one keyframe to the
    next, beginning with which it can be decoded; `threads` for all of the work.

    Decoding goes on beside encoding, so each gets all threads but one, and at least one: with two
    cores that is an eighth faster than two each.
    """

    preset: str
    crf: float
    keyframe_interval: int
    threads: int

    @property
    def threads_each(self) -> int:
        """Threads of the decoder, and of the encoder."""
        return max(1, self.threads - 1)


# Y, U and V planes of what a clip shows of a frame: given the frame, one of `parts`, the clip's
# size and its scaler.
Cut = Callable[
    [ShownFrame, np.ndarray, tuple[int, int], VideoReformatter],
    tuple[np.ndarray, np.ndarray, np.ndarray],
]


@dataclass(eq=False)
class PlannedClip:
    """A clip that is to be written, of `size` (width, height) pixels.

    `row` is one of the ledger, or of a table CLIPS. `parts` (N, ...) says what each of its N frames
    shows, in the way that `cut` takes it: crops (N, 4) as of `crop_planes`. Its sound is delayed by
    `shift` samples at 16 kHz.
    """

    row: np.record
    parts: np.ndarray
    size: tuple[int, int]
    shift: int
    cut: Cut = crop_planes
    writer: VideoWriter | None = None
    written: int = 0
    scaler: VideoReformatter = field(default_factory=VideoReformatter)
    # The last picture written, and what it was made of.
    picture: av.VideoFrame | None = None
    source: ShownFrame | None = None
    part: np.ndarray | None = None

    @property
    def clip_id(self) -> str:
        """Its name."""
        return self.row.clip_id

    @property
    def start(self) -> int:
        """Its first frame of the grid."""
        return int(self.row.start_frame)

    @property
    def end(self) -> int:
        """The frame of the grid after its last."""
        return int(self.row.end_frame)


def make_clips(
    media: str | Path,
    sound: str | Path,
    segments: str | Path,
    tracks: str | Path,
    folder: str | Path,
    manifest: str | Path,
    *,
    proxy: Proxy,
    crop: str,
    scale: float | None,
    size: int | None,
    correct_offset: str,
    preset: str,
    crf: float,
    keyframe_interval: int,
    threads: int,
) -> None:
    """Write the clips of one video to `folder` and list them in `manifest`, the table CLIPS.

    `segments` and `tracks` are paths of its ledger and of its table TRACKS, `preset`, `crf`,
    `keyframe_interval` and `threads` are as in `Encoding`, and the others as in `write_clips`.
    """
    with atomic_path(folder) as partial:
        clips = write_clips(
            media,
            sound,
            kept(read_table(segments, SEGMENTS)),
            read_table(tracks, TRACKS),
            partial,
            proxy=proxy,
            crop=crop,
            scale=scale,
            size=size,
            correct_offset=correct_offset,
            encoding=Encoding(preset, crf, keyframe_interval, threads),
        )
    write_table(clips, manifest, CLIPS)


def write_clips(
    media: str | Path,
    sound: str | Path,
    segments: np.recarray,
    tracks: np.recarray,
    folder: str | Path,
    *,
    proxy: Proxy,
    crop: str,
    scale: float | None,
    size: int | None,
    correct_offset: str,
    encoding: Encoding,
) -> np.recarray:
    """Write `{clip}.mp4`, `{clip}.wav` and `{clip}.csv` of every kept segment into `folder`.

    `media` is the raw file, `proxy` what is known of it and `sound` its wav on the grid (see
    `shots.proxy`), `segments` the ledger's kept rows, `tracks` a table TRACKS. The raw file is
    decoded once for all clips. A clip of N frames has exactly N frames and 640 N samples; its csv,
    the table CLIP_FRAMES, gives for every frame the grid frame, the face box and the crop in source
    pixels. Gives the manifest, a table CLIPS, in the order of the clips' beginnings.

    `crop` and `scale` are as in `crop_boxes`, `size` as in `output_size`. `correct_offset` says
    when the sound is moved by the measured offset: `trusted`, `always` or `never`. Raises
    RuntimeError when the file has fewer frames than a segment needs.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for row in segments:
        crops = crop_boxes(crop, _face_boxes(row, tracks), proxy.size_at(row.start_frame), scale)
        shift = _shift(row, correct_offset)
        clips.append(PlannedClip(row, crops, output_size(crop, crops[0], size), shift))
    clips.sort(key=lambda clip: clip.start)
    rows = []
    for clip in clips:
        _write_sound(clip, sound, folder)
        frames = _frame_table(clip, _face_boxes(clip.row, tracks))
        write_table(frames, folder / f"{clip.clip_id}.csv", CLIP_FRAMES)
        rows.append(_manifest_row(clip, crop))
    write_videos(media, proxy.reading, clips, folder, encoding)
    return table_of_rows(CLIPS, rows)


def _face_boxes(row: np.record, tracks: np.recarray) -> np.ndarray:
    """(N, 4) face boxes of a segment, one a frame, x, y, width, height in source pixels."""
    inside = (tracks.frame >= row.start_frame) & (tracks.frame < row.end_frame)
    boxes = tracks[inside & (tracks.track == row.track)]
    boxes = boxes[np.argsort(boxes.frame)]
    return np.stack([boxes[name] for name in _FACE], axis=1)


def _shift(row: np.record, correct_offset: str) -> int:
    """Samples by which the sound is delayed: a positive offset means that it leads."""
    if np.isnan(row.offset):
        return 0
    corrected = correct_offset == "always" or (correct_offset == "trusted" and row.trusted == 1)
    return int(row.offset) * SAMPLES_PER_FRAME if corrected else 0


def _write_sound(clip: PlannedClip, sound: str | Path, folder: Path) -> None:
    """Cut exactly 640 N samples out of the grid's wav, silence beyond its ends."""
    start = clip.start * SAMPLES_PER_FRAME - clip.shift
    stop = clip.end * SAMPLES_PER_FRAME - clip.shift
    samples = np.zeros(stop - start, np.int16)
    part = read_wav(sound, max(start, 0), max(stop, 0))
    offset = max(0, -start)
    samples[offset : offset + len(part)] = part
    write_wav(folder / f"{clip.clip_id}.wav", samples, SAMPLE_RATE)


def write_videos(
    media: str | Path,
    reading: Reading,
    clips: list[PlannedClip],
    folder: Path,
    encoding: Encoding,
) -> None:
    """Write `{clip}.mp4` of all `clips`, ordered by their start, into `folder`, with their sound.

    The raw file is decoded once, and the clips are encoded beside each other. Raises RuntimeError
    when it has fewer frames than a clip needs.
    """
    if not clips:
        return
    rate, _ = sound_format(media, reading)
    rate = rate if rate in AAC_RATES else 48_000
    track = SoundTrack(media, rate=rate, channels=1, reading=reading)
    waiting = list(clips)
    open_clips: list[PlannedClip] = []
    stretches = [(clip.start, clip.end) for clip in clips]
    with Progress() as progress:
        frames = shown_frames(media, stretches, threads=encoding.threads_each, reading=reading)
        for shown in prefetch(frames):
            if not open_clips and not (waiting and waiting[0].start < shown.end):
                continue
            # Once for all clips that show this frame.
            shown = replace(shown, frame=limited_yuv420p(shown.frame, scaler=shown.scaler))
            for k in range(shown.start, shown.end):
                while waiting and waiting[0].start <= k:
                    clip = waiting.pop(0)
                    clip.writer = _open(clip, folder, encoding, shown.frame, track)
                    open_clips.append(clip)
                for clip in open_clips:
                    _write_frame(clip, shown, k)
                progress.add(len(open_clips))
                open_clips = [clip for clip in open_clips if not _finished(clip, k)]
    for clip in clips:
        expected = clip.end - clip.start
        written = clip.writer.frames if clip.writer else clip.written
        if written != expected:
            raise RuntimeError(f"{clip.clip_id}: {written} frames written, expected {expected}")


def _open(
    clip: PlannedClip,
    folder: Path,
    encoding: Encoding,
    colour: av.VideoFrame,
    track: SoundTrack,
) -> VideoWriter:
    """Begin a clip; `colour` is a frame of the source, `track` its sound."""
    delay = clip.shift * track.rate // SAMPLE_RATE
    first = clip.start * track.rate // FPS - delay
    return VideoWriter(
        folder / f"{clip.clip_id}.mp4",
        *clip.size,
        preset=encoding.preset,
        crf=encoding.crf,
        keyframe_interval=encoding.keyframe_interval,
        threads=encoding.threads_each,
        sound=lambda start, stop: track.read(first + start, first + stop),
        sound_rate=track.rate,
        channels=track.channels,
        colour=colour,
    )


def _write_frame(clip: PlannedClip, shown: ShownFrame, k: int) -> None:
    """Write grid frame `k`; a picture that stays, of which the part stays, is cut once."""
    part = clip.parts[k - clip.start]
    if clip.picture is None or clip.source is not shown or (part != clip.part).any():
        clip.picture = frame_from_planes(*clip.cut(shown, part, clip.size, clip.scaler))
        clip.source, clip.part = shown, part
    assert clip.writer is not None
    clip.writer.write(clip.picture)


def _finished(clip: PlannedClip, k: int) -> bool:
    """Whether grid frame `k` was its last; its file is finished then."""
    if k + 1 < clip.end:
        return False
    assert clip.writer is not None
    clip.writer.close()
    clip.written = clip.writer.frames
    clip.writer = clip.picture = clip.source = None  # An encoder holds some 10 MB.
    return True


def _frame_table(clip: PlannedClip, faces: np.ndarray) -> np.recarray:
    """The clip's table CLIP_FRAMES, from its face boxes (N, 4)."""
    frames = np.arange(len(clip.parts))
    return table_of_columns(
        CLIP_FRAMES,
        {
            "frame": frames,
            "source_frame": frames + clip.start,
            **dict(zip(_FACE, faces.round(2).T, strict=True)),
            **dict(zip(_CROP, clip.parts.round(2).T, strict=True)),
        },
    )


def _manifest_row(clip: PlannedClip, policy: str) -> dict[str, Any]:
    """The clip's row of the manifest: what the ledger says of it, too, and its crop."""
    of_ledger = {name: clip.row[name] for name in CLIPS.names if name in SEGMENTS.names}
    return {
        **of_ledger,
        "width": clip.size[0],
        "height": clip.size[1],
        "crop": policy,
        **dict(zip(_CROP, np.median(clip.parts, axis=0).round(2), strict=True)),
        "audio_shift": clip.shift,
    }
