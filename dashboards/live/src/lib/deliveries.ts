/* Deliveries as the page tells them: what became of each, and of all together. */
import type { Delivery, DeliveryCount } from './api-alerts';
import { duration } from './format';
import { momentName } from './text';
import { alertText as t } from './text-alerts';

export const STATES = ['queued', 'sending', 'delivered', 'failed'] as const;

/** What one square stands for: taken, failed, or to come. */
export type Mark = 'taken' | 'failed' | 'waits';
const MARKS_MAX = 5;

/** A square an attempt, the last few of them: its outcome is that of the delivery, and those before
    it came to nothing. */
export function listMarks({ state, attempts }: Delivery): Mark[] {
  const isDone = state === 'delivered' || state === 'failed';
  const before = Math.max(0, state === 'queued' ? attempts : attempts - 1);
  const last: Mark = state === 'delivered' ? 'taken' : state === 'failed' ? 'failed' : 'waits';
  const marks: Mark[] = Array<Mark>(before).fill('failed');
  // What failed without an attempt, as when its route was deleted, has no square.
  if (!isDone || attempts > 0) marks.push(last);
  return marks.slice(-MARKS_MAX);
}

/** “delivered”, “waits, next in 40 s”, “failed”. */
export function wordState(delivery: Delivery, now: number): string {
  const { state, attempts, next_at } = delivery;
  if (state !== 'queued') return t.states[state] ?? state;
  const left = Date.parse(next_at) - now;
  if (attempts > 0 && left >= 1000) return t.next(duration(left));
  return t.states.queued!;
}

/** From when it was decided until it was taken; of what was not taken nothing. */
export const took = ({ state, created_at, done_at }: Delivery): string =>
  duration(
    state === 'delivered' && done_at !== null
      ? Math.max(0, Date.parse(done_at) - Date.parse(created_at))
      : null,
  );

/** What it tells of: “Chat spike, northlight_live”, “2 moments”. */
export function wordSubject({ is_test, group, moment_ids }: Delivery): string {
  if (is_test) return t.test;
  const known = [group['type'] ? momentName(group['type']) : '', group['stream'] ?? ''];
  const named = known.filter(Boolean).join(', ');
  if (!named) return t.momentsCount(moment_ids.length);
  return moment_ids.length > 1 ? `${named} (${moment_ids.length})` : named;
}

export interface Totals {
  delivered: number;
  waiting: number;
  failed: number;
}

/** Of the last day, but for what waits: that counts however long it does. */
export function sumDay(counts: readonly DeliveryCount[]): Totals {
  const sum = (of: keyof DeliveryCount & ('newer' | 'deliveries'), ...states: string[]): number =>
    counts.reduce((all, each) => all + (states.includes(each.state) ? each[of] : 0), 0);
  return {
    delivered: sum('newer', 'delivered'),
    waiting: sum('deliveries', 'queued', 'sending'),
    failed: sum('newer', 'failed'),
  };
}

/** How many of the last seven days each rule sent, whatever became of them. */
export function countByRule(counts: readonly DeliveryCount[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { rule_id, deliveries } of counts)
    if (rule_id !== null) sums.set(rule_id, (sums.get(rule_id) ?? 0) + deliveries);
  return sums;
}

/** The same by route, with what failed of it. */
export function countByRoute(counts: readonly DeliveryCount[]): Map<string, Totals> {
  const sums = new Map<string, Totals>();
  for (const { route_id, state, deliveries } of counts) {
    const sum = sums.get(route_id) ?? { delivered: 0, waiting: 0, failed: 0 };
    const name = state === 'delivered' || state === 'failed' ? state : 'waiting';
    sum[name] += deliveries;
    sums.set(route_id, sum);
  }
  return sums;
}

/** One moment that a delivery tells of, as far as the page shows it. */
export interface Told {
  moment_id: string;
  stream_id: string;
  what: string;
  description: string;
}

/** What a delivery says. It is kept as it was sent, also by a version before this one. */
export function listTold(content: Readonly<Record<string, unknown>>): Told[] {
  const { moments } = content;
  return Array.isArray(moments) ? moments.filter(isTold) : [];
}

function isTold(value: unknown): value is Told {
  const told = value as Partial<Told> | null;
  return [told?.moment_id, told?.stream_id, told?.what, told?.description].every(
    (part) => typeof part === 'string',
  );
}
