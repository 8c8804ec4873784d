/* Which span of time a stream's charts show, and how the address says it: `?range=2h` follows the
   newest minute, `?from=…&to=…` stands still. */
import { MINUTE } from './format';
import { floorMinute, type Span } from './minutes';

const DAY = 1440 * MINUTE;
export const RANGES = [
  { key: '5m', label: '5 m', ms: 5 * MINUTE },
  { key: '30m', label: '30 m', ms: 30 * MINUTE },
  { key: '2h', label: '2 h', ms: 120 * MINUTE },
  { key: '12h', label: '12 h', ms: 720 * MINUTE },
  { key: '1d', label: '1 d', ms: DAY },
  { key: '7d', label: '7 d', ms: 7 * DAY },
  { key: '30d', label: '30 d', ms: 30 * DAY },
  { key: '1y', label: '1 y', ms: 365 * DAY },
] as const;

const DEFAULT = RANGES[2];
const LONGEST_MS = 366 * DAY;
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
  return { range: null, from: isoTime(range.to - range.ms), to: isoTime(range.to) };
}

export const isoTime = (time: number): string => new Date(time).toISOString().replace('.000', '');

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

/** A range made so many times as wide, with what lies at `at` staying where it is; it never reaches
    beyond the open minute. One that follows steps through the ranges that the address has a word
    for. */
export function scaleRange(range: Range, factor: number, at: number | null, now: number): Range {
  if (range.live && at === null) {
    const sizes = RANGES.map((one) => one.ms);
    const next =
      factor < 1 ? sizes.findLast((ms) => ms < range.ms) : sizes.find((ms) => ms > range.ms);
    return { ...range, ms: next ?? range.ms };
  }
  const span = spanOf(range, now);
  const middle = at ?? (span.from + span.to) / 2;
  const ms = range.ms * factor;
  return placeRange(middle - ((middle - span.from) / range.ms) * ms, ms, now);
}

/** The range that begins there and is so wide, in whole minutes and within what can be shown. */
export function placeRange(from: number, ms: number, now: number): Range {
  const width = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, floorMinute(ms + MINUTE / 2)));
  const newest = floorMinute(now) + MINUTE;
  return { live: false, ms: width, to: Math.min(newest, floorMinute(from + MINUTE / 2) + width) };
}
