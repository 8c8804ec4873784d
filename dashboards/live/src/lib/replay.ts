/* Time in a session: how far it reaches, which part of it is shown, where the playhead stands, and
   how the address says it. Pure; times are milliseconds. */
import { MINUTE } from './format';
import type { Span } from './minutes';
import { isoTime } from './range';

export const SPEEDS = [0.5, 1, 2, 4, 16, 60] as const;
export type Speed = (typeof SPEEDS)[number];
export const STEP_MS = 10_000;

/** A session just begun has this much room. */
const LEAST_MS = 30_000;
/** What is shown of a longer one at first. */
const FIRST_MS = 30 * MINUTE;
/** Closer than this nothing is seen that was not sent. */
export const SPAN_LEAST_MS = 5000;
/** Where in what is shown the playhead comes back when it has run out of it. */
const BEHIND = 0.25;

/** From its start to its end or now; notes of before or after belong to it. */
export function boundsOf(
  session: { started_at: string; ended_at: string | null },
  now: number,
  noted: readonly number[] = [],
): Span {
  const begin = Date.parse(session.started_at);
  const end = session.ended_at === null ? Math.max(now, begin) : Date.parse(session.ended_at);
  const from = Math.min(begin, noted[0] ?? begin);
  const to = Math.max(end, session.ended_at === null ? end : (noted.at(-1) ?? end));
  return { from, to: Math.max(to, from + LEAST_MS) };
}

/** All of a short session, the end of a long one. */
export const firstSpan = ({ from, to }: Span): Span => ({ from: Math.max(from, to - FIRST_MS), to });

/** As wide as it may be, and within the session. */
export function placeSpan(wanted: Span, bounds: Span): Span {
  const most = bounds.to - bounds.from;
  const wide = Math.min(most, Math.max(SPAN_LEAST_MS, wanted.to - wanted.from));
  const from = Math.min(Math.max(wanted.from, bounds.from), bounds.to - wide);
  return { from, to: from + wide };
}

/** So many times as wide, with what lies at `at` staying where it is. */
export function scaleSpan(span: Span, factor: number, at: number | null, bounds: Span): Span {
  const middle = at ?? (span.from + span.to) / 2;
  const from = middle - (middle - span.from) * factor;
  return placeSpan({ from, to: from + (span.to - span.from) * factor }, bounds);
}

/** The same width, moved only when the playhead has left it. */
export function followSpan(span: Span, playhead: number, bounds: Span): Span {
  if (playhead >= span.from && playhead <= span.to) return span;
  const wide = span.to - span.from;
  const from = playhead - wide * BEHIND;
  return placeSpan({ from, to: from + wide }, bounds);
}

export const clampTime = (time: number, { from, to }: Span): number =>
  Math.min(to, Math.max(from, time));

/** Where the playhead is after a while; null when it has come to the end. */
export function advance(playhead: number, passedMs: number, speed: Speed, end: number): number | null {
  const next = playhead + passedMs * speed;
  return next >= end ? null : next;
}

export interface Place {
  span: Span | null;
  playhead: number | null;
  speed: Speed;
}

/** What the address says; what does not fit is left out. */
export function readPlace(query: URLSearchParams): Place {
  const [from, to] = [readTime(query.get('from')), readTime(query.get('to'))];
  const speed = SPEEDS.find((one) => String(one) === query.get('speed')) ?? 1;
  return {
    span: from !== null && to !== null && to > from ? { from, to } : null,
    playhead: readTime(query.get('t')),
    speed,
  };
}

export function writePlace({ span, playhead, speed }: Place): Record<string, string | null> {
  return {
    from: span && isoTime(Math.round(span.from)),
    to: span && isoTime(Math.round(span.to)),
    t: playhead === null ? null : isoTime(Math.round(playhead)),
    speed: speed === 1 ? null : String(speed),
  };
}

function readTime(written: string | null): number | null {
  const time = Date.parse(written ?? '');
  return Number.isNaN(time) ? null : time;
}
