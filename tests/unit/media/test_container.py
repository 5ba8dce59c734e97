"""Which streams of a file are used."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from talkingface.media.container import open_media
from talkingface.media.errors import UnreadableMedia
from talkingface.media.streams import audio_streams, video_streams


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    program = imageio_ffmpeg.get_ffmpeg_exe()
    sounds = ("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono")
    command = [
        *(program, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x48:r=25"),
        *("-f", "lavfi", "-i", "color=red:s=32x32"),
        *(*sounds, *sounds, "-map", "1:v", "-map", "0:v", "-map", "2:a", "-map", "3:a"),
        *("-disposition:v:0", "attached_pic", "-disposition:a:0", "0"),
        *("-disposition:a:1", "default", "-c:v", "mjpeg", "-t", "1", "file:a:b.mp4"),
    ]
    subprocess.run(command, check=True)
    return tmp_path


def test_cover_art_is_no_video_and_the_best_sound_comes_first(folder: Path) -> None:
    with open_media("a:b.mp4") as container:
        assert len(container.streams) == 4
        (video,) = video_streams(container)
        assert (video.width, video.height) == (64, 48)
        best, other = audio_streams(container, video)
        assert best.disposition & av.stream.Disposition.default
        assert not other.disposition & av.stream.Disposition.default
        assert best.index > other.index


def test_what_is_no_media_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("words")
    with pytest.raises(UnreadableMedia, match="not a media file"):
        open_media(tmp_path / "text.mp4")
