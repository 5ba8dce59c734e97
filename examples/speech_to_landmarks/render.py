"""Show landmarks predicted from speech beside the measured ones: a film with the clip's sound."""

from __future__ import annotations

import argparse
import wave
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import h5py
import numpy as np
from model import load, predict

FPS, RATE = 25, 16_000
SIDE = 480  # pixels of a face's picture
GREY, BLACK = (170, 170, 170), (30, 30, 30)
MEASURED, PREDICTED = (140, 90, 20), (40, 60, 210)  # BGR
# The lines of 300-W's 68 points: first, last, whether they close.
LINES = (
    (0, 16, False), (17, 21, False), (22, 26, False), (27, 30, False), (31, 35, False),
    (36, 41, True), (42, 47, True), (48, 59, True), (60, 67, True),
)  # fmt: skip
LIPS = [61, 62, 63], [67, 66, 65]  # inner edges: above, below


def main() -> None:
    """Predict one clip, write the film, and the picture if it is asked for."""
    options = parse()
    export = Path(options.export)
    results = Path(options.results or export.absolute().parents[1])
    clip, start, features, measured = clip_frames(export / f"{options.side}.h5", options.clip)
    predicted = predict(load(options.weights), features)
    sound = clip_sound(results, clip, start, len(features))
    error = np.sqrt(np.square(predicted - measured).mean())
    print(f"{clip}: {len(features)} frames from {start} on, root mean square error {error:.4f}")
    faces = predicted.reshape(-1, 68, 2), measured.reshape(-1, 68, 2)
    write_film(options.out, film_frames(*faces), sound)
    if options.picture:
        cv2.imwrite(options.picture, picture(*faces, sound), [cv2.IMWRITE_JPEG_QUALITY, 85])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", help="folder with train.h5 and eval.h5")
    parser.add_argument("weights", help="what train.py wrote")
    parser.add_argument("--side", choices=("train", "eval"), default="eval")
    parser.add_argument("--clip", help="its name; the side's first without")
    parser.add_argument("--results", help="folder that has clips/; two above the export without")
    parser.add_argument("--out", default="speech_to_landmarks.mp4")
    parser.add_argument("--picture", help="also draw the clip as one picture, a jpg or png")
    return parser.parse_args()


def clip_frames(path: Path, clip: str | None) -> tuple[str, int, np.ndarray, np.ndarray]:
    """Name and first frame of a clip, features (N, 128) and landmarks (N, 136) of its frames.

    They are put together from its samples, up to the first frame that is in none.
    """
    if not path.exists():
        raise SystemExit(f"{path} is not there: no clip of that side could be used")
    with h5py.File(path) as file:
        names = file["clip_id"].asstr()[:]
        clip = clip or names[0]
        samples = np.flatnonzero(names == clip)
        if not len(samples):
            raise SystemExit(f"{path} has no clip {clip}: it has {', '.join(sorted(set(names)))}")
        starts = file["start_frame"][:]
        samples = samples[np.argsort(starts[samples])]
        first = end = int(starts[samples[0]])
        features, landmarks = [], []
        for sample in samples:
            seen = end - int(starts[sample])
            if seen < 0:
                break
            features.append(file["MelFeatures"][sample, seen:])
            landmarks.append(file["flmark"][sample, seen:])
            end += len(features[-1])
    return clip, first, np.concatenate(features), np.concatenate(landmarks)


