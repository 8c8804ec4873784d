/* The path of an event as the system page draws it: what each part does now, beside what is usual
   and what it may do, and whether that is well. Nothing here asks or formats. */
import type { Health } from './types';

export const PLACES = ['senders', 'api', 'bus', 'flow', 'database', 'push', 'screen'] as const;
export type Place = (typeof PLACES)[number];
export type State = 'well' | 'strained' | 'down' | 'unknown';

/** All times in milliseconds, all rates a second; null is not known. */
export interface Figures {
  health: Health | null;
  /** 99 of 100 requests are answered within this. */
  p99: number | null;
  /** Entries of the fullest shard of the bus, of how many it may hold. */
  filled: number | null;
  /** The longest commit of ten seconds. */
  commit: number | null;
  /** Live messages skipped for slow clients. */
  dropped: number | null;
  refused: number | null;
  screen: number | null;
}

/** Past these a figure is worth a look. */
export const LIMITS = {
  /** A page that waits longer feels slow. */
  p99: 500,
  /** The flow is further behind than usual when it is so many times as far, */
  lagTimes: 3,
  /** and at least this far. */
  lag: 1000,
  /** Half full is a long way from empty: somebody does not read. */
  filled: 0.5,
  /** Longer commits hold up the messages of every stream in them. */
  commit: 1000,
  /** Figures change once a second; a change that is later was held up. */
  screen: 2000,
} as const;

/** From which lag on the flow is strained; null while what is usual is not known. */
export const lagLimit = (usual: number | null | undefined): number | null =>
  usual == null ? null : Math.max(LIMITS.lag, usual * LIMITS.lagTimes);

const PART = { ok: 'well', degraded: 'strained', error: 'down' } as const;

function worse(a: State, b: State): State {
  const order: State[] = ['unknown', 'well', 'strained', 'down'];
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}

function within(value: number | null, limit: number | null): State {
  if (value === null) return 'unknown';
  return limit !== null && value > limit ? 'strained' : 'well';
}

export function judgePath(now: Figures): Record<Place, State> {
  const { health } = now;
  const part = (name: 'database' | 'redis' | 'flow'): State =>
    health ? PART[health[name].status] : 'unknown';
  const lag = within(health?.flow.lag_ms ?? null, lagLimit(health?.flow.lag_usual_ms));
  return {
    senders: within(now.refused, 0),
    // It answered this very question, or health would not be known.
    api: worse(within(now.p99, LIMITS.p99), health ? 'well' : 'unknown'),
    bus: worse(part('redis'), within(now.filled, LIMITS.filled)),
    flow: worse(part('flow'), lag),
    database: worse(part('database'), within(now.commit, LIMITS.commit)),
    push: worse(within(now.dropped, 0), part('redis')),
    screen: within(now.screen, LIMITS.screen),
  };
}
