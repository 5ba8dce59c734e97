"""A film of a clip with all that was found in it, for a person to check a dataset by.

Above the clip's name, offset, confidence and probability; then the clip with its geometry, its
parsing and its depth; below the sound, the lips, eyes, head, the sync score and who speaks, over
time. What was not computed is not drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from talkingface.faces.landmark_files import Landmarks, read_landmarks
from talkingface.grid import FPS, SAMPLE_RATE
from talkingface.job.per_clip import make_for_clips
from talkingface.job.tables import read_table
from talkingface.media.audio import read_wav
from talkingface.media.clip_files import Clip, boxes_in_clip
from talkingface.media.prefetch import prefetch
from talkingface.media.sizes import even_size
from talkingface.media.video import limited_yuv420p
from talkingface.media.writer import VideoWriter
from talkingface.overlay import picture
from talkingface.overlay.lanes import (
    TURNS,
    by_frame,
    eyes_lane,
    head_lane,
    sound_lane,
    speaker_lane,
    sync_lane,
)
from talkingface.overlay.plot import BACK, DIM, Lane, Timeline
from talkingface.overlay.text import draw_text, text_width
from talkingface.pictures.depth.depth import read_map
from talkingface.pictures.numbered import numbered_path
from talkingface.pictures.parsing.labels import read_labels
from talkingface.stages import STAGES
from talkingface.tables import (
    CLIP_FRAMES,
    CLIPS,
    EXPRESSION_FRAMES,
    OVERLAY,
    POSE_FRAMES,
    SYNC_FRAMES,
    Table,
)

AREA = 448**2  # pixels of one picture, whatever its shape
NARROWEST = 640  # of the whole, so that the text has room
HEADER = 52
GAP = 8
MARGIN = 12
CRF = 20  # x264's quality: only to be looked at

_WHITE = (240, 240, 240)
# What a person reads, from left to right, the column and the value it holds above: the subject's
# right is on the left. Lips are parted from 4 mm on, in widths of the face between the eyes.
_FLAGS = (
    ("right eye shut", "blink_right", 0.5),
    ("mouth open", "mouth_open", 0.045),
    ("left eye shut", "blink_left", 0.5),
)


# What is shown of a stage that the overlay shows, in its folder of the video.
_FILES = {
    "landmarks": "{clip}.npz",
    "pose": "{clip}.csv",
    "expression": "{clip}.csv",
    "parsing": "{clip}",
    "depth": "{clip}",
}


@dataclass(frozen=True)
class Sources:
    """Files of one clip that are drawn; None: not computed."""

    landmarks: Path | None = None  # npz
    pose: Path | None = None  # table POSE_FRAMES
    expression: Path | None = None  # table EXPRESSION_FRAMES
    parsing: Path | None = None  # folder of label pictures
    depth: Path | None = None  # folder of 16-bit pictures
    sync: Path | None = None  # table SYNC_FRAMES of the video

    @classmethod
    def of_clip(
        cls, clip_id: str, folders: Mapping[str, str | Path], sync_frames: str | Path
    ) -> Self:
        """Those of one clip, from the folders of the stages that are shown, by their names."""
        shown = [stage for stage in STAGES["overlay"].shows if stage in folders]
        files = {stage: Path(folders[stage], _FILES[stage].format(clip=clip_id)) for stage in shown}
        return cls(**files, sync=Path(sync_frames))


def make_overlay(
    clips: Sequence[Clip],
    clips_manifest: str | Path,
    sync_frames: str | Path,
    folders: Mapping[str, str | Path],
    folder: str | Path,
    manifest: str | Path,
    *,
    min_confidence: float | None,
    threads: int,
) -> None:
    """Write the film of each of `clips` to `folder`, and `manifest` (OVERLAY).

    `clips_manifest`: path of the table CLIPS that lists them. `sync_frames`: of the video's table
    SYNC_FRAMES. `folders`: by the name of a stage, where its products of the clips are; stages that
    the overlay does not show are passed over. The others are as in `write_overlay`.
    """
    rows = {row.clip_id: row for row in read_table(clips_manifest, CLIPS)}

    def make(clip: Clip, folder: Path) -> None:
        sources = Sources.of_clip(clip.clip_id, folders, sync_frames)
        write_overlay(
            clip,
            rows[clip.clip_id],
            folder / f"{clip.clip_id}.mp4",
            sources,
            min_confidence=min_confidence,
            threads=threads,
        )

    make_for_clips(make, clips, folder, manifest, OVERLAY)


def write_overlay(
    clip: Clip,
    row: np.record,
    target: str | Path,
    sources: Sources,
    *,
    min_confidence: float | None,
    threads: int,
) -> None:
    """Write the film of one clip, with its sound, to `target`.

    `row` is the clip's row of the table CLIPS, `min_confidence` a sync score to mark, `threads`
    are the encoder's. Raises ValueError when a product has not exactly one entry a frame.
    """
    overlay = Overlay(clip, row, sources, min_confidence)
    scaler = VideoReformatter()

    def encoded(image: np.ndarray) -> av.VideoFrame:
        return limited_yuv420p(av.VideoFrame.from_ndarray(image, "bgr24"), scaler=scaler)

    with VideoWriter(
        target,
        *overlay.size,
        preset="superfast",
        crf=CRF,
        threads=threads,
        sound=partial(read_wav, _wav(clip)),
        sound_rate=SAMPLE_RATE,
        colour=encoded(overlay.background),
    ) as writer:
        for image in prefetch(overlay.frames()):
            writer.write(encoded(image))


class Overlay:
    """The pictures of one clip: `size` (width, height, both even), `frames()` in order.

    Arguments as in `write_overlay`.
    """

    def __init__(
        self, clip: Clip, row: np.record, sources: Sources, min_confidence: float | None
    ) -> None:
        self.clip, self.row, self.sources = clip, row, sources
        self.min_confidence = min_confidence
        boxes = self._table(clip.folder / f"{clip.clip_id}.csv", CLIP_FRAMES)
        self.boxes = boxes_in_clip(boxes, clip.width, clip.height)
        self.landmarks: Landmarks | None = None
        if sources.landmarks is not None:
            self.landmarks = read_landmarks(sources.landmarks)
            self._check(len(self.landmarks.present), sources.landmarks)
        self.angles: np.ndarray | None = None
        if sources.pose is not None:
            pose = self._table(sources.pose, POSE_FRAMES)
            self.angles = np.stack([pose[name] for name in TURNS], axis=1)
        expression: np.recarray | None = None
        self.flags: np.ndarray | None = None
        if sources.expression is not None:
            expression = self._table(sources.expression, EXPRESSION_FRAMES)
            self.flags = np.stack([expression[name] > least for _, name, least in _FLAGS], axis=1)

        self.panel = panel_size(clip.width, clip.height)
        self.panels = 1 + (sources.parsing is not None) + (sources.depth is not None)
        pictures = self.panels * (self.panel[0] + GAP) - GAP
        width = max(pictures, NARROWEST) + 2 * MARGIN
        self.left = (width - pictures) // 2
        lanes = self._lanes(expression, self._scores())
        self.timeline = Timeline(lanes, clip.n_frames, width - 2 * MARGIN)
        height = HEADER + self.panel[1] + GAP + self.timeline.height
        self.size = width + width % 2, height + height % 2
        self.background = self._background()

    def frames(self) -> Iterator[np.ndarray]:
        """One (H, W, 3) uint8 BGR picture for every frame of the clip."""
        parsing = None
        if self.sources.parsing is not None:
            parsing = read_labels(self.sources.parsing, self.clip.n_frames)
        for k, image in enumerate(self.clip.frames()):
            yield self._drawn(k, image, None if parsing is None else next(parsing))

    def _drawn(self, k: int, image: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        canvas = self.background.copy()
        views = [self._view(canvas, number) for number in range(self.panels)]
        image = picture.fitted(image, self.panel)
        views[0][:] = image
        self._draw_geometry(views[0], k)
        if labels is not None:
            views[1][:] = picture.tinted(image, labels)
            picture.draw_title(views[1], "parsing")
        if self.sources.depth is not None:
            values = read_map(numbered_path(self.sources.depth, k + 1))
            views[-1][:] = picture.coloured(values, self.panel)
            picture.draw_title(views[-1], "depth")
            picture.draw_scale(views[-1])
        top = HEADER + self.panel[1] + GAP
        strip = canvas[top : top + self.timeline.height, MARGIN : MARGIN + self.timeline.width]
        self.timeline.draw(strip, k)
        self._draw_time(canvas, k)
        return canvas

    def _draw_geometry(self, view: np.ndarray, k: int) -> None:
        scale = np.array(self.panel) / (self.clip.width, self.clip.height)
        box = self.boxes[k] * [*scale, *scale]
        picture.draw_box(view, box)
        if self.landmarks is not None and not self.landmarks.present[k]:
            picture.draw_title(view, "no face", alarm=True)
        elif self.landmarks is not None:
            points68 = self.landmarks.points68[k] * scale
            picture.draw_landmarks(view, self.landmarks.points[k, :, :2] * scale, points68)
            if self.angles is not None and np.isfinite(self.angles[k]).all():
                picture.draw_axes(view, picture.nose(points68), self.angles[k], 0.3 * box[3])
        if self.flags is not None:
            words = [word for word, *_ in _FLAGS]
            picture.draw_flags(view, list(zip(words, self.flags[k], strict=True)))

    def _draw_time(self, canvas: np.ndarray, k: int) -> None:
        right = canvas.shape[1] - MARGIN
        frame = f"frame {k + 1} / {self.clip.n_frames}"
        draw_text(canvas, frame, right, 18, size=17, colour=_WHITE, align="right")
        draw_text(canvas, f"{k / FPS:.2f} s", right, 39, size=14, colour=DIM, align="right")

    def _background(self) -> np.ndarray:
        """All that stays the same from frame to frame."""
        canvas = np.full((self.size[1], self.size[0], 3), BACK, np.uint8)
        room = canvas.shape[1] - 2 * MARGIN - text_width("frame 00000 / 00000", 17)
        sizes = [s for s in (17, 15, 13, 11) if text_width(self.clip.clip_id, s) <= room]
        draw_text(canvas, self.clip.clip_id, MARGIN, 18, size=max(sizes, default=9), colour=_WHITE)
        draw_text(canvas, "    ".join(self._facts()), MARGIN, 39, size=14, colour=DIM)
        return canvas

    def _facts(self) -> list[str]:
        facts = [f"{self.clip.width} x {self.clip.height}"]
        if not np.isnan(self.row.offset):
            facts.append(f"offset {_offset_words(int(self.row.offset))}")
        if not np.isnan(self.row.confidence):
            facts.append(f"confidence {self.row.confidence:.2f}")
        if not np.isnan(self.row.probability):
            facts.append(f"probability {self.row.probability:.2f}")
        if self.row.audio_shift:
            facts.append(f"sound moved by {1000 * self.row.audio_shift // SAMPLE_RATE} ms")
        return facts

    def _view(self, canvas: np.ndarray, number: int) -> np.ndarray:
        x = self.left + number * (self.panel[0] + GAP)
        return canvas[HEADER : HEADER + self.panel[1], x : x + self.panel[0]]

    def _lanes(self, expression: np.recarray | None, scores: np.recarray | None) -> list[Lane]:
        """What is known over time, from the top down."""
        count, start, track = self.clip.n_frames, int(self.row.start_frame), int(self.row.track)
        frames = range(start, start + count)
        lips = None
        if expression is not None:
            lips = expression.mouth_open
        elif scores is not None:
            lips = by_frame(scores[scores.track == track], "opening", frames)
        lanes = [sound_lane(_wav(self.clip), count, lips)]
        if expression is not None:
            lanes.append(eyes_lane(expression))
        if self.angles is not None:
            lanes.append(head_lane(self.angles))
        if scores is not None:
            lanes.append(sync_lane(scores, track, frames, self.min_confidence))
            lanes.append(speaker_lane(scores, track, frames))
        return lanes

    def _scores(self) -> np.recarray | None:
        """Rows of the sync table that lie in the clip; None where nothing was judged."""
        if self.sources.sync is None:
            return None
        table = read_table(self.sources.sync, SYNC_FRAMES)
        places = table.frame - self.row.start_frame
        table = table[(places >= 0) & (places < self.clip.n_frames)]
        return table if (table.track == self.row.track).any() else None

    def _table(self, path: Path, definition: Table) -> np.recarray:
        """A table of one row a frame."""
        table = read_table(path, definition)
        self._check(len(table), path)
        return table

    def _check(self, count: int, path: Path) -> None:
        if count != self.clip.n_frames:
            raise ValueError(
                f"{path}: {count} frames, but the clip has {self.clip.n_frames}; make it again"
            )


def panel_size(width: int, height: int) -> tuple[int, int]:
    """Even width and height of about AREA in the shape of a clip."""
    scale = (AREA / (width * height)) ** 0.5
    return even_size(width * scale, height * scale)


def _wav(clip: Clip) -> Path:
    return clip.folder / f"{clip.clip_id}.wav"


def _offset_words(offset: int) -> str:
    if offset == 0:
        return "0"
    return f"{offset:+d} (sound {'leads' if offset > 0 else 'lags'})"
