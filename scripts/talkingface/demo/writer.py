"""Writing a video of any frame rate, the same bytes every time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from talkingface.demo.portrait import Image

Array = npt.NDArray[np.float64]


def write_video(
    path: Path,
    frames: Iterable[Image],
    rate: Fraction,
    sound: Array | None = None,
    audio_rate: int = 48000,
) -> None:
    """Write an mp4 (H.264, AAC) whose first frame and first sample are both at time 0.

    `frames` are (H, W, 3) BGR with even sides, `rate` of them a second; `sound` is (1 or 2, n)
    float within +-1 at `audio_rate` Hz. The AAC encoder's priming samples get negative times, which
    the mp4's edit list takes off again.
    """
    with av.open(str(path), "w") as container:
        # With x264's macroblock tree the bytes differ from run to run (libx264 of PyAV 18.1).
        options = {"preset": "superfast", "crf": "23", "x264-params": "mbtree=0"}
        video_stream: Any = container.add_stream("libx264", rate=rate, options=options)
        video_stream.pix_fmt = "yuv420p"
        # The bytes depend on the number of threads, so it is fixed.
        video_stream.codec_context.thread_count = 2
        audio_stream: Any = None
        if sound is not None:
            audio_stream = container.add_stream("aac", rate=audio_rate)
            audio_stream.layout = "mono" if len(sound) == 1 else "stereo"
            audio_stream.bit_rate = 96000 * len(sound)
        samples_written = 0
        for index, image in enumerate(frames):
            if index == 0:
                video_stream.height, video_stream.width = image.shape[:2]
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(video_stream.encode(frame))
            # Sound and picture are written side by side, so that little is held back.
            if sound is not None:
                until = min(sound.shape[1], round((index + 12) / rate * audio_rate))
                container.mux(_encoded(audio_stream, sound, samples_written, until, audio_rate))
                samples_written = max(samples_written, until)
        if sound is not None:
            container.mux(
                _encoded(audio_stream, sound, samples_written, sound.shape[1], audio_rate)
            )
            container.mux(audio_stream.encode(None))
        container.mux(video_stream.encode(None))


def _encoded(stream: Any, sound: Array, start: int, end: int, rate: int) -> list[av.Packet]:
    """Packets of the samples `start` to `end` (exclusive), none where that is nothing."""
    if end <= start:
        return []
    part = np.ascontiguousarray(sound[:, start:end], dtype=np.float32)
    layout = "mono" if len(sound) == 1 else "stereo"
    frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return list(stream.encode(frame))
