/** The small pictures of a stretch, of which one is seen; the pointer or keys go through them. */
import { useEffect, useState } from "preact/hooks";
import { number } from "../data/data";
import { stripPath } from "../data/paths";
import { type Report, rowName } from "../data/report";
import "./strip.css";

/** What a strip is of, how large it is, and where it leads. */
interface StripProps {
  report: Report;
  row: number;
  /** Side of the picture in CSS pixels. */
  size: number;
  /** Where a click or Enter leads. */
  href: string;
  /** -1 takes it out of the order of Tab, in lists that have one place in it. */
  tabIndex?: number;
  /** What the link is called, where the name of the clip alone says too little. */
  label?: string;
}

/** One picture of a strip, a link. It takes its size at once and keeps it, with or without it. */
export function Strip({ report, row, size, href, tabIndex, label }: StripProps) {
  const path = stripPath(report, row);
  const [missing, setMissing] = useState("");
  const pictures = Math.min(
    number(report.candidates, "preview.pictures", row) || 0,
    report.run.strip.pictures,
  );
  const [picture, setPicture] = useState(0);
  // The first picture is often a fade; the one in the middle says more.
  const middle = Math.floor(pictures / 2);
  useEffect(() => setPicture(middle), [row, middle]);
  const shown = Math.min(picture, Math.max(0, pictures - 1));
  const name = label ?? rowName(report.candidates, row);
  return (
    <a
      class="strip"
      href={href}
      tabIndex={tabIndex}
      aria-label={`Open ${name}`}
      style={{ width: `${size}px`, height: `${size}px` }}
      onPointerMove={(event) => {
        const box = event.currentTarget.getBoundingClientRect();
        const at = Math.floor(((event.clientX - box.left) / box.width) * pictures);
        setPicture(Math.max(0, Math.min(pictures - 1, at)));
      }}
      onPointerLeave={() => setPicture(middle)}
      onKeyDown={(event) => {
        if (event.altKey || event.ctrlKey || event.metaKey || !pictures) return;
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (!step) return;
        setPicture((shown + step + pictures) % pictures);
        event.preventDefault();
      }}
    >
      {path && missing !== path ? (
        <>
          <img
            key={path}
            src={path}
            alt=""
            loading="lazy"
            decoding="async"
            draggable={false}
            width={size * pictures}
            height={size}
            style={{ transform: `translateX(${-shown * size}px)` }}
            onError={() => setMissing(path)}
          />
          {pictures > 1 && (
            <span
              class="at"
              style={{ width: `${100 / pictures}%`, left: `${(100 * shown) / pictures}%` }}
            />
          )}
        </>
      ) : (
        <span class="none">no picture</span>
      )}
    </a>
  );
}
