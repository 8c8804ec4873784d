/* The minutes of one stream, or of one channel, in memory: written by history pages and live
   messages alike, read over a span with a hole wherever no minute is known. Memory is bounded:
   what is far from the view is forgotten when there is too much. */
import { MINUTE } from './format';
import type { LatestMinute } from './types';

/** Two days: twice the widest range on the page. */
export const MINUTES_MAX = 2 * 24 * 60;

export interface Span {
  from: number;
  to: number;
}

export interface Dated {
  window_start: string;
}

/** A minute that has only begun does not know every figure yet: viewers are counted every few
    seconds, a z-score needs a whole minute. Until then they stand as they were a minute before. */
export function carryOver<T extends LatestMinute>(row: T, before: LatestMinute | null): T {
  if (row.final || !before) return row;
  if (Date.parse(row.window_start) - Date.parse(before.window_start) !== MINUTE) return row;
  return {
    ...row,
    avg_viewers: row.avg_viewers ?? before.avg_viewers,
    peak_viewers: row.peak_viewers ?? before.peak_viewers,
    z_score: row.z_score ?? before.z_score,
  };
}

export class MinuteSeries<T extends Dated> {
  #rows = new Map<number, T>();
  #newest = -Infinity;
  #oldest = Infinity;

  constructor(private readonly isNewer: (row: T, known: T) => boolean) {}

  get size(): number {
    return this.#rows.size;
  }

  /** The start of the first and last known minute. */
  get bounds(): Span | null {
    return this.size ? { from: this.#oldest, to: this.#newest } : null;
  }

  get last(): T | null {
    return this.#rows.get(this.#newest) ?? null;
  }

  at(time: number): T | null {
    return this.#rows.get(Math.floor(time / MINUTE) * MINUTE) ?? null;
  }

  add(rows: readonly T[]): boolean {
    let changed = false;
    for (const row of rows) {
      const start = Date.parse(row.window_start);
      const known = this.#rows.get(start);
      if (known && !this.isNewer(row, known)) continue;
      this.#rows.set(start, row);
      this.#newest = Math.max(this.#newest, start);
      this.#oldest = Math.min(this.#oldest, start);
      changed = true;
    }
    return changed;
  }

  /** Every known minute of the span, oldest first. */
  *within(from: number, to: number): Generator<T> {
    for (let start = floorMinute(from); start < to; start += MINUTE) {
      const row = this.#rows.get(start);
      if (row && start >= from) yield row;
    }
  }

  /** When there is too much, keep only what lies in `kept`; tells whether it did. */
  trim(kept: readonly Span[]): boolean {
    if (this.size <= MINUTES_MAX) return false;
    for (const start of this.#rows.keys())
      if (!kept.some(({ from, to }) => start >= from && start < to)) this.#rows.delete(start);
    this.#oldest = Math.min(...this.#rows.keys());
    return true;
  }
}

export const floorMinute = (time: number): number => Math.floor(time / MINUTE) * MINUTE;

/** The start of every minute of a span: the x of all charts of a view. */
export function minuteGrid(span: Span): number[] {
  const grid: number[] = [];
  for (let start = floorMinute(span.from); start < span.to; start += MINUTE) grid.push(start);
  return grid;
}

/** Runs of missing windows between `from` and `to`, as spans to hatch. Holes are null. */
export function findGaps(
  grid: readonly number[],
  values: readonly unknown[],
  from: number,
  to: number,
  step = MINUTE,
): Span[] {
  const gaps: Span[] = [];
  let open: Span | null = null;
  grid.forEach((start, index) => {
    if (start < from || start >= to || values[index] !== null) {
      open = null;
      return;
    }
    if (open) open.to = start + step;
    else gaps.push((open = { from: start, to: start + step }));
  });
  return gaps;
}
