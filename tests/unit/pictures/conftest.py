from __future__ import annotations

import av
import numpy as np
import pytest

from talkingface.media.clip_files import Clip
from talkingface.media.video import limited_yuv420p
from talkingface.media.writer import VideoWriter


@pytest.fixture(scope="session")
def two_clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    """Finished clips of 10 and of 3 frames, 32 x 16, in which every frame is a grey of its own."""
    folder = tmp_path_factory.mktemp("clips")
    clips = [Clip("long", 10, 32, 16, folder), Clip("short", 3, 32, 16, folder)]
    for clip in clips:
        with VideoWriter(clip.video, clip.width, clip.height, crf=1, preset="superfast") as writer:
            for k in range(clip.n_frames):
                image = np.full((clip.height, clip.width, 3), 20 + 10 * k, np.uint8)
                writer.write(limited_yuv420p(av.VideoFrame.from_ndarray(image, "bgr24")))
    return clips
