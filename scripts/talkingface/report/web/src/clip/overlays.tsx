/** What is drawn over the film: landmarks and face box. */
import { useEffect, useRef } from "preact/hooks";
import type { Decoded } from "../data/decode";
import type { Playhead } from "./playhead";

interface FaceCanvasProps {
  playhead: Playhead;
  decoded: Decoded | null;
  /** Size of the clip in pixels. */
  width: number;
  height: number;
  points: boolean;
  box: boolean;
}

/** Draws points and box of the frame that the film shows, as fine as the screen is.
 *
 * Only what was measured is drawn on it, so that the canvas stays readable: `data-frame` says of
 * which frame the drawing is.
 */
export function FaceCanvas({ playhead, decoded, width, height, points, box }: FaceCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current!;
    const context = element.getContext("2d")!;
    let across = 0;
    const draw = () => {
      const frame = playhead.shown;
      element.dataset.frame = String(frame);
      // As many pixels as the screen has, which changes when the page goes to another screen.
      const dense = Math.max(1, Math.round(across * devicePixelRatio));
      const down = Math.max(1, Math.round((dense * height) / width) || 1);
      if (element.width !== dense || element.height !== down) {
        element.width = dense;
        element.height = down;
      }
      context.clearRect(0, 0, element.width, element.height);
      if (!decoded || !width || !height) return;
      const scale = element.width / width;
      const style = getComputedStyle(element);
      if (box) drawBox(context, decoded, frame, scale, devicePixelRatio, style);
      if (points) drawPoints(context, decoded, frame, scale, devicePixelRatio, style);
    };
    const observer = new ResizeObserver(([entry]) => {
      across = entry.contentRect.width;
      draw();
    });
    observer.observe(element);
    draw();
    const leave = playhead.subscribe(() => {
      if (element.dataset.frame !== String(playhead.shown)) draw();
    });
    return () => {
      leave();
      observer.disconnect();
      element.width = element.height = 1;
    };
  }, [playhead, decoded, width, height, points, box]);
  return <canvas ref={canvas} class="faces" aria-hidden="true" />;
}

function drawBox(
  context: CanvasRenderingContext2D,
  decoded: Decoded,
  frame: number,
  scale: number,
  line: number,
  style: CSSStyleDeclaration,
): void {
  const found = decoded.box(frame);
  if (!found) return;
  const [x, y, across, down] = found.map((value) => value * scale);
  for (const [colour, width] of [
    ["--over-rim", 4],
    ["--over-box", 2],
  ] as const) {
    context.strokeStyle = style.getPropertyValue(colour);
    context.lineWidth = width * line;
    context.strokeRect(x, y, across, down);
  }
}

function drawPoints(
  context: CanvasRenderingContext2D,
  decoded: Decoded,
  frame: number,
  scale: number,
  line: number,
  style: CSSStyleDeclaration,
): void {
  const found = decoded.points(frame);
  if (!found) return;
  // A dark rim keeps a point visible on every ground.
  for (const [colour, radius] of [
    ["--over-rim", 2.75],
    ["--over-point", 1.75],
  ] as const) {
    context.fillStyle = style.getPropertyValue(colour);
    for (const [x, y] of found) {
      context.beginPath();
      context.arc(x * scale, y * scale, radius * line, 0, 2 * Math.PI);
      context.fill();
    }
  }
}
