/** The frame that is looked at, which the film, the curves and the pictures beside it share. */
import { useEffect, useRef, useState } from "preact/hooks";
import { FPS } from "../data/grid";

type Listener = () => void;

/** As many frames as a browser may be wrong by in the time of a frame that it has drawn. */
const MOST_LATE = 4;

/** The frame on screen at a time of a film; a frame stays until the next one begins. */
function frameAt(seconds: number): number {
  // Times in a file are rounded, so a frame may begin a little before its time.
  return Math.floor(seconds * FPS + 0.01);
}

/** Where in a clip one looks. Works without a film, too, and with one that cannot be shown: then
 * what is beside the film moves alone.
 *
 * `frame` is the frame that was asked for or is played, from 0; `shown` the one that the film
 * really shows, which comes a little later while it seeks.
 */
export class Playhead {
  frame = 0;
  shown = 0;
  playing = false;
  private film: HTMLVideoElement | null = null;
  /** The frame to which the film was sent last. */
  private target = -1;
  private listeners = new Set<Listener>();

  constructor(
    readonly frames: number,
    start = 0,
  ) {
    this.frame = this.shown = this.inside(start);
  }

  /** Calls `listener` after every change; gives what ends that. */
  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Goes to a frame; one that is before the first or after the last is the first or the last. */
  seek(frame: number): void {
    this.frame = this.inside(Math.round(frame));
    if (!this.film || this.film.error) this.shown = this.frame;
    else if (!this.film.seeking) this.seekFilm();
    this.tell();
  }

  step(by: number): void {
    this.film?.pause();
    this.seek(this.frame + by);
  }

  toggle(): void {
    const film = this.film;
    if (!film) return;
    if (!film.paused) film.pause();
    // A browser may refuse to play, which its own controls show.
    else film.play().catch(() => undefined);
  }

  /** Follows a film and leads it; gives what ends that. */
  attach(film: HTMLVideoElement): () => void {
    this.film = film;
    let request = 0;
    const exact = "requestVideoFrameCallback" in film;
    // In WebKit a frame's time is that of a later one, by as many as the codec holds back. How many
    // is seen at the first frame that rests; one that was drawn before that was sought is no later.
    let late: number | undefined;
    const drawn = (_now: number, { mediaTime }: VideoFrameCallbackMetadata) => {
      const by = frameAt(mediaTime) - this.target;
      if (!film.paused) this.show(frameAt(mediaTime) - (late ?? 0));
      else if (late === undefined && this.rests() && by >= 0 && by <= MOST_LATE) late = by;
      request = film.requestVideoFrameCallback(drawn);
    };
    // Without the callback of frames the time is looked at whenever the screen is drawn.
    const look = () => {
      this.show(frameAt(film.currentTime));
      request = requestAnimationFrame(look);
    };
    const changed = () => {
      this.playing = !film.paused && !film.ended;
      this.tell();
    };
    const paused = () => {
      changed();
      const now = frameAt(film.currentTime);
      if (film.ended) this.show(now);
      // A browser may draw one more frame as it pauses, of which it does not tell.
      else if (this.rests()) {
        // Of what is played in a tab that is not seen, it tells of no frame at all.
        if (Math.abs(now - this.frame) > MOST_LATE) this.frame = this.inside(now);
        this.seekFilm();
      }
    };
    let byOthers = false;
    const seeking = () => {
      // Of a seek by the film's own controls the playhead learns here.
      const to = this.inside(frameAt(film.currentTime));
      if (to !== this.target) {
        byOthers = true;
        this.frame = this.target = to;
      }
      this.tell();
    };
    const sought = () => {
      // Where others go to is no middle of a frame.
      const between = byOthers && film.paused && !film.ended;
      byOthers = false;
      if (between || this.frame !== this.target) this.seekFilm();
      else this.show(frameAt(film.currentTime));
    };
    const ready = () => {
      this.target = this.inside(frameAt(film.currentTime));
      if (this.frame !== this.target) this.seekFilm();
    };
    const failed = () => {
      this.playing = false;
      this.shown = this.frame;
      this.tell();
    };
    const events: [string, Listener][] = [
      ["play", changed],
      ["pause", paused],
      ["ended", paused],
      ["seeking", seeking],
      ["seeked", sought],
      ["loadedmetadata", ready],
      ["error", failed],
    ];
    for (const [name, hear] of events) film.addEventListener(name, hear);
    if (film.readyState >= HTMLMediaElement.HAVE_METADATA) ready();
    request = exact ? film.requestVideoFrameCallback(drawn) : requestAnimationFrame(look);
    return () => {
      for (const [name, hear] of events) film.removeEventListener(name, hear);
      if (exact) film.cancelVideoFrameCallback(request);
      else cancelAnimationFrame(request);
      this.film = null;
      this.playing = false;
    };
  }

  private seekFilm(): void {
    this.target = this.frame;
    // The middle of the frame, so that rounding cannot lead to one beside it.
    this.film!.currentTime = (this.frame + 0.5) / FPS;
  }

  /** Whether the film is paused at the frame that was asked for. */
  private rests(): boolean {
    return !!this.film?.paused && !this.film.seeking && this.frame === this.target;
  }

  private show(drawn: number): void {
    const { frame: asked, shown } = this;
    const frame = this.inside(drawn);
    this.shown = frame;
    // While the film is on its way to the frame that was asked for, that stays the frame.
    if (!this.film?.seeking && asked === this.target) this.frame = this.target = frame;
    if (asked !== this.frame || shown !== frame) this.tell();
  }

  private inside(frame: number): number {
    return Math.max(0, Math.min(this.frames - 1, Number.isFinite(frame) ? frame : 0));
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** What `read` gives of the playhead; draws the component again when that changes. */
export function usePlayhead<T extends string | number | boolean | null>(
  playhead: Playhead,
  read: (playhead: Playhead) => T,
): T {
  const [, setValue] = useState<T>(() => read(playhead));
  const latest = useRef(read);
  latest.current = read;
  useEffect(() => {
    const update = () => setValue(() => latest.current(playhead));
    update();
    return playhead.subscribe(update);
  }, [playhead]);
  // Read anew, as `read` may look at what has just come.
  return read(playhead);
}
