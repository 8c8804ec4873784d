/* Which span of time a stream's charts show, and how the address says it: `?range=2h` follows the
   newest minute, `?from=…&to=…` stands still. */
import { MINUTE } from './format';
import { floorMinute, type Span } from './minutes';

export const RANGES = [
  { key: '5m', label: '5 m', ms: 5 * MINUTE },
  { key: '30m', label: '30 m', ms: 30 * MINUTE },
  { key: '2h', label: '2 h', ms: 120 * MINUTE },
  { key: '12h', label: '12 h', ms: 720 * MINUTE },
  { key: '1d', label: '1 d', ms: 1440 * MINUTE },
] as const;

const DEFAULT = RANGES[2];
const LONGEST_MS = RANGES[4].ms;
const SHORTEST_MS = RANGES[0].ms;

export interface Range {
  live: boolean;
  ms: number;
  /** The end of a range that stands still. */
  to: number | null;
}

/** Read the range from an address; what does not fit becomes the two hours up to now. */
export function readRange(query: URLSearchParams): Range {
  const from = Date.parse(query.get('from') ?? '');
  const to = Date.parse(query.get('to') ?? '');
  if (to - from >= MINUTE) {
    const end = floorMinute(to);
    const ms = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, end - floorMinute(from)));
    return { live: false, ms, to: end };
  }
  const known = RANGES.find((one) => one.key === query.get('range')) ?? DEFAULT;
  return { live: true, ms: known.ms, to: null };
}

/** What to write into the address for this range. */
export function writeRange(range: Range): Record<string, string | null> {
  if (range.live || range.to === null) {
    const known = RANGES.find((one) => one.ms === range.ms) ?? DEFAULT;
    return { range: known === DEFAULT ? null : known.key, from: null, to: null };
  }
  const iso = (time: number): string => new Date(time).toISOString().replace('.000', '');
  return { range: null, from: iso(range.to - range.ms), to: iso(range.to) };
}

/** The end of the open minute is the right edge of a live view. */
export function spanOf(range: Range, now: number): Span {
  const to = range.live || range.to === null ? floorMinute(now) + MINUTE : range.to;
  return { from: to - range.ms, to };
}

/** The same width, half of it earlier (−1) or later (+1); reaching the present means live again. */
export function shiftRange(range: Range, by: -1 | 1, now: number): Range {
  const newest = floorMinute(now) + MINUTE;
  const to = floorMinute(spanOf(range, now).to + (by * range.ms) / 2);
  if (to < newest) return { live: false, ms: range.ms, to };
  const known = RANGES.find((one) => one.ms >= range.ms) ?? DEFAULT;
  return { live: true, ms: known.ms, to: null };
}

/** A span somebody marked on a chart, widened to what the charts can show. */
export function zoomRange(a: number, b: number): Range {
  const from = floorMinute(Math.min(a, b));
  const to = Math.max(floorMinute(Math.max(a, b)) + MINUTE, from + SHORTEST_MS);
  return { live: false, ms: to - from, to };
}
