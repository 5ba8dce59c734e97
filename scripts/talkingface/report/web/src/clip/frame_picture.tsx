/** A picture for every frame of a clip, of which the one of the frame that is shown is seen. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Playhead } from "./playhead";

interface FramePictureProps {
  playhead: Playhead;
  /** Address of the picture of a frame, from 0. */
  address: (frame: number) => string;
  /** Changes when the addresses do. */
  of: string;
  /** What the pictures show. */
  label: string;
  class?: string;
  style?: Record<string, string>;
  /** Whether the pictures only repeat what is said elsewhere. */
  decorative?: boolean;
}

/** The picture of the frame that the film shows.
 *
 * One picture is fetched at a time, so that while the film plays faster than pictures come, some
 * are left out and the newest follows; `data-frame` says which one is seen.
 */
export function FramePicture(props: FramePictureProps) {
  const { playhead, address, of, label, decorative } = props;
  const image = useRef<HTMLImageElement>(null);
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    const picture = image.current!;
    let fetched = -1;
    let busy = false;
    setMissing(false);
    const follow = () => {
      if (busy || playhead.shown === fetched) return;
      busy = true;
      fetched = playhead.shown;
      picture.src = address(fetched);
    };
    picture.onload = () => {
      busy = false;
      picture.dataset.frame = String(fetched);
      setMissing(false);
      follow();
    };
    picture.onerror = () => {
      busy = false;
      delete picture.dataset.frame;
      setMissing(true);
      follow();
    };
    follow();
    const leave = playhead.subscribe(follow);
    return () => {
      leave();
      // The picture keeps its address: Chromium never lets go of one that is given another after it
      // has left the page.
      picture.onload = picture.onerror = null;
    };
  }, [playhead, of]);
  return (
    <>
      <img
        ref={image}
        class={props.class}
        style={{ ...props.style, visibility: missing ? "hidden" : "visible" }}
        alt={decorative ? "" : label}
        draggable={false}
      />
      {missing && !decorative && <span class="nothing">This picture is not there.</span>}
    </>
  );
}
