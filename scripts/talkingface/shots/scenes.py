"""Shot boundaries, found by PySceneDetect on the analysis copy."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode
from scenedetect.detector import SceneDetector

from talkingface.grid import FPS
from talkingface.job.tables import table_of_rows, write_table
from talkingface.shots.proxy import proxy_frames, read_proxy
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
) -> None:
    """Write the table `scenes` (SCENES) of a video's analysis copy; the rest as `make_detector`.

    What stage `proxy` noticed, in the `record` beside the copy, bounds shots too.
    """
    found = find_scenes(proxy_frames(video), make_detector(detector, threshold, min_scene_frames))
    proxy = read_proxy(record)
    shots = divide_scenes(found, proxy.cuts, [(gap.start, gap.end) for gap in proxy.gaps])
    write_table(shots, scenes, SCENES)


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


def find_scenes(frames: Iterable[np.ndarray], detector: SceneDetector) -> np.recarray:
    """The shots of a video, as a table SCENES.

    `frames` are the (H, W, 3) uint8 BGR grid frames in order. The shots cover every frame; where
    there are no frames, there are no rows.
    """
    cuts: set[int] = set()
    count = 0
    position = None
    for image in frames:
        position = FrameTimecode(count, fps=float(FPS))
        scale = WORKING_SIDE / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        cuts.update(cut.frame_num for cut in detector.process_frame(position, image))
        count += 1
    if position is None:
        return table_of_rows(SCENES, [])
    cuts.update(cut.frame_num for cut in detector.post_process(position))
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < count), count]
    return table_of_rows(
        SCENES,
        [
            {"scene": i, "start_frame": start, "end_frame": end}
            for i, (start, end) in enumerate(pairwise(edges))
        ],
    )


def divide_scenes(
    scenes: np.recarray, cuts: Iterable[int], gaps: Iterable[tuple[int, int]]
) -> np.recarray:
    """Shots, a table SCENES, that end at `cuts` as well and have no frame of `gaps` in them.

    cuts: grid frames at which another shot begins. gaps: grid frames [start, end).
    """
    gaps = sorted(gaps)
    edges = sorted({*cuts, *(edge for gap in gaps for edge in gap)})
    parts = []
    for scene in scenes:
        start, end = int(scene.start_frame), int(scene.end_frame)
        inside = [start, *(edge for edge in edges if start < edge < end), end]
        parts += [
            (first, last)
            for first, last in pairwise(inside)
            if not any(begin <= first and last <= stop for begin, stop in gaps)
        ]
    return table_of_rows(SCENES, [(i, *part) for i, part in enumerate(parts)])