def clip_sound(results: Path, clip: str, start: int, frames: int) -> np.ndarray:
    """(640 n,) int16 at 16 kHz: the sound of `frames` frames of a clip."""
    found = sorted(results.glob(f"clips/*/{clip}.wav"))
    if not found:
        raise SystemExit(f"{results}/clips has no {clip}.wav: name the folder with --results")
    with wave.open(str(found[0])) as file:
        file.setpos(start * RATE // FPS)
        return np.frombuffer(file.readframes(frames * RATE // FPS), np.int16)


def draw_face(canvas: np.ndarray, face: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Draw a face (68, 2), in shares of the canvas, onto it."""
    pixels = np.rint(face * len(canvas) * 16).astype(np.int32)
    width = max(1, len(canvas) // 160)
    for first, last, closed in LINES:
        line = pixels[first : last + 1]
        cv2.polylines(canvas, [line], closed, colour, width, cv2.LINE_AA, shift=4)


def film_frames(predicted: np.ndarray, measured: np.ndarray) -> Iterator[np.ndarray]:
    """(480, 960, 3) uint8 BGR pictures of faces (N, 68, 2): predicted left, measured right."""
    for both in zip(predicted, measured, strict=True):
        halves = []
        for face, name, colour in zip(
            both, ("from the sound", "measured"), (PREDICTED, MEASURED), strict=True
        ):
            half = np.full((SIDE, SIDE, 3), 255, np.uint8)
            draw_face(half, face, colour)
            write(half, name, (12, 28), 0.7)
            halves.append(half)
        yield np.hstack(halves)


def write_film(path: str, frames: Iterator[np.ndarray], sound: np.ndarray) -> None:
    """Write BGR pictures at 25 a second with (640 n,) int16 sound."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "20"})
        video.width, video.height, video.pix_fmt = 2 * SIDE, SIDE, "yuv420p"
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        each = RATE // FPS
        for k, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = k, Fraction(1, FPS)
            container.mux(video.encode(frame))
            part = np.ascontiguousarray(sound[None, k * each : (k + 1) * each])
            samples = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            samples.rate, samples.pts, samples.time_base = RATE, k * each, Fraction(1, RATE)
            container.mux(audio.encode(samples))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


def picture(predicted: np.ndarray, measured: np.ndarray, sound: np.ndarray) -> np.ndarray:
    """One picture of a clip: its sound, how far the mouth is open, and faces at eight times."""
    count, across, down, side = 8, 160, 180, 210  # pixels of a face's place, and of its picture
    width = count * across
    # Each face is below its time.
    shown = ((np.arange(count) + 0.5) * len(predicted) / count).astype(int)
    canvas = np.full((252 + 2 * down, width, 3), 255, np.uint8)
    wave_strip, curve_strip = canvas[20:100], canvas[125:225]
    columns = np.array_split(np.abs(sound.astype(np.float32)), width)
    heights = np.array([part.max() for part in columns]) / max(1, np.abs(sound).max()) * 39
    for x, height in enumerate(heights.astype(int)):
        cv2.line(wave_strip, (x, 40 - height), (x, 40 + height), GREY, 1)
    openings = [mouth_opening(faces) for faces in (measured, predicted)]
    low, high = np.min(openings), max(np.max(openings), np.min(openings) + 1e-6)
    for opening, colour in zip(openings, (MEASURED, PREDICTED), strict=True):
        places = (np.arange(len(opening)) + 0.5) * width / len(opening)
        heights = 97 - 94 * (opening - low) / (high - low)
        points = np.rint(np.stack([places, heights], axis=1) * 16).astype(np.int32)
        cv2.polylines(curve_strip, [points], False, colour, 2, cv2.LINE_AA, shift=4)
    for column, k in enumerate(shown):
        left = column * across
        cv2.line(canvas, (left + across // 2, 20), (left + across // 2, 225), GREY, 1)
        for row, (faces, colour) in enumerate(((measured, MEASURED), (predicted, PREDICTED))):
            square = np.full((side, side, 3), 255, np.uint8)
            draw_face(square, faces[k], colour)
            edge = (side - across) // 2
            part = square[side - down :, edge : edge + across]
            canvas[252 + row * down : 252 + (row + 1) * down, left : left + across] = part
        write(canvas, f"{k / FPS:.2f} s", (left + 52, 246), 0.45)
    write(canvas, "sound", (6, 14), 0.45)
    write(canvas, "opening of the mouth: measured,", (6, 118), 0.45, MEASURED)
    write(canvas, "from the sound", (252, 118), 0.45, PREDICTED)
    return canvas


def mouth_opening(faces: np.ndarray) -> np.ndarray:
    """(N,) mean distance of the inner lips of faces (N, 68, 2)."""
    above, below = LIPS
    return np.linalg.norm(faces[:, below] - faces[:, above], axis=2).mean(axis=1)


def write(
    canvas: np.ndarray,
    text: str,
    place: tuple[int, int],
    size: float,
    colour: tuple[int, int, int] = BLACK,
) -> None:
    """Write a line of text whose lower left corner is at `place`."""
    cv2.putText(canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, colour, 1, cv2.LINE_AA)


if __name__ == "__main__":
    main()
