/** The arrays of a Detail, which come as base64. */
import type { Detail } from "./data";

/** Coordinates are in eighths of a pixel of the clip. */
const PER_PIXEL = 8;
const NO_FACE = 65535;

/** x and y in clip pixels. */
export type Point = [x: number, y: number];

/** x and y of the top left corner, width and height, in clip pixels. */
export type Box = [x: number, y: number, width: number, height: number];

/** Curves of sound, and faces by frames. */
export interface Decoded {
  /** Least and most sample of every hundredth of a second, -1 to 1, one after the other. */
  sound: Float32Array | null;
  /** The 68 points of a frame; null without a face. */
  points(frame: number): Point[] | null;
  /** The face box of a frame; null without a face. */
  box(frame: number): Box | null;
  hasPoints: boolean;
  hasBoxes: boolean;
}

/** What is in the arrays of `detail`. Frames beyond an array's end have no face. */
export function decodeDetail(detail: Detail): Decoded {
  const points = detail.points68 === null ? null : words(detail.points68);
  const boxes = detail.boxes === null ? null : words(detail.boxes);
  return {
    sound: detail.sound === null ? null : samples(detail.sound),
    hasPoints: points !== null,
    hasBoxes: boxes !== null,
    points(frame) {
      const at = frame * 136;
      if (!points || at + 136 > points.length || points[at] === NO_FACE) return null;
      return Array.from({ length: 68 }, (_, point) => [
        points[at + 2 * point] / PER_PIXEL,
        points[at + 2 * point + 1] / PER_PIXEL,
      ]);
    },
    box(frame) {
      const at = frame * 4;
      if (!boxes || at + 4 > boxes.length) return null;
      // Boxes may reach beyond the picture, so they have signs.
      const [x, y, width, height] = Int16Array.from(boxes.subarray(at, at + 4));
      if (width <= 0 || height <= 0) return null;
      return [x / PER_PIXEL, y / PER_PIXEL, width / PER_PIXEL, height / PER_PIXEL];
    },
  };
}

function bytes(base64: string): Uint8Array {
  const text = atob(base64);
  const found = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) found[place] = text.charCodeAt(place);
  return found;
}

/** Little endian whatever the machine is. */
function words(base64: string): Uint16Array {
  const read = bytes(base64);
  const found = new Uint16Array(read.length >> 1);
  for (let place = 0; place < found.length; place++) {
    found[place] = read[2 * place] | (read[2 * place + 1] << 8);
  }
  return found;
}

function samples(base64: string): Float32Array {
  return Float32Array.from(new Int8Array(bytes(base64).buffer), (sample) => sample / 127);
}
