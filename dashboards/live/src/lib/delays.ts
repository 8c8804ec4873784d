/* How long it takes from the commit of a change until it is on this screen, honestly measured.

     flow commits, stamps its messages -> Redis -> API -> socket -> queue -> frame -> pixels
                                                                    `shown` after the frame

   The stamp is of the server's clock, the pixels of this one's. What lies between the two clocks
   is learned from pings: a pong carries the server's time, and the shortest of the last round
   trips tells it best, to half of that trip. What could be the trip is not taken for a wrong
   clock: on one machine nothing is put right. */

/** Pings that are remembered: with one in ten seconds, clocks may drift apart for three minutes. */
const PINGS = 16;
/** Frames that are remembered: at four messages a second a minute. */
const FRAMES = 256;
/** Older ones say nothing of now. */
const FRESH_MS = 60_000;
/** Fewer are no median. */
const LEAST_FRAMES = 3;

interface Ping {
  trip: number;
  ahead: number;
}

export class ClockOffset {
  #pings: Ping[] = [];

  /** Learn from one pong; all in milliseconds since 1970. */
  learn(sentAt: number, serverAt: number, heardAt: number): void {
    if (!Number.isFinite(serverAt) || heardAt < sentAt) return;
    this.#pings.push({ trip: heardAt - sentAt, ahead: serverAt - (sentAt + heardAt) / 2 });
    if (this.#pings.length > PINGS) this.#pings.shift();
  }

  /** How far the server's clock is ahead; null while nothing is known. */
  get ahead(): number | null {
    const best = this.#pings.reduce<Ping | null>(
      (least, ping) => (least === null || ping.trip < least.trip ? ping : least),
      null,
    );
    if (best === null) return null;
    return Math.sign(best.ahead) * Math.max(0, Math.abs(best.ahead) - best.trip / 2);
  }

  forget(): void {
    this.#pings = [];
  }
}

export interface DelaySummary {
  p50: number;
  p99: number;
  frames: number;
}

export class Delays {
  #frames: { at: number; delay: number }[] = [];

  note(at: number, delay: number): void {
    // A clock that is only nearly right may put a commit into the future.
    this.#frames.push({ at, delay: Math.max(0, delay) });
    if (this.#frames.length > FRAMES) this.#frames.shift();
  }

  /** What the last minute's frames showed; null when there were too few. */
  summary(now: number): DelaySummary | null {
    const fresh = this.#frames.filter(({ at }) => now - at <= FRESH_MS).map((one) => one.delay);
    if (fresh.length < LEAST_FRAMES) return null;
    fresh.sort((a, b) => a - b);
    const rank = (part: number): number => fresh[Math.ceil(part * fresh.length) - 1]!;
    return { p50: rank(0.5), p99: rank(0.99), frames: fresh.length };
  }
}
