"""Shot boundaries, found by PySceneDetect on the analysis copy."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np
import pandas as pd
from scenedetect import AdaptiveDetector, ContentDetector, FrameTimecode
from scenedetect.detector import SceneDetector

from talkingface.grid import FPS

COLUMNS = ["scene", "start_frame", "end_frame"]

# Longer side of the pictures compared; PySceneDetect itself scales to about this width.
WORKING_SIDE = 256


def make_detector(
    detector: str = "content", threshold: float | None = None, min_scene_frames: int = 15
) -> SceneDetector:
    """PySceneDetect's `content` or `adaptive` detector.

    `threshold` is on the detector's own scale, None for its default (27 and 3). Shots shorter
    than `min_scene_frames` grid frames are merged into their neighbour.
    """
    if detector == "content":
        threshold = 27.0 if threshold is None else threshold
        return ContentDetector(threshold=threshold, min_scene_len=min_scene_frames)
    if detector == "adaptive":
        threshold = 3.0 if threshold is None else threshold
        return AdaptiveDetector(adaptive_threshold=threshold, min_scene_len=min_scene_frames)
    raise ValueError(f"unknown scene detector {detector!r}: choose content or adaptive")


def find_scenes(frames: Iterable[np.ndarray], detector: SceneDetector) -> pd.DataFrame:
    """Cut a video into shots.

    `frames` are the (H, W, 3) uint8 BGR grid frames in order. Gives one row a shot: number, first
    frame, end frame (exclusive); the shots cover every frame. No frames: no rows.
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
        return pd.DataFrame(columns=COLUMNS)
    cuts.update(cut.frame_num for cut in detector.post_process(position))
    edges = [0, *sorted(cut for cut in cuts if 0 < cut < count), count]
    rows = [(i, start, end) for i, (start, end) in enumerate(pairwise(edges))]
    return pd.DataFrame(rows, columns=COLUMNS)
