/** The grid of time on which all frames lie: 25 a second, as in grid.py. */

/** Frames a second of every video's grid and of every clip. */
export const FPS = 25;

/** A number of frames in seconds. */
export function secondsOf(frames: number): number {
  return frames / FPS;
}
