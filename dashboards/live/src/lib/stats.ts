/* Small statistics over minutes: what is usual, and which emotes lead. */
import type { EmoteCount } from './types';

interface Emoted {
  top_emotes: readonly EmoteCount[];
}

/** Fewer minutes than this do not make a “usual”. */
const USUAL_LEAST = 8;

export interface Usual {
  low: number;
  middle: number;
  high: number;
}

/** The range nine in ten values lie in, and their middle; null while there are too few. */
export function usualOf(values: readonly (number | null)[]): Usual | null {
  const known = values.filter((value): value is number => value !== null).sort((a, b) => a - b);
  if (known.length < USUAL_LEAST) return null;
  const at = (part: number): number => known[Math.round(part * (known.length - 1))]!;
  return { low: at(0.05), middle: at(0.5), high: at(0.95) };
}

export interface EmoteRank extends EmoteCount {
  /** Now divided by the equally long time before; null when there is nothing to compare with. */
  ratio: number | null;
}

function sumEmotes(rows: Iterable<Emoted>): Map<string, number> {
  const sums = new Map<string, number>();
  for (const row of rows)
    for (const { emote, count } of row.top_emotes)
      sums.set(emote, (sums.get(emote) ?? 0) + count);
  return sums;
}

/** `share` is the part of the window that has passed: its open minute has only begun. */
export function rankEmotes(
  now: Iterable<Emoted>,
  before: Iterable<Emoted>,
  share: number,
  limit: number,
): EmoteRank[] {
  const earlier = sumEmotes(before);
  return [...sumEmotes(now)]
    .sort(([a, m], [b, n]) => n - m || a.localeCompare(b))
    .slice(0, limit)
    .map(([emote, count]) => {
      const then = earlier.get(emote);
      return { emote, count, ratio: then ? count / share / then : null };
    });
}
