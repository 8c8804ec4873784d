/* Live, stale or silent: how far the last event of a stream lies behind. The server says
   whether a stream is live; between its words the page judges by the age of the last event and
   the stream's own pace, so that a busy stream turns stale within seconds and a slow one is
   given its time. */

export type StreamState = 'live' | 'stale' | 'gone';

const STALE_LEAST_MS = 10_000;
const STALE_MOST_MS = 15 * 60_000;
/** For streams without a pace that could be measured. */
const STALE_DEFAULT_MS = 90_000;
const MISSED_INTERVALS = 3;

export function staleAfter(eventsPerSecond: number | null): number {
  if (!eventsPerSecond) return STALE_DEFAULT_MS;
  const expected = (MISSED_INTERVALS * 1000) / eventsPerSecond;
  return Math.min(STALE_MOST_MS, Math.max(STALE_LEAST_MS, expected));
}

export function streamState(
  isLive: boolean,
  lastEventAt: number | null,
  eventsPerSecond: number | null,
  now: number,
): StreamState {
  if (!isLive) return 'gone';
  if (lastEventAt === null) return 'live';
  return now - lastEventAt > staleAfter(eventsPerSecond) ? 'stale' : 'live';
}
