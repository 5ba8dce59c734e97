/** Colours for pictures of labels, whose grey values are the labels' numbers. */
import type { Run } from "../data/data";

/** Where the filter is found by CSS. */
export const PARSING_FILTER = "url(#parsing-colours)";

/** The filter that gives every label its colour; label 0, the background, becomes transparent.
 *
 * A picture that was opened from disk may be shown but not read, so the browser has to colour it.
 * A table of 256 steps has one step for every grey value.
 */
export function ParsingFilter({ labels }: { labels: Run["labels"] }) {
  const channel = (at: number) =>
    Array.from({ length: 256 }, (_, label) => {
      const colour = labels[label]?.[1];
      return colour ? parseInt(colour.slice(at, at + 2), 16) / 255 : 0;
    }).join(" ");
  return (
    <svg class="svg-filters" width="0" height="0" aria-hidden="true">
      <filter
        id="parsing-colours"
        color-interpolation-filters="sRGB"
        x="0"
        y="0"
        width="1"
        height="1"
      >
        <feComponentTransfer in="SourceGraphic" result="colours">
          <feFuncR type="discrete" tableValues={channel(1)} />
          <feFuncG type="discrete" tableValues={channel(3)} />
          <feFuncB type="discrete" tableValues={channel(5)} />
        </feComponentTransfer>
        <feColorMatrix
          in="SourceGraphic"
          result="known"
          type="matrix"
          values="0 0 0 0 0  0 0 0 0 0  0 0 0 0 0  255 0 0 0 0"
        />
        <feComposite in="colours" in2="known" operator="in" />
      </filter>
    </svg>
  );
}

/** The labels' names beside their colours. */
export function ParsingLegend({ labels }: { labels: Run["labels"] }) {
  return (
    <details class="legend">
      <summary>Colours of the labels</summary>
      <ul>
        {labels.slice(1).map(([name, colour]) => (
          <li key={name}>
            <span class="swatch" style={{ background: colour }} />
            {name}
          </li>
        ))}
      </ul>
      <p class="quiet">
        Background is left clear. <code>l_</code> is left in the picture.
      </p>
    </details>
  );
}
