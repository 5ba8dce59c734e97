"""Short films cut from the demonstration's, for tests that need a speaker but no long one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from talkingface.demo.videos import Video, demo_videos, write_video


def demo_video(name: str) -> Video:
    """A film of the demonstration, not yet drawn."""
    return next(video for video in demo_videos() if video.video_id == name)


def shortened(video: Video, shots: Sequence[int], frames: int) -> Video:
    """The first frames of some of a film's shots."""
    samples = round(frames / video.rate * video.audio_rate)
    parts = [video.shots[index] for index in shots]
    short = [
        replace(shot, frames=frames, sound=None if shot.sound is None else shot.sound[:samples])
        for shot in parts
    ]
    return replace(video, shots=tuple(short))


def draw(video: Video, path: Path) -> None:
    """Write a film into a file."""
    write_video(path, video.frames(), video.rate, video.sound(), video.audio_rate)
