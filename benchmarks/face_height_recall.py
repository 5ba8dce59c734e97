"""How small a face may be and still be found: recall and false positives against face height.

Pastes faces (scikit-image's astronaut and, where ../shared/samples exists, both samples' people)
at random places, turned by up to 20 degrees, on pictures without one, passes them through JPEG
(quality 80, for the proxy's compression) and runs `talkingface.faces.detection` on them.

    python benchmarks/face_height_recall.py [--width 640 --height 360 --min-face 33 --count 120]

Columns: face height in the proxy (forehead to chin, see detection.py) and in a source three times
as large (1080p); recall at score 0.5 (continues a track) and 0.75 (starts one), in percent; false
positives per 100 frames at both; mean IoU with the truth. A box counts as the face at IoU > 0.4.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from helpers.pasted_faces import Face, astronaut, background, iou, paste  # noqa: E402
from talkingface.faces import detection  # noqa: E402

SAMPLES = ROOT.parent / "shared" / "samples"
HEIGHTS = (12, 16, 20, 24, 27, 30, 33, 36, 40, 45, 50, 60, 70, 80, 100, 120, 160, 200)
BACKGROUNDS = ("coffee", "rocket", "chelsea", "stereo_motorcycle")


def sample_pictures() -> tuple[list[Face], list[np.ndarray]]:
    """The samples' faces (outlined by the mesh), and one sample's body and hands as background."""
    from mediapipe.python.solutions.face_mesh import FaceMesh

    faces, bodies = [], []
    for name in ("seated_woman", "FAzSK8PLmGI"):
        path = SAMPLES / f"{name}.mp4"
        if not path.exists():
            continue
        with av.open(str(path)) as media:
            frames = [
                frame.to_ndarray(format="bgr24")
                for k, frame in enumerate(media.decode(video=0))
                if k in (20, 60, 100)
            ]
        with FaceMesh(static_image_mode=False, max_num_faces=1) as mesh:
            for _ in range(6):  # its outline settles over a few looks at the same frame
                found = mesh.process(cv2.cvtColor(frames[0], cv2.COLOR_BGR2RGB))
        size = frames[0].shape[1::-1]
        points = np.array([(p.x, p.y) for p in found.multi_face_landmarks[0].landmark]) * size
        faces.append(Face(frames[0], points))
        if name == "seated_woman":
            bodies = [frame[1000:1607] for frame in frames]
    return faces, bodies


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--min-face", type=float, default=detection.MIN_FACE)
    parser.add_argument("--count", type=int, default=120)
    args = parser.parse_args()
    width, height = args.width, args.height

    faces, bodies = sample_pictures()
    faces.append(astronaut())
    canvases = [background(name, width, height) for name in BACKGROUNDS]
    canvases += [cv2.resize(body, (width, height), interpolation=cv2.INTER_AREA) for body in bodies]
    random = np.random.default_rng(0)
    spent, pictures, blanks = 0.0, 0, []
    with detection.load(min_face=args.min_face) as detector:
        tiles = len(detection.views(width, height, args.min_face))
        print(f"{width}x{height}, min_face {args.min_face:g}: {tiles} views, {len(faces)} faces, "
              f"{len(canvases)} backgrounds, {args.count} frames a height")  # fmt: skip
        print("proxy px | 1080p px | recall .5 | recall .75| FP/100 .5 | FP/100 .75| IoU | score")
        for tall in HEIGHTS:
            frames, truths = [], []
            for i in range(args.count):
                face = faces[i % len(faces)]
                canvas = canvases[(i // len(faces)) % len(canvases)]
                x, y = (random.uniform(min(0.6 * tall, n / 2), max(n - 0.6 * tall, n / 2))
                        for n in (width, height))  # fmt: skip
                picture, truth = paste(canvas, face, x, y, tall, random.uniform(-20, 20))
                jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
                frames.append(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
                truths.append(truth)
            began = time.perf_counter()
            results = detector.run(frames)
            spent += time.perf_counter() - began
            pictures += len(frames)
            scores, false, overlaps = [], [], []
            for boxes, truth in zip(results, truths, strict=True):
                ious = np.array([iou(box, truth) for box in boxes])
                hit = ious > 0.4 if len(boxes) else np.zeros(0, bool)
                scores.append(boxes[hit, 4].max() if hit.any() else 0.0)
                overlaps += [ious.max()] if hit.any() else []
                false += [box[4] for box, good in zip(boxes, hit, strict=True) if not good]
            scores, false = np.array(scores), np.array(false)
            per = 100 / args.count
            print(
                f"{tall:8d} | {3 * tall:8d} | {(scores >= 0.5).sum() * per:9.0f} | "
                f"{(scores >= 0.75).sum() * per:9.0f} | {(false >= 0.5).sum() * per:9.1f} | "
                f"{(false >= 0.75).sum() * per:9.1f} | {np.mean(overlaps or [0]):.2f} | "
                f"{np.median(scores):.2f}",
                flush=True,
            )
        blanks = [box for boxes in detector.run(canvases) for box in boxes]
        began = time.perf_counter()
        for _ in range(20):
            detector.run(canvases)
        blank_ms = (time.perf_counter() - began) / 20 / len(canvases) * 1e3
    print(f"{len(blanks)} boxes on the {len(canvases)} backgrounds alone")
    print(f"{spent / pictures * 1e3:.1f} ms a frame with one face, {blank_ms:.1f} ms without")


if __name__ == "__main__":
    main()
