import cv2
import numpy as np
import pytest

from talkingface.job.tables import read_table
from talkingface.pictures.frames import make_frames, write_frames
from talkingface.tables import FRAMES

PNG = {"format": "png", "quality": 95}


def pictures(count):
    ramp = np.linspace(0, 200, 96, dtype=np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    return [ramp + np.array([0, 10, k], np.uint8) for k in range(count)]


def test_png_is_lossless_and_numbered_from_one(tmp_path):
    images = pictures(12)
    assert write_frames(iter(images), tmp_path / "clip", **PNG) == 12
    names = sorted(path.name for path in (tmp_path / "clip").iterdir())
    assert names == [f"{k:06d}.png" for k in range(1, 13)]
    for k, image in enumerate(images, start=1):
        assert (cv2.imread(str(tmp_path / f"clip/{k:06d}.png")) == image).all()


def test_jpg_has_the_quality_asked_for(tmp_path):
    (image,) = pictures(1)
    for quality in (20, 95):
        write_frames([image], tmp_path / str(quality), format="jpg", quality=quality)
    small, large = (tmp_path / q / "000001.jpg" for q in ("20", "95"))
    assert small.stat().st_size < large.stat().st_size
    assert np.abs(cv2.imread(str(large)).astype(int) - image).max() < 10


def test_no_frames(tmp_path):
    assert write_frames([], tmp_path / "clip", **PNG) == 0
    assert list((tmp_path / "clip").iterdir()) == []


def test_what_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "000001.png").mkdir()
    with pytest.raises(OSError, match="000001.png"):
        write_frames(pictures(1), tmp_path / "clip", **PNG)
    with pytest.raises(ValueError, match="choose png or jpg"):
        write_frames(pictures(1), tmp_path / "clip", format="gif", quality=95)


def test_the_stage_writes_every_frame_of_every_clip(two_clips, tmp_path):
    folder, manifest = tmp_path / "frames/v", tmp_path / "frames/v.csv"
    make_frames(two_clips, folder, manifest, **PNG, threads=2)
    for clip in two_clips:
        frames = list(clip.frames())
        assert len(list((folder / clip.clip_id).iterdir())) == len(frames) == clip.n_frames
        for k, frame in enumerate(frames, start=1):
            assert (cv2.imread(str(folder / clip.clip_id / f"{k:06d}.png")) == frame).all()
    assert read_table(manifest, FRAMES).tolist() == [("long", 10), ("short", 3)]
