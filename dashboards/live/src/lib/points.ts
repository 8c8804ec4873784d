/* The values of one channel of a session, as they are drawn: kept in order of time, found by time,
   broken where nothing was heard. Pure. */
import type { Envelope } from './course';
import type { Span } from './minutes';
import type { ChannelMinute } from './types';

export interface Points {
  times: number[];
  values: number[];
  /** Minutes instead of single values: the span was too wide for those. */
  minutes: readonly ChannelMinute[] | null;
}

export const NONE: Points = { times: [], values: [], minutes: null };

/** A pause this many times as long as usual is a gap. */
const GAP_TIMES = 5;
const GAP_LEAST_MS = 3000;
const MINUTE_MS = 60_000;

/** The place of the last value at or before a time; -1 where there is none. */
export function placeAt(times: readonly number[], at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** With one more value: usually the newest, but order is not promised. */
export function addPoint(points: Points, time: number, value: number): Points {
  const { times, values, minutes } = points;
  if (time > (times.at(-1) ?? -Infinity)) {
    return { times: [...times, time], values: [...values, value], minutes };
  }
  const place = placeAt(times, time);
  if (times[place] === time && values[place] === value) return points;
  return {
    times: times.toSpliced(place + 1, 0, time),
    values: values.toSpliced(place + 1, 0, value),
    minutes,
  };
}

export function pointsOf(rows: readonly { timestamp: string; value: number }[]): Points {
  const sorted = rows
    .map((row) => [Date.parse(row.timestamp), row.value] as const)
    .sort((a, b) => a[0] - b[0]);
  return {
    times: sorted.map(([time]) => time),
    values: sorted.map(([, value]) => value),
    minutes: null,
  };
}

/** Minutes stand in their middle. */
export function pointsOfMinutes(rows: readonly ChannelMinute[]): Points {
  const sorted = [...rows].sort((a, b) => a.window_start.localeCompare(b.window_start));
  return {
    times: sorted.map((row) => (Date.parse(row.window_start) + Date.parse(row.window_end)) / 2),
    values: sorted.map((row) => row.mean),
    minutes: sorted,
  };
}

/** How long nothing may be heard before it is a gap: by the usual pause between two values. */
export function gapLength({ times, minutes }: Points): number {
  const steps = times.slice(1).map((time, k) => time - times[k]!).sort((a, b) => a - b);
  const usual = steps[steps.length >> 1] ?? MINUTE_MS;
  return Math.max(minutes ? MINUTE_MS * 1.5 : GAP_LEAST_MS, usual * GAP_TIMES);
}

export function listGaps(points: Points): Span[] {
  const length = gapLength(points);
  const { times } = points;
  return times.flatMap((time, k) => {
    const before = times[k - 1];
    return before !== undefined && time - before > length ? [{ from: before, to: time }] : [];
  });
}

/** Times and values with a break in each gap, of what is in the span and its neighbours. */
export function drawnPoints(points: Points, span: Span): [number[], (number | null)[]] {
  const { times, values } = points;
  const length = gapLength(points);
  const first = Math.max(0, placeAt(times, span.from));
  const last = Math.min(times.length - 1, placeAt(times, span.to) + 1);
  const at: number[] = [];
  const drawn: (number | null)[] = [];
  for (let k = first; k <= last; k++) {
    const before = times[k - 1];
    if (k > first && before !== undefined && times[k]! - before > length) {
      at.push((times[k]! + before) / 2);
      drawn.push(null);
    }
    at.push(times[k]!);
    drawn.push(values[k]!);
  }
  return [at, drawn];
}

/** From the least to the most of each minute. */
export function envelopeOf({ minutes, times }: Points): Envelope | null {
  if (!minutes) return null;
  const side = (pick: (row: ChannelMinute) => number) =>
    minutes.map((row, k) => ({ at: times[k]!, value: pick(row) }));
  return [{ upper: side((row) => row.max), lower: side((row) => row.min) }];
}

export interface Value {
  at: number;
  value: number;
}

/** The newest value at a time; none in a gap, and none before the first. */
export function valueAt(points: Points, at: number): Value | null {
  const place = placeAt(points.times, at);
  if (place < 0) return null;
  return { at: points.times[place]!, value: points.values[place]! };
}

export const isInGap = (points: Points, at: number): boolean => {
  const found = valueAt(points, at);
  return found === null || at - found.at > gapLength(points);
};
