/* Troubles: which part of the platform is not well, and since when this page knows. */
import type { Health } from './types';

export const PARTS = ['database', 'redis', 'flow', 'archive', 'alerts', 'jobs'] as const;
export type Part = (typeof PARTS)[number];

export interface Trouble {
  part: Part;
  status: 'degraded' | 'error';
  /** What the API says of it. */
  detail: string;
  since: number;
  /** False when it was so when the page first looked: it may be older. */
  seenToBegin: boolean;
}

/** What is wrong now; what was wrong before keeps its time. */
export function findTroubles(
  before: readonly Trouble[],
  health: Health,
  at: number,
  isFirst: boolean,
): Trouble[] {
  return PARTS.flatMap((part) => {
    const { status, detail } = health[part];
    if (status === 'ok') return [];
    const known = before.find((trouble) => trouble.part === part);
    const { since, seenToBegin } = known ?? { since: at, seenToBegin: !isFirst };
    return [{ part, status, detail, since, seenToBegin }];
  });
}

interface Named {
  name: string;
}

/** As many as are worth a row. */
const GONE_MAX = 16;

/** What was there and is no more. Of API processes each answers for itself: another one that
    answers says nothing of the one before. */
export function findGone<T extends Named>(before: readonly T[], now: readonly Named[]): T[] {
  const there = new Set(now.map(({ name }) => name));
  const gone = before.filter(({ name }) => !there.has(name) && !name.startsWith('api '));
  return [...new Map(gone.reverse().map((one) => [one.name, one])).values()]
    .reverse()
    .slice(0, GONE_MAX);
}
