/** A plot of Observable Plot in a fixed frame, so that nothing moves when it is drawn. */
import * as Plot from "@observablehq/plot";
import { useEffect, useRef, useState } from "preact/hooks";

/** An image has one label; those that Observable Plot gives to its parts are not allowed in it. */
function dropInnerLabels(image: Element): void {
  for (const part of image.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
}

interface PlotProps {
  /** What the plot shows, for those who cannot see it. */
  label: string;
  height: number;
  /** Gives the plot's options for a width in pixels; anew when one of `of` changes. */
  options: (width: number) => Plot.PlotOptions;
  of: unknown[];
}

/** A plot as wide as there is room, drawn anew when that changes. */
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
    const links = [...drawn.querySelectorAll<SVGAElement>("a")];
    drawn.setAttribute("role", links.length ? "group" : "img");
    walkByArrows(links);
    // Of a picture nobody is told the parts; in a group only what has a role may be named.
    if (links.length) drawn.querySelectorAll("g").forEach((part) => part.removeAttribute("aria-label"));
    frame.current!.replaceChildren(drawn);
    if (drawn.getAttribute("role") === "img") dropInnerLabels(drawn);
  }, [width, height, label, ...of]);
  return <div ref={frame} class="plot" style={{ height: `${height}px` }} />;
}

/** Makes links of a plot one stop of the Tab key, from which the arrow keys go to the others. */
function walkByArrows(links: SVGAElement[]): void {
  links.forEach((link, place) => {
    link.setAttribute("href", link.href.baseVal);
    link.setAttribute("tabindex", place === 0 ? "0" : "-1");
    const named = link.querySelector("[aria-label]");
    link.setAttribute("aria-label", named?.getAttribute("aria-label") ?? "");
    named?.removeAttribute("aria-label");
    link.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      const next = step === undefined ? undefined : links[place + step];
      if (!next) return;
      event.preventDefault();
      link.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

export { Plot };
