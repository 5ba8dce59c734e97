/** A plot of Observable Plot in a fixed frame, so that nothing moves when it is drawn. */
import * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "preact/hooks";

/** An image has one label; those that Observable Plot gives to its parts are not allowed in it. */
function dropInnerLabels(image: Element): void {
  for (const part of image.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
}

export interface PlotProps {
  /** What the plot shows, for those who cannot see it. */
  label: string;
  height: number;
  /** Gives the plot's options for a width in pixels; anew when one of `of` changes. */
  options: (width: number) => Plot.PlotOptions;
  of: unknown[];
}

export function PlotFrame({ label, height, options, of }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(frame.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!width) return;
    const drawn = Plot.plot({ ...options(width), width, height, ariaLabel: label });
    drawn.setAttribute("role", "img");
    frame.current!.replaceChildren(drawn);
    if (drawn.getAttribute("role") === "img") dropInnerLabels(drawn);
  }, [width, height, label, ...of]);
  return <div ref={frame} class="plot" style={{ height: `${height}px` }} />;
}

export { Plot };
