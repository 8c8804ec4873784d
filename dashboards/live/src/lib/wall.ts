/* How long each board hangs on a wall, in seconds: `?wall=1&every=60`. */

export const SECOND = 1000;
const DEFAULT_S = 60;
/** Shorter, charts would hardly be there; an hour is as good as standing still. */
const LEAST_S = 10;
const MOST_S = 3600;

export function readEvery(query: URLSearchParams): number {
  const seconds = Number(query.get('every') ?? DEFAULT_S);
  const fits = Number.isFinite(seconds) ? Math.min(MOST_S, Math.max(LEAST_S, seconds)) : DEFAULT_S;
  return fits * SECOND;
}
