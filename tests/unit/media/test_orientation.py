"""All eight ways in which a picture can be shown, as ffmpeg shows them, and in proxy and clips."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from talkingface.clips.crops import crop_planes
from talkingface.media.orientation import UPRIGHT, Orientation, orientation_of
from talkingface.media.probe import probe
from talkingface.media.video import bgr_frames, limited_yuv420p, shown_frames
from talkingface.shots.proxy import encode_proxy

ONE = 1 << 16  # in the matrix's 16.16 fixed point
# a, b, c, d of the display matrix, ISO 14496-12, 8.2.2: x' = a x + c y, y' = b x + d y.
MATRICES = {
    "upright": (1, 0, 0, 1),
    "mirrored": (-1, 0, 0, 1),
    "upside-down": (-1, 0, 0, -1),
    "flipped": (1, 0, 0, -1),
    "clockwise": (0, 1, -1, 0),
    "transposed": (0, 1, 1, 0),
    "counter-clockwise": (0, -1, 1, 0),
    "transversed": (0, -1, -1, 0),
}
WIDTH, HEIGHT = 96, 64


def picture() -> np.ndarray:
    """Four corners of different colours and a lighter left half: no orientation like another."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[: HEIGHT // 2, : WIDTH // 2] = (40, 40, 220)
    image[: HEIGHT // 2, WIDTH // 2 :] = (40, 220, 40)
    image[HEIGHT // 2 :, : WIDTH // 2] = (220, 40, 40)
    image[HEIGHT // 2 :, WIDTH // 2 :] = (200, 200, 200)
    return image


def shown_by(matrix: tuple[float, ...]) -> np.ndarray:
    """The picture as the matrix shows it, pixel by pixel."""
    a, b, c, d = matrix
    corners = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]]) @ [[a, b], [c, d]]
    left, top = corners.min(axis=0)
    across, down = (corners.max(axis=0) - corners.min(axis=0)).astype(int)
    image = np.zeros((down, across, 3), np.uint8)
    for y in range(HEIGHT):
        for x in range(WIDTH):
            at = np.array([x + 0.5, y + 0.5]) @ [[a, b], [c, d]] - (left, top)
            image[int(at[1]), int(at[0])] = picture()[y, x]
    return image


def write(path: Path, matrix: tuple[float, ...], aspect: Fraction = Fraction(1)) -> Path:
    a, b, c, d = (round(value * ONE) for value in matrix)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "5"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.codec_context.sample_aspect_ratio = aspect
        video.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(picture(), format="bgr24")
            container.mux(video.encode(frame))
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 3200), "f4"), "fltp", "mono")
        silence.sample_rate = 16_000
        container.mux([*video.encode(None), *sound.encode(silence), *sound.encode(None)])
    return path


def difference(image: np.ndarray, truth: np.ndarray) -> float:
    assert image.shape == truth.shape
    return float(np.abs(image.astype(int) - truth).mean())


@pytest.mark.parametrize("name", MATRICES)
def test_pictures_stand_as_the_matrix_says(tmp_path: Path, name: str) -> None:
    path, truth = write(tmp_path / "a.mp4", MATRICES[name]), shown_by(MATRICES[name])
    _, image = next(bgr_frames(path))
    assert difference(image, truth) < 6
    size = probe(path).video
    assert (size.display_width, size.display_height) == truth.shape[1::-1]
    # ffmpeg, which turns by itself.
    still = str(tmp_path / "still.png")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-frames:v", "1"]
    subprocess.run([*command, still], check=True)
    assert difference(cv2.imread(still), truth) < 6
    proxy = encode_proxy(path, tmp_path / "v.mp4", tmp_path / "v.wav", long_side=WIDTH)
    assert proxy.status == "ok"
    _, copied = next(bgr_frames(tmp_path / "v.mp4"))
    assert difference(copied, truth) < 9


@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(4, 3)])
@pytest.mark.parametrize("name", MATRICES)
def test_crops_are_of_the_picture_as_it_stands(tmp_path: Path, name: str, aspect: Fraction) -> None:
    path = write(tmp_path / "a.mp4", MATRICES[name], aspect)
    shown = next(shown_frames(path))
    upright = shown.upright_bgr()
    shown = replace(shown, frame=limited_yuv420p(shown.frame))
    for crop in [(8, 10, 40, 40), (5.5, 7.25, 31.3, 31.3)]:
        y, *_ = crop_planes(shown, np.array(crop, float), (32, 32))
        x0, y0, side, _ = crop
        scale = side / 32
        matrix = np.array([[scale, 0, x0 + scale / 2 - 0.5], [0, scale, y0 + scale / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        luma = cv2.cvtColor(upright, cv2.COLOR_BGR2YUV)[:, :, 0] * (219 / 255) + 16
        truth = cv2.warpAffine(luma.astype(np.uint8), matrix, (32, 32), flags=flags)
        assert np.abs(y.astype(int) - truth)[2:-2, 2:-2].mean() < 4


@pytest.mark.parametrize("degrees", [-44, -10, 10, 44, 100, 130, 181, 260])
def test_angles_between_are_the_nearest_quarter(tmp_path: Path, degrees: int) -> None:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    path = write(tmp_path / "a.mp4", (cos, sin, -sin, cos))
    nearest = {0: "upright", 1: "clockwise", 2: "upside-down", 3: "counter-clockwise"}
    truth = shown_by(MATRICES[nearest[round(degrees / 90) % 4]])
    _, image = next(bgr_frames(path))
    assert difference(image, truth) < 6


def test_a_frame_without_a_matrix_is_upright() -> None:
    assert orientation_of(av.VideoFrame(16, 16, "yuv420p")) == UPRIGHT == Orientation()


def test_a_frame_is_free_once_it_was_looked_at(tmp_path: Path) -> None:
    """Frames that wait for the garbage collector take the memory of hundreds."""
    frame = next(shown_frames(write(tmp_path / "a.mp4", MATRICES["flipped"]))).frame
    before = sys.getrefcount(frame)
    assert orientation_of(frame) == Orientation(flip_y=True)
    assert sys.getrefcount(frame) == before
