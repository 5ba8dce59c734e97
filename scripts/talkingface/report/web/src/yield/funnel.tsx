/** The way from videos to kept clips as a funnel, and the reasons of all losses. */
import { Fragment } from "preact";
import { length, share } from "../shared/quantity";
import type { LossRow, Step } from "./steps";

/** Bars as wide as what is left is long, one below the other. */
export function Funnel({ steps }: { steps: Step[] }) {
  const widest = Math.max(...steps.map(({ seconds }) => seconds));
  const width = (step: Step) => (widest > 0 ? Math.max((100 * step.seconds) / widest, 0.4) : 0.4);
  return (
    <ol class="funnel">
      {steps.map((step, place) => (
        <li class={place === steps.length - 1 ? "last" : undefined} data-step={step.name} data-seconds={step.seconds}>
          {place > 0 && <Narrowing from={width(steps[place - 1])} to={width(step)} losses={step.losses} />}
          <p class="step">
            <strong>{step.name}</strong>
            <span class="quiet words">{step.words}</span>
            <span class="amount">
              {step.link ? <a href={step.link}>{step.amount}</a> : step.amount}, {length(step.seconds)}
            </span>
          </p>
          <div class="bar" style={{ width: `${width(step)}%` }} />
        </li>
      ))}
    </ol>
  );
}

/** From one bar to the next: how much is lost, and how often. */
function Narrowing({ from, to, losses }: { from: number; to: number; losses: LossRow[] }) {
  const edge = (width: number, side: number) => `${50 + (side * width) / 2}%`;
  const shape = `polygon(${edge(from, -1)} 0, ${edge(from, 1)} 0, ${edge(to, 1)} 100%, ${edge(to, -1)} 100%)`;
  const lost = losses.reduce((sum, { seconds }) => sum + seconds, 0);
  const first = losses.slice(0, 2).map(({ title }) => title.toLowerCase()).join(", ");
  return (
    <div class="narrowing">
      <div class="shape" style={{ clipPath: shape }} />
      <p>
        {losses.length === 0 ? "nothing lost" : (
          <>{lost > 0 ? length(lost) : losses[0].what} lost: {first}{losses.length > 2 && ` and ${losses.length - 2} more`}</>
        )}
      </p>
    </div>
  );
}

/** All that was lost, step by step, each reason with the list behind it. */
export function Losses({ steps }: { steps: Step[] }) {
  const rows = steps.flatMap(({ losses }) => losses);
  const most = Math.max(0, ...rows.map(({ seconds }) => seconds));
  if (!rows.length) return <p>Nothing was lost.</p>;
  return (
    <table class="losses">
      <thead>
        <tr>
          <th scope="col">Reason</th>
          <th scope="col" class="number">Lost</th>
          <th scope="col" class="number">Length</th>
          <th scope="col" class="number" title="of the step before">Share</th>
        </tr>
      </thead>
      {steps.map((step, place) => step.losses.length > 0 && (
        <tbody>
          <tr class="between">
            <th scope="rowgroup" colSpan={4}>
              {steps[place - 1].name} to {step.name.toLowerCase()}
            </th>
          </tr>
          {step.losses.map((row) => (
            <LossLine row={row} whole={steps[place - 1].seconds} most={most} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

function LossLine({ row, whole, most }: { row: LossRow; whole: number; most: number }) {
  return (
    <tr data-reason={row.name} data-count={row.count ?? ""} data-seconds={row.seconds}>
      <th scope="row">
        {row.title}
        {row.words && <span class="quiet words">{row.words}</span>}
        <span class="bar" style={{ width: `${most > 0 ? (100 * row.seconds) / most : 0}%` }} />
      </th>
      <td class="number">
        {row.link ? <a href={row.link} title={row.name}>{lines(row.what)}</a> : ""}
      </td>
      <td class="number">{row.seconds > 0 ? length(row.seconds) : row.none}</td>
      <td class="number">{row.seconds > 0 ? share(row.seconds, whole) : ""}</td>
    </tr>
  );
}

function lines(words: string) {
  return words.split(", ").map((part, place) => <Fragment>{place > 0 && <br />}{part}</Fragment>);
}
