/* How long to wait before the next attempt to connect: doubling from one second to fifteen,
   each wait drawn between half and all of it, so that a thousand pages do not come back in one
   instant. */

const FIRST_MS = 1000;
const LONGEST_MS = 15_000;

export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.max(FIRST_MS, Math.round(ceiling * (0.5 + random / 2)));
}
