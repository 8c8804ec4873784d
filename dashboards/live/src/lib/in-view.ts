/* Which streams a list follows: those on screen, and those that were there until lately, so that
   scrolling to and fro does not subscribe again and again. */

/** A stream that left the screen is followed for this long. */
export const LEAVE_AFTER_MS = 5000;

export class InView {
  /** When each stream was last on screen; Infinity while it is. */
  #seen = new Map<string, number>();

  /** These are on screen now, and no others. */
  show(ids: readonly string[], now: number): void {
    const shown = new Set(ids);
    for (const [id, at] of this.#seen) if (at === Infinity && !shown.has(id)) this.#seen.set(id, now);
    for (const id of ids) this.#seen.set(id, Infinity);
  }

  /** Let go of those that left long enough ago, and name the others. */
  follow(now: number): string[] {
    for (const [id, at] of this.#seen) if (now - at >= LEAVE_AFTER_MS) this.#seen.delete(id);
    return [...this.#seen.keys()];
  }

  /** How long until the next one is let go of; null when all are on screen. */
  nextIn(now: number): number | null {
    const left = [...this.#seen.values()].filter((at) => at !== Infinity);
    return left.length ? Math.max(0, Math.min(...left) + LEAVE_AFTER_MS - now) : null;
  }
}
