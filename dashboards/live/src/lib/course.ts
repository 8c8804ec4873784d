/* A course: one measure over a span, as a chart draws it, a table lists it and a file holds it.
   Windows of one width, a hole where nothing is known; where a window stands for many values, the
   edges between which all of them lay. */
import type { Column } from './columns';
import { MINUTE } from './format';
import type { Span } from './minutes';

/** A place on an edge: when, and how much. Both edges go through values that were there. */
export interface Point {
  at: number;
  value: number;
}

/** Stretches without a hole, each with the highest and the lowest of every slice of it. */
export type Envelope = { upper: Point[]; lower: Point[] }[];

/** Between which values a window would be nothing unusual, and the middle of them. */
export interface Band {
  low: Column;
  high: Column;
  middle: Column;
}

/** One of several measures of the same windows. */
export interface Part {
  name: string;
  values: Column;
}

export interface Course {
  grid: number[];
  /** The width of a window. */
  step: number;
  values: Column;
  /** The index of the first window that may still change; the length of the grid when there is
      none. */
  openFrom: number;
  envelope: Envelope | null;
  band: Band | null;
  /** Stacked on one another, they make up the values. */
  parts: Part[];
  /** Not drawn as lines, but in tables and files. */
  more: Part[];
  /** From when to when it is known what there was: holes in it are gaps. */
  known: Span[];
}

export const STEPS: Readonly<Record<string, number>> = {
  '1m': MINUTE,
  '5m': 5 * MINUTE,
  '15m': 15 * MINUTE,
  '1h': 60 * MINUTE,
  '1d': 1440 * MINUTE,
};

/** The widest span whose minutes are read one by one; they are appended live. */
export const MINUTES_SPAN_MAX = 1440 * MINUTE;

/** Slices of an envelope across a chart. The API thins to some three hundred slices, so that each
    of these holds the highest and the lowest of one at least. */
const SLICES = 150;

export const floorStep = (time: number, step: number): number => Math.floor(time / step) * step;

/** A minute is drawn where it begins, which is where its chart says it is; of anything wider the
    middle tells the truth. */
export const middleOf = (step: number): number => (step > MINUTE ? step / 2 : 0);

/** The start of every window that lies in a span or reaches into it. */
export function stepGrid(span: Span, step: number): number[] {
  const grid: number[] = [];
  for (let start = floorStep(span.from, step); start < span.to; start += step) grid.push(start);
  return grid;
}

/** Rows, in any order, onto a grid. */
export function placeRows<T extends { window_start: string }>(
  rows: readonly T[],
  grid: readonly number[],
  step: number,
): (T | null)[] {
  const placed: (T | null)[] = grid.map(() => null);
  for (const row of rows) {
    const index = Math.round((Date.parse(row.window_start) - (grid[0] ?? 0)) / step);
    if (index >= 0 && index < placed.length) placed[index] = row;
  }
  return placed;
}

export interface Edged {
  at: number;
  low: number | null;
  high: number | null;
}

/** The highest and the lowest of each slice of a span, at the times they were there. */
export function envelopeOf(
  rows: readonly Edged[],
  span: Span,
  slice = Math.max(MINUTE, (span.to - span.from) / SLICES),
): Envelope {
  const slots = new Map<number, { most: Point; least: Point }>();
  for (const { at, low, high } of rows) {
    if (low === null || high === null || at < span.from || at >= span.to) continue;
    const slot = Math.floor((at - span.from) / slice);
    const known = slots.get(slot);
    if (!known) slots.set(slot, { most: { at, value: high }, least: { at, value: low } });
    else {
      if (high > known.most.value) known.most = { at, value: high };
      if (low < known.least.value) known.least = { at, value: low };
    }
  }
  const runs: Envelope = [];
  let before = NaN;
  for (const [slot, { most, least }] of [...slots].sort(([a], [b]) => a - b)) {
    if (slot !== before + 1) runs.push({ upper: [], lower: [] });
    runs.at(-1)!.upper.push(most);
    runs.at(-1)!.lower.push(least);
    before = slot;
  }
  return runs;
}

/** Least and most of all that a chart has to have room for. */
export function extentOf(course: Course, more: readonly Column[] = []): [number, number] | null {
  let [low, high] = [Infinity, -Infinity];
  const take = (value: number | null | undefined): void => {
    if (value == null) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const column of [course.values, course.band?.low, course.band?.high, ...more])
    if (column) for (const value of column) take(value);
  for (const { upper, lower } of course.envelope ?? [])
    for (const { value } of [...upper, ...lower]) take(value);
  return low > high ? null : [low, high];
}

/** The parts, each on top of those before it: what bars reach up to. */
export function stack(parts: readonly Part[], length: number): Column[] {
  const sum: number[] = new Array<number>(length).fill(0);
  return parts.map(({ values }) =>
    sum.map((before, k) => {
      sum[k] = before + (values[k] ?? 0);
      return values[k] ? sum[k] : null;
    }),
  );
}
