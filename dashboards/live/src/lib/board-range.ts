/* Which time a board shows: what its address says, else what the board itself begins with. */
import type { Draft } from './boards';
import { RANGES, readRange, writeRange, type Range } from './range';

const inAddress = (query: URLSearchParams): boolean => query.has('range') || query.has('to');

/** The range that a board begins with, as the nearest one that charts have. */
export function startRange({ range_s }: Pick<Draft, 'range_s'>): Range {
  const ms = range_s * 1000;
  const nearest = RANGES.reduce((best, one) =>
    Math.abs(one.ms - ms) < Math.abs(best.ms - ms) ? one : best,
  );
  return { live: true, ms: nearest.ms, to: null };
}

export const boardRange = (query: URLSearchParams, draft: Pick<Draft, 'range_s'>): Range =>
  inAddress(query) ? readRange(query) : startRange(draft);

/** What to write into the address; nothing where it is what the board begins with. */
export function writeBoardRange(
  range: Range,
  draft: Pick<Draft, 'range_s'>,
): Record<string, string | null> {
  if (!range.live) return writeRange(range);
  const own = startRange(draft).ms === range.ms;
  const known = RANGES.find((one) => one.ms === range.ms);
  return { range: own ? null : (known?.key ?? null), from: null, to: null };
}
