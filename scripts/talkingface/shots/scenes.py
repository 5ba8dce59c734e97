"""Shot boundaries on the analysis copy: cuts by PySceneDetect, gradual ones by `transitions`.

The frames of a gradual transition show two shots at once, so they belong to neither. A camera flash
is no boundary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode
from scenedetect.detector import SceneDetector

from talkingface.grid import FPS
from talkingface.job.tables import table_of_rows, write_table
from talkingface.shots.flashes import Shown, without_flashes
from talkingface.shots.proxy import proxy_frames, read_proxy
from talkingface.shots.transitions import TransitionFinder, small_picture
from talkingface.tables import SCENES

# Longer side of the pictures compared; PySceneDetect itself scales to about this width.
WORKING_SIDE = 256
# PySceneDetect's own thresholds.
THRESHOLDS = {"content": 27.0, "adaptive": 3.0}


def make_scenes(
    video: str | Path,
    record: str | Path,
    scenes: str | Path,
    *,
    detector: str,
    threshold: float | None,
    min_scene_frames: int,
    gradual: bool,
) -> None:
    """Write the table `scenes` (SCENES) of a video's analysis copy.

    The settings are those of `make_detector` and `find_scenes`. What stage `proxy` noticed, in the
    `record` beside the copy, bounds shots too.
    """
    proxy = read_proxy(record)
    found = find_scenes(
        proxy_frames(video),
        make_detector(detector, threshold, min_scene_frames),
        min_scene_frames=min_scene_frames,
        gradual=gradual,
        cuts=proxy.cuts,
        gaps=[(gap.start, gap.end) for gap in proxy.gaps],
    )
    write_table(found, scenes, SCENES)


def make_detector(detector: str, threshold: float | None, min_scene_frames: int) -> SceneDetector:
    """PySceneDetect's `content` or `adaptive` detector.

    `threshold` is on the detector's own scale, None for its default (27 and 3). Shots shorter
    than `min_scene_frames` grid frames are merged into their neighbour. Raises ValueError for
    another detector.
    """
    if detector not in THRESHOLDS:
        raise ValueError(f"unknown scene detector {detector!r}: choose content or adaptive")
    threshold = THRESHOLDS[detector] if threshold is None else threshold
    if detector == "content":
        return ContentDetector(threshold=threshold, min_scene_len=min_scene_frames)
    return AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=min_scene_frames)


def find_scenes(
    frames: Iterable[np.ndarray],
    detector: SceneDetector,
    *,
    min_scene_frames: int,
    gradual: bool,
    cuts: Iterable[int] = (),
    gaps: Iterable[tuple[int, int]] = (),
) -> np.recarray:
    """The shots of a video, as a table SCENES.

    `frames` are the (H, W, 3) uint8 BGR grid frames in order. With `gradual` transitions are
    looked for besides what `detector` finds; among them are cuts that it missed, which count if
    they are `min_scene_frames` or more from its own. `cuts` and `gaps` are boundaries that are
    known otherwise, see `shots_between`. Where there are no frames, there are no rows.
    """
    sudden: set[int] = set()
    transitions = TransitionFinder()
    count = 0
    position = None
    for image, picture in without_flashes(_shown(frames)):
        position = FrameTimecode(count, fps=float(FPS))
        sudden.update(cut.frame_num for cut in detector.process_frame(position, image))
        if gradual:
            transitions.add(picture)
        count += 1
    if position is None:
        return table_of_rows(SCENES, [])
    sudden.update(cut.frame_num for cut in detector.post_process(position))
    found = transitions.finish()
    sudden |= {
        end
        for start, end in found
        if start == end and all(abs(cut - end) >= min_scene_frames for cut in sudden)
    }
    between = [gap for gap in found if gap[0] < gap[1]]
    return shots_between(count, sudden | set(cuts), [*between, *gaps])


def _shown(frames: Iterable[np.ndarray]) -> Iterator[Shown]:
    """The frames at the size at which they are compared."""
    for image in frames:
        scale = WORKING_SIDE / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        yield Shown(image, small_picture(image))


def shots_between(
    n_frames: int, cuts: Iterable[int], gaps: Iterable[tuple[int, int]]
) -> np.recarray:
    """The shots of a video of so many frames, as a table SCENES.

    `cuts` are first frames of shots; `gaps` (start, end), end exclusive, are frames that belong to
    no shot. Both may come in any order, overlap, and reach beyond the video.
    """
    change = np.zeros(n_frames + 1, bool)
    outside = np.zeros(n_frames + 1, bool)
    change[[cut for cut in cuts if 0 < cut < n_frames]] = True
    for start, end in gaps:
        outside[max(0, start) : max(0, end)] = True
    outside[n_frames] = True
    rows: list[dict[str, int]] = []
    first: int | None = None
    for frame in range(n_frames + 1):
        if first is not None and (outside[frame] or change[frame]):
            rows.append({"scene": len(rows), "start_frame": first, "end_frame": frame})
            first = None
        if first is None and not outside[frame]:
            first = frame
    return table_of_rows(SCENES, rows)
