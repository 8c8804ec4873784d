/* What a minute was expected to be, by the rule of the flow: the median of the hour before it and
   the spread around that, both without the minute itself and without what was unusual. The rows of
   the API carry no expectation, but all that it is made of; minutes are unusual from four spreads
   on at the least, so that is how wide the band is drawn. */
import type { Band } from './course';
import { MINUTE } from './format';
import type { MinuteSeries } from './minutes';
import type { MinuteRow } from './types';

const SPAN = 60;
/** Fewer minutes than this give no baseline: the stream is warming up. */
export const BASELINE_LEAST = 10;
const SPREADS = 4;
/** A minute this far off is left out of what the next are measured against. */
const UNUSUAL = 0.6 * SPREADS;
/** Of the known minutes so many must be usual ones: what fills a third of an hour is usual too. */
const ORDINARY = 2 / 3;
const NORMAL_FROM_MAD = 1.4826;

interface Known {
  count: number;
  isUnusual: boolean;
}

/** Messages a minute. */
interface Usual {
  level: number;
  spread: number;
}

function median(ordered: readonly number[]): number {
  const middle = ordered.length >> 1;
  return ordered.length % 2 ? ordered[middle]! : (ordered[middle - 1]! + ordered[middle]!) / 2;
}

const ascending = (a: number, b: number): number => a - b;

/** What was usual in an hour; null while too little of it is known. */
function measure(hour: readonly Known[]): Usual | null {
  if (hour.length < BASELINE_LEAST) return null;
  const usual = hour.filter((one) => !one.isUnusual);
  const enough = Math.max(BASELINE_LEAST, hour.length * ORDINARY);
  const counted = usual.length >= enough ? usual : hour;
  const counts = counted.map((one) => one.count).sort(ascending);
  const level = median(counts);
  const stray = median(counts.map((count) => Math.abs(count - level)).sort(ascending));
  // Chance alone spreads counts by their root.
  return { level, spread: Math.max(NORMAL_FROM_MAD * stray, Math.sqrt(level), 1) };
}

function know(row: MinuteRow): Known {
  return {
    count: row.chat_count,
    isUnusual: row.is_anomaly || Math.abs(row.z_score ?? 0) >= UNUSUAL,
  };
}

/** The baselines of one stream's minutes, each worked out when it is first asked for. */
export class Baselines {
  #known = new Map<number, Usual | null>();

  constructor(private readonly minutes: MinuteSeries<MinuteRow>) {}

  /** A minute closed or was revised: the hour after it is measured anew. */
  forget(start: number): void {
    if (!this.#known.size) return;
    for (let at = start + MINUTE; at <= start + SPAN * MINUTE; at += MINUTE) this.#known.delete(at);
  }

  clear(): void {
    this.#known.clear();
  }

  /** Between which rates each minute of a grid would have been nothing unusual. */
  band(grid: readonly number[]): Band {
    const found = grid.map((start) => this.#find(start));
    return {
      low: found.map((one) => one && Math.max(0, one.level - SPREADS * one.spread) / 60),
      high: found.map((one) => one && (one.level + SPREADS * one.spread) / 60),
      middle: found.map((one) => one && one.level / 60),
    };
  }

  /** How many minutes are missing until the minute at `end` has a baseline. */
  missing(end: number): number {
    return Math.max(0, BASELINE_LEAST - this.#hour(end).length);
  }

  #find(start: number): Usual | null {
    const known = this.#known.get(start);
    if (known !== undefined) return known;
    const found = measure(this.#hour(start));
    this.#known.set(start, found);
    return found;
  }

  #hour(end: number): Known[] {
    const hour: Known[] = [];
    for (const row of this.minutes.within(end - SPAN * MINUTE, end))
      if (row.final) hour.push(know(row));
    return hour;
  }
}
