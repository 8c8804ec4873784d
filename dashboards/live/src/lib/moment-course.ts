/* The course of what a moment is about: one value a minute, whether it is counted from a chat,
   measured on a channel or given in a transaction. */
import { MINUTE } from './format';
import { floorMinute, type Span } from './minutes';
import { chartOf } from './moment';
import type { Moment } from './types';

export interface Point {
  window_start: string;
  final: boolean;
  revision: number;
  value: number | null;
}

export type Measure = 'chat' | 'viewers' | 'sentiment' | 'channel' | 'transactions';

/** How much there is to see before it began, and after it was over. */
const BEFORE_MS = 45 * MINUTE;
const AFTER_MS = 15 * MINUTE;
/** A minute that is over may take this long to be closed. */
const CLOSING_MS = MINUTE;
/** What goes on for days is shown from its start. */
const LONGEST_MS = 720 * MINUTE;

export const measureOf = (moment: Moment): Measure =>
  moment.moment_type === 'transaction_spike' ? 'transactions' : chartOf(moment);

/** The span of the chart: the time before it, all of it, and what came after. */
export function spanAround(moment: Moment, now: number): Span {
  const start = floorMinute(Date.parse(moment.started_at));
  const newest = floorMinute(now) + MINUTE;
  const end = moment.ended_at ? Date.parse(moment.ended_at) + AFTER_MS : newest;
  const from = start - BEFORE_MS;
  const to = Math.min(floorMinute(end), newest, from + LONGEST_MS);
  return { from, to: Math.max(to, start + MINUTE) };
}

const FIELDS = { chat: 'chat_rate', viewers: 'avg_viewers', sentiment: 'avg_sentiment' } as const;

export interface Minute {
  window_start: string;
  final: boolean | null;
  revision: number;
}
export type Counted = Minute & Record<(typeof FIELDS)[keyof typeof FIELDS], number | null>;

/** A minute of a stream as a point; null where what is measured is none of its figures. */
export function pointOf(measure: Measure, row: Counted): Point | null {
  if (measure === 'channel' || measure === 'transactions') return null;
  return makePoint(row, row[FIELDS[measure]]);
}

export const makePoint = ({ window_start, final, revision }: Minute, value: number | null): Point => ({
  window_start,
  final: final ?? true,
  revision,
  value,
});

/** All kinds of a minute together; a minute without any has no row, and had none. */
export function countMinutes(
  rows: readonly (Minute & { count: number })[],
  span: Span,
  now: number,
): Point[] {
  const byMinute = new Map<number, Point>();
  for (let start = floorMinute(span.from); start < span.to; start += MINUTE)
    byMinute.set(start, {
      window_start: new Date(start).toISOString(),
      final: start + MINUTE + CLOSING_MS <= now,
      revision: 0,
      value: 0,
    });
  for (const row of rows) {
    const point = byMinute.get(Date.parse(row.window_start));
    if (!point) continue;
    point.value = (point.value ?? 0) + row.count;
    point.final &&= row.final ?? true;
    point.revision = Math.max(point.revision, row.revision);
  }
  return [...byMinute.values()];
}
