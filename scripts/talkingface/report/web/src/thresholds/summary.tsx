/** How much is kept, in this run and with other thresholds: all, by side and by identity. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Amount } from "../data/tally";
import type { Counts, Outcome, Prepared } from "./explore";
import { secondsOf } from "../data/grid";
import { count, counted, length, range } from "../shared/quantity";
import { VirtualList } from "../shared/virtual";

/** A number of frames as a length. */
function duration(frames: number): string {
  return length(secondsOf(frames));
}

function signed(number: number, words: (number: number) => string): string {
  return number === 0 ? words(0) : `${number < 0 ? "\u2212" : "+"}${words(Math.abs(number))}`;
}

interface FigureProps {
  name: string;
  title: string;
  clips: string;
  hours: string;
  amounts: [Amount, Amount];
}

function Figure({ name, title, clips, hours, amounts: [least, most] }: FigureProps) {
  return (
    <div class={`figure ${name}`} data-clips={`${least.clips} ${most.clips}`}
      data-frames={`${least.frames} ${most.frames}`}>
      <dt>{title}</dt>
      <dd><strong>{clips}</strong> <span>{hours}</span></dd>
    </div>
  );
}

/** Of both, `a` less `b`. */
function difference(a: Amount, b: Amount): Amount {
  return { clips: a.clips - b.clips, frames: a.frames - b.frames };
}

/** The figures that stay in sight. */
export function Figures({ counts }: { counts: Counts }) {
  const { now, least, most } = counts;
  const [less, more] = [difference(least, now), difference(most, now)];
  const clips = (number: number) => counted(number, "clip");
  const change = (words: (number: number) => string) => (number: number) => signed(number, words);
  return (
    <dl class="figures">
      <Figure name="now" title="Kept now" amounts={[now, now]}
        clips={clips(now.clips)} hours={duration(now.frames)} />
      <Figure name="then" title="With these thresholds" amounts={[least, most]}
        clips={least.clips === most.clips ? clips(most.clips)
          : `${count(least.clips)} to ${clips(most.clips)}`}
        hours={range(least.frames, most.frames, duration)} />
      <Figure name="difference" title="Difference" amounts={[less, more]}
        clips={range(less.clips, more.clips, change(count))}
        hours={range(less.frames, more.frames, change(duration))} />
    </dl>
  );
}

// A slider on its way would be read out without an end.
const SAY_MS = 700;

/** What is kept, for those who hear the page, when the thresholds have come to rest. */
export function Said({ counts: { least, most } }: { counts: Counts }) {
  const words = `${range(least.clips, most.clips, count)} clips with these thresholds`;
  const [said, setSaid] = useState(words);
  useEffect(() => {
    const timer = setTimeout(() => setSaid(words), SAY_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return <p class="visually-hidden" role="status">{said}</p>;
}

interface ChangesProps {
  outcome: Outcome;
  prepared: Prepared;
}

/** Kept clips by side, and the identities that gain or lose. */
export function ByGroup({ outcome, prepared }: ChangesProps) {
  const sides = prepared.sides.names
    .map((name, place) => ({ name, counts: outcome.sides[place] }))
    .filter(({ name, counts }) => name || counts.most.clips || counts.now.clips)
    .sort((a, b) => rank(a.name) - rank(b.name));
  const named = prepared.identities.names
    .map((name, place) => ({ name, counts: outcome.identities[place] }))
    .filter(({ name }) => name);
  const changed = named.filter(({ counts: { now, least, most } }) => (
    least.clips !== now.clips || most.clips !== now.clips || least.frames !== now.frames
  )).sort((a, b) => lost(b.counts) - lost(a.counts) || (a.name < b.name ? -1 : 1));
  const withClips = (pick: (counts: Counts) => Amount) => (
    named.filter(({ counts }) => pick(counts).clips > 0).length
  );
  return (
    <section class="groups" aria-labelledby="groups-heading">
      <h2 id="groups-heading">By split and identity</h2>
      <table>
        <caption class="visually-hidden">Kept clips by split</caption>
        <thead>
          <tr>
            <th scope="col">Split</th>
            <th scope="col" class="number">In this run</th>
            <th scope="col" class="number">With these</th>
          </tr>
        </thead>
        <tbody>
          {sides.map(({ name, counts }) => (
            <tr data-side={name}>
              <th scope="row">{name || "split not known yet"}</th>
              <td class="number">{cell(counts.now, counts.now)}</td>
              <td class="number">{cell(counts.least, counts.most)}{emptied(counts)}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">identities with clips</th>
            <td class="number">{count(withClips(({ now }) => now))}</td>
            <td class="number">
              {range(withClips(({ least }) => least), withClips(({ most }) => most), count)}
            </td>
          </tr>
        </tbody>
      </table>
      <h3>
        {counted(changed.length, "identity gains or loses", "identities gain or lose")}
      </h3>
      <VirtualList count={changed.length} rowHeight={32} label="Identities that gain or lose"
        height={listHeight(changed.length, 32)}
        render={(place) => <IdentityRow {...changed[place]} />} />
    </section>
  );
}

/** So high that a few rows are whole, and many scroll. */
export function listHeight(rows: number, rowHeight: number): string {
  return `${Math.min(Math.max(rows, 1), 7) * rowHeight + 2}px`;
}

function IdentityRow({ name, counts }: { name: string; counts: Counts }) {
  return (
    <div class="row">
      <span class="name">{name}</span>
      <span class="amount">
        {count(counts.now.clips)} {"\u2192"} {range(counts.least.clips, counts.most.clips, count)}
        {" clips"}{emptied(counts)}
      </span>
    </div>
  );
}

function emptied({ now, most }: Counts): ComponentChildren {
  return now.clips > 0 && most.clips === 0 && <strong class="rejected"> empty</strong>;
}

function cell(least: Amount, most: Amount): ComponentChildren {
  const clips = `${range(least.clips, most.clips, count)} ${most.clips === 1 ? "clip" : "clips"}`;
  return <>{clips}<br />{range(least.frames, most.frames, duration)}</>;
}

function lost({ now, least }: Counts): number {
  return now.clips - least.clips;
}

function rank(side: string): number {
  return ["train", "eval", ""].indexOf(side);
}
